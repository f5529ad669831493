import type { SetId } from '../policy/active-rule.ts';
import type { ListId } from '../policy-state.ts';

export type Version = 4 | 6;

/** The kernel's set of one IP version: identifiers of nft have no colons. */
export function setName(id: SetId, version: Version): string {
  return `${id.replaceAll(':', '-')}-v${version}`;
}

/** The chain with a policy's or profile's rules for one direction: `ingress/NetworkPolicy/prod/web`. */
export function listChain(id: ListId): string {
  return id.replaceAll(' ', '/');
}

/** The chain of all that decides about an endpoint's traffic in one direction. */
export function endpointChain(direction: 'ingress' | 'egress', interfaceName: string): string {
  return `${direction === 'ingress' ? 'to' : 'from'}-${interfaceName}`;
}
