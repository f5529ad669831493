import type { SetState } from '../policy-state.ts';
import type { Version } from './names.ts';

/** A set of ipset: `hash:net` holds single addresses as well, and finds them as fast. */
export interface AddressSet {
  readonly type: 'hash:net' | 'hash:ip,port';
  /** As `IpSets` has them. */
  readonly members: ReadonlySet<string>;
}

/** The part of a set that is of one IP version. */
export function addressSetOf({ kind, members }: SetState, version: Version): AddressSet {
  const type = kind === 'ports' ? 'hash:ip,port' : 'hash:net';
  return { type, members: new Set([...members].flatMap((one) => memberOf(one, version))) };
}

/** A member of {@link SetState} as ipset has it; none if it is of the other version. */
export function memberOf(member: string, version: Version): string[] {
  if (member.includes(':') !== (version === 6)) return [];
  const [address = '', protocol, port] = member.split(' . ');
  if (protocol !== undefined) return [`${address},${protocol}:${port}`];
  // The kernel's sets have no prefix of length zero.
  if (address === '0.0.0.0/0') return ['0.0.0.0/1', '128.0.0.0/1'];
  if (address === '::/0') return ['::/1', '8000::/1'];
  return [address];
}
