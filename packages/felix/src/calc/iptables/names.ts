import { textId } from '@overland/model/text-id';
import type { SetId } from '../policy/active-rule.ts';
import type { Direction } from '../policy/policy-view.ts';
import type { ListId } from '../policy-state.ts';

export type Version = 4 | 6;

/** Of chains: the kernel's 29 octets hold a terminating NUL. */
const MAX_CHAIN_LENGTH = 28;
/** Of sets: the kernel's 32 octets, likewise. */
const MAX_SET_LENGTH = 31;

/** Chains that lead to others. Calico's names. */
export const CHAIN = {
  prerouting: 'cali-PREROUTING',
  input: 'cali-INPUT',
  forward: 'cali-FORWARD',
  output: 'cali-OUTPUT',
  fromWorkload: 'cali-from-wl-dispatch',
  toWorkload: 'cali-to-wl-dispatch',
  workloadToHost: 'cali-wl-to-host',
  fromLimited: 'cali-from-limited',
  toLimited: 'cali-to-limited',
  fromHost: 'cali-from-host-endpoint',
  toHost: 'cali-to-host-endpoint',
  fromHostForward: 'cali-from-hep-forward',
  toHostForward: 'cali-to-hep-forward',
  /** What policies deny goes there: {@link DENY}. */
  denied: 'cali-denied',
  failsafeIn: 'cali-failsafe-in',
  failsafeOut: 'cali-failsafe-out',
} as const;

/** Of rules by which a policy denies. */
export const DENY = `-g ${CHAIN.denied}`;

/**
 * The kernel's set of one IP version. Calico's begin with `cali40s:`, `cali40n:`, …: so each knows its own. Of sets of
 * selectors, what follows is the selector's identifier.
 */
export function setName(id: SetId, version: Version): string {
  const own = id.startsWith('s:') ? id.slice('s:'.length) : textId(id);
  return `cali${version}0${OWN_SET}${own}`.slice(0, MAX_SET_LENGTH);
}

const OWN_SET = 'o:';

/** Whether a set of the kernel is one that {@link setName} has named. */
export function isOwnSet(name: string): boolean {
  return name.startsWith(`cali40${OWN_SET}`) || name.startsWith(`cali60${OWN_SET}`);
}

/** The chain with a policy's or profile's rules for one direction: `cali-pi-prod/web`, `cali-pro-open`. */
export function listChain(id: ListId): string {
  const way = id.startsWith('ingress ') ? 'i' : 'o';
  const [kind = '', name = ''] = id.slice(id.indexOf(' ') + 1).split(' ', 2);
  if (kind === 'Profile') return limited(`cali-pr${way}-`, name);
  // Names of network policies have a slash, those of global ones have none: so they need no kind.
  const isPlain = kind === 'GlobalNetworkPolicy' || kind === 'NetworkPolicy';
  return limited(`cali-p${way}-`, isPlain ? name : `${kind}/${name}`);
}

/** The chain of all that decides about an endpoint's traffic in one direction. */
export function endpointChain(direction: Direction, interfaceName: string): string {
  return `${direction === 'ingress' ? 'cali-tw-' : 'cali-fw-'}${interfaceName}`;
}

/** The chain that counts what an endpoint receives (ingress) or sends. */
export function limitChain(direction: Direction, interfaceName: string): string {
  return `${direction === 'ingress' ? 'cali-tl-' : 'cali-fl-'}${interfaceName}`;
}

/** A name as it is if it fits and cannot be mistaken for a digest, else its digest: as Calico shortens. */
export function limited(prefix: string, name: string): string {
  if (prefix.length + name.length <= MAX_CHAIN_LENGTH && /^[A-Za-z0-9][\w./-]*$/.test(name)) {
    return `${prefix}${name}`;
  }
  return `${prefix}_${textId(name)}`.slice(0, MAX_CHAIN_LENGTH);
}
