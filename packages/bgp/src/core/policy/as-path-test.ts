import { type AsPathField, asPathLength, countAs } from '../wire/as-path.ts';
import { readU32 } from '../wire/attribute-set.ts';
import type { AsPathMatch } from './route-filter.ts';

const AS_SET = 1;

/** Whether a path meets the conditions. */
export function asPathTest(match: AsPathMatch): (path: AsPathField) => boolean {
  const { beginsWith = [], endsWith = [], contains = [], minLength, maxLength } = match;
  const min = minLength ?? 0;
  const max = maxLength ?? Number.POSITIVE_INFINITY;
  const needsLength = min > 0 || max !== Number.POSITIVE_INFINITY || endsWith.length > 0;
  return (path) => {
    if (!contains.every((asn) => countAs(path, asn) > 0)) return false;
    if (!matchesAt(path, 0, beginsWith)) return false;
    if (!needsLength) return true;
    const length = asPathLength(path);
    if (length < min || length > max) return false;
    return length >= endsWith.length && matchesAt(path, length - endsWith.length, endsWith);
  };
}

/** Whether the places of a path from `place` on are `asns`. A set is one place, and is each number that it has. */
function matchesAt({ bytes, from, to }: AsPathField, place: number, asns: readonly number[]) {
  let at = from;
  let here = 0;
  let matched = 0;
  while (at < to && matched < asns.length) {
    const isSet = bytes[at] === AS_SET;
    const count = bytes[at + 1] ?? 0;
    const end = at + 2 + 4 * count;
    for (at += 2; at < end && matched < asns.length; at += 4) {
      if (here >= place) {
        const wanted = asns[matched] ?? 0;
        if (isSet ? !has(bytes, at, end, wanted) : readU32(bytes, at) !== wanted) return false;
        matched += 1;
      }
      here += 1;
      if (isSet) break;
    }
    at = end;
  }
  return matched === asns.length;
}

function has(bytes: Uint8Array, from: number, to: number, asn: number): boolean {
  for (let at = from; at < to; at += 4) if (readU32(bytes, at) === asn) return true;
  return false;
}
