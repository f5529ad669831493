// Without a schema, so that it can be had without zod (decision 0261).

/** Protocols that have names in policies, and their IP protocol numbers. Names are spelt exactly so. */
export const PROTOCOL_NUMBERS = {
  TCP: 6,
  UDP: 17,
  ICMP: 1,
  ICMPv6: 58,
  SCTP: 132,
  UDPLite: 136,
} as const;

export type ProtocolName = keyof typeof PROTOCOL_NUMBERS;

/** A protocol as it was written: by name, or as an IP protocol number from 1 to 255. */
export type Protocol = ProtocolName | number;

/** The IP protocol number: of `TCP`, 6. */
export function protocolNumber(value: Protocol): number {
  return typeof value === 'number' ? value : PROTOCOL_NUMBERS[value];
}

/** The IP protocol number of a name, in upper or lower case; `undefined` if it is none. */
export function protocolNamed(name: string): number | undefined {
  const lower = name.toLowerCase();
  return Object.entries(PROTOCOL_NUMBERS).find(([known]) => known.toLowerCase() === lower)?.[1];
}

/** An IP protocol number for people: its name, if it has one. */
export function protocolText(number: number): string {
  const named = Object.entries(PROTOCOL_NUMBERS).find(([, known]) => known === number);
  return named?.[0] ?? String(number);
}

/** Whether packets of the protocol have ports that rules can match: TCP, UDP and SCTP. */
export function hasPorts(value: Protocol): boolean {
  const { TCP, UDP, SCTP } = PROTOCOL_NUMBERS;
  return [TCP, UDP, SCTP].some((number) => number === protocolNumber(value));
}

/** The IP version that only the protocol's packets have; `undefined` if it runs on both. */
export function ipVersionOf(value: Protocol): 4 | 6 | undefined {
  const number = protocolNumber(value);
  if (number === PROTOCOL_NUMBERS.ICMP) return 4;
  return number === PROTOCOL_NUMBERS.ICMPv6 ? 6 : undefined;
}
