import { textId } from '@overland/model/text-id';
import type { SetId } from '../policy/active-rule.ts';
import type { Direction } from '../policy/policy-view.ts';
import type { ListId, SetState } from '../policy-state.ts';

/** The one table of ours. */
export const TABLE = 'inet overland';

/** Verdict maps from the interface of a workload to the chain about what comes from it (egress) and goes to it (ingress). */
export const ENDPOINT_MAPS = { egress: 'from-workloads', ingress: 'to-workloads' } as const;

/** What policies deny goes there: `goto` it. */
export const DENIED_CHAIN = 'denied';

export type Version = 4 | 6;

/**
 * The kernel's set of one IP version: identifiers of nft have no colons. A set of another kind is another set: rules
 * that ask it are written anew, so that no packet ever meets half a set.
 */
export function setName(id: SetId, kind: SetState['kind'], version: Version): string {
  return `${id.replaceAll(':', '-')}-${kind === 'nets' ? 'nets-' : ''}v${version}`;
}

/** Longer ones are of no use to a reader; the kernel's limit is 255. */
const MAX_CHAIN_LENGTH = 120;

/** The chain with a policy's or profile's rules for one direction: `ingress/NetworkPolicy/prod/web`. */
export function listChain(id: ListId): string {
  const name = id.replaceAll(' ', '/');
  if (name.length <= MAX_CHAIN_LENGTH && /^[A-Za-z0-9/._-]+$/.test(name)) return name;
  const [direction, kind] = name.split('/');
  return `${direction}/${kind}/${textId(id)}`;
}

/** The chain of all that decides about an endpoint's traffic in one direction. */
export function endpointChain(direction: Direction, interfaceName: string): string {
  return `${direction === 'ingress' ? 'to' : 'from'}-${interfaceName}`;
}
