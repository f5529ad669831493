/** Address family. Names as in Calico's key layout and FRR's output. */
export type Family = 'ipv4' | 'ipv6';

/** Length of an address of each family, in octets. */
export const ADDRESS_OCTETS = { ipv4: 4, ipv6: 16 } as const satisfies Record<Family, number>;

/** Length of an address of each family, in bits. */
export const ADDRESS_BITS = { ipv4: 32, ipv6: 128 } as const satisfies Record<Family, number>;

/** The family of a canonical address or prefix. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 'ipv6' : 'ipv4';
}
