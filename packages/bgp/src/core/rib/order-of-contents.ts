import type { DecisionTables } from './decision.ts';

const NO_OCTETS = new Uint8Array(0);

/** Orders groups by their next hops, the lowest address first. */
export function compareNextHops(
  { groups, nextHops }: DecisionTables,
  a: number,
  b: number,
): number {
  const [left, right] = [groups.nextHop(a), groups.nextHop(b)];
  if (left === right) return 0;
  return compareOctets(nextHops.octetsOf(left) ?? NO_OCTETS, nextHops.octetsOf(right) ?? NO_OCTETS);
}

/** Orders groups by the octets of their attribute sets: any order does, if it is the same whatever came first. */
export function compareSets({ groups, attributes }: DecisionTables, a: number, b: number): number {
  const [left, right] = [groups.attribute(a), groups.attribute(b)];
  if (left === right) return 0;
  const octets = (id: number): Uint8Array => {
    const from = attributes.offset(id);
    return attributes.bytes(id).subarray(from, from + attributes.length(id));
  };
  return compareOctets(octets(left), octets(right));
}

function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
