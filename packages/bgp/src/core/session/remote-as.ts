import type { Asn } from '@overland/net';

/** Whose OPEN is taken: one AS number, one of several, or any but ours. FRR's `remote-as external` is the last. */
export type RemoteAs = Asn | readonly Asn[] | 'external';

/** What stands for a number of four octets is nobody's, and 0 neither. RFC 6793 section 9, RFC 7607. */
const NOBODYS: readonly number[] = [0, 23_456];

/** Whether an AS number that a peer tells is one that we take from it. @param local The one that we use towards it. */
export function acceptsAs(remote: RemoteAs, told: number, local: number): boolean {
  if (remote === 'external') return told !== local && !NOBODYS.includes(told);
  return typeof remote === 'number' ? told === remote : remote.some((asn) => asn === told);
}

/**
 * Whether sessions are between AS, as far as can be said before the peer has told its number. Of several numbers none
 * may be ours, so it is known for all of them.
 */
export function isExternal(remote: RemoteAs, local: number): boolean {
  return typeof remote !== 'number' || remote !== local;
}

/** For people: `65001`, `65001 or 65002`, `external`. */
export function remoteAsText(remote: RemoteAs): string {
  return typeof remote === 'object' ? remote.join(' or ') : String(remote);
}
