import type { Family } from '@overland/net';

/** SAFI of every family that we speak: unicast. RFC 4760 section 6. */
export const SAFI_UNICAST = 1;

const AFI = { ipv4: 1, ipv6: 2 } as const satisfies Record<Family, number>;

/** AFI (IANA) of a family. */
export function afiOf(family: Family): number {
  return AFI[family];
}

/** The family of an AFI/SAFI pair; `undefined` if it is none that we speak. */
export function familyFrom(afi: number, safi: number): Family | undefined {
  if (safi !== SAFI_UNICAST) return undefined;
  if (afi === AFI.ipv4) return 'ipv4';
  return afi === AFI.ipv6 ? 'ipv6' : undefined;
}
