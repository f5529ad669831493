import { comparePrefixes, contains, hostPrefix, type Prefix, parseAddress } from '@overland/net';

/**
 * Those prefixes and addresses that no other of them holds: elements of an interval set must not overlap.
 *
 * @param members Of one IP version, as a state has them.
 */
export function disjoint(members: readonly string[]): string[] {
  const byPrefix = new Map(
    members.map((member) => [
      member.includes('/') ? (member as Prefix) : hostPrefix(parseAddress(member)),
      member,
    ]),
  );
  const kept: string[] = [];
  let last: Prefix | undefined;
  // What holds others comes before them.
  for (const prefix of [...byPrefix.keys()].toSorted(comparePrefixes)) {
    if (last !== undefined && contains(last, prefix)) continue;
    last = prefix;
    kept.push(byPrefix.get(prefix) ?? prefix);
  }
  return kept;
}
