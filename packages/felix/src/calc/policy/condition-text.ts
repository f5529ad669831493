import type { IcmpMatch, PortMatches } from './active-rule.ts';

/** ICMP messages for people: `type 8 code 0`. */
export function icmpText({ type, code }: IcmpMatch): string {
  return code === undefined ? `type ${type}` : `type ${type} code ${code}`;
}

/** Ports for people: `443, 8000:8100, web`. @param set How a set is written, by its name. */
export function portsText({ ranges, sets }: PortMatches, set: (id: string) => string): string {
  const numbers = ranges.map(({ first, last }) => (first === last ? first : `${first}:${last}`));
  return [...numbers, ...sets.map(set)].join(', ');
}
