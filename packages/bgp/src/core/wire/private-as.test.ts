import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PrivateAsMode } from '../config.ts';
import { type AsPathField, asNumbers, describeAsPath, isAsPath } from './as-path.ts';
import { isPrivateAs, writeWithoutPrivateAs } from './private-as.ts';

type Segment = readonly ['sequence' | 'set', ...number[]];

const RULE = { localAsn: 65_000, peerAsn: 65_002 };

function pathOf(segments: readonly Segment[]): AsPathField {
  const octets = segments.flatMap(([type, ...asns]) => [
    type === 'set' ? 1 : 2,
    asns.length,
    ...asns.flatMap((asn) => [asn >>> 24, (asn >>> 16) & 255, (asn >>> 8) & 255, asn & 255]),
  ]);
  // Not at the start of its array.
  return { bytes: Uint8Array.of(9, 9, ...octets), from: 2, to: 2 + octets.length, width: 4 };
}

function rewritten(mode: PrivateAsMode, ...segments: readonly Segment[]): Segment[] {
  const path = pathOf(segments);
  const bytes = new Uint8Array(path.to - path.from);
  const to = writeWithoutPrivateAs(path, { mode, ...RULE }, bytes);
  const result = { bytes, from: 0, to, width: 4 } as const;
  expect(isAsPath(bytes, 0, to, 4)).toBe(true);
  return describeAsPath(result).map(({ type, asns }): Segment => [type, ...asns]);
}

test('which AS numbers are private: RFC 6996 section 5', () => {
  const edges = [64511, 64512, 65534, 65535, 4199999999, 4200000000, 4294967294, 4294967295];
  expect(edges.filter(isPrivateAs)).toEqual([64512, 65534, 4200000000, 4294967294]);
});

test('remove leaves a path alone that has a public AS number', () => {
  const mixed: Segment = ['sequence', 65_001, 3356, 65_003];
  expect(rewritten('remove', mixed)).toEqual([mixed]);
  expect(rewritten('remove', ['sequence', 65_001, 4_200_000_000], ['set', 65_003])).toEqual([]);
});

test('all takes them out wherever they are; segments without any left go', () => {
  expect(
    rewritten('all', ['sequence', 65_001, 3356, 65_003], ['set', 65_004], ['set', 65_005, 174]),
  ).toEqual([
    ['sequence', 3356],
    ['set', 174],
  ]);
});

test('replace keeps the length of the path', () => {
  expect(rewritten('replace', ['sequence', 65_001, 3356, 65_003], ['set', 65_004])).toEqual([
    ['sequence', 65_000, 3356, 65_000],
    ['set', 65_000],
  ]);
});

test('the AS number of the peer stays', () => {
  for (const mode of ['remove', 'all', 'replace'] as const) {
    expect(rewritten(mode, ['sequence', 65_002])).toEqual([['sequence', 65_002]]);
  }
});

test('what all leaves is what is not private, in order, for any path', () => {
  const asn = fc.oneof(fc.integer({ min: 64_500, max: 65_540 }), fc.integer({ min: 1, max: 9 }));
  const segment = fc
    .tuple(fc.constantFrom('sequence' as const, 'set' as const), fc.array(asn, { minLength: 1 }))
    .map(([type, asns]): Segment => [type, ...asns]);
  fc.assert(
    fc.property(fc.array(segment), (segments) => {
      const left = rewritten('all', ...segments).flatMap(([, ...asns]) => asns);
      const all = asNumbers(pathOf(segments));
      expect(left).toEqual(all.filter((n) => !isPrivateAs(n) || n === RULE.peerAsn));
    }),
  );
});
