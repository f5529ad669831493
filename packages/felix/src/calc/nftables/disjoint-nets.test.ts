import {
  addressFromBigInt,
  isHostPrefix,
  overlaps,
  type Prefix,
  parsePrefix,
  prefixOf,
} from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DisjointNets } from './disjoint-nets.ts';

test('a prefix takes in what it contains, and gives it back', () => {
  const nets = new DisjointNets(['10.0.0.1', '10.0.1.0/24', '192.0.2.0/24']);
  expect(nets.change({ add: ['10.0.0.0/8'], remove: [] })).toMatchObject({
    add: ['10.0.0.0/8'],
    remove: ['10.0.0.1', '10.0.1.0/24'],
  });
  expect(nets.change({ add: ['10.0.1.7', '10.0.0.0/16'], remove: [] })).toMatchObject({
    add: [],
    remove: [],
  });
  expect(nets.elements()).toEqual(['10.0.0.0/8', '192.0.2.0/24']);
  expect(nets.change({ add: [], remove: ['10.0.0.0/8', '10.9.9.9'] })).toMatchObject({
    add: ['10.0.0.0/16'],
    remove: ['10.0.0.0/8'],
  });
  expect(nets.change({ add: ['fd00::/8'], remove: ['10.0.0.0/16'] })).toMatchObject({
    add: ['10.0.0.1', '10.0.1.0/24', 'fd00::/8'],
    remove: ['10.0.0.0/16'],
  });
});

test('what is removed and added again at once is no change', () => {
  const nets = new DisjointNets(['10.0.0.0/8', '10.1.0.0/16']);
  const change = nets.change({ add: ['10.0.0.0/8'], remove: ['10.0.0.0/8'] });
  expect(change).toMatchObject({ add: [], remove: [] });
});

/** Few addresses and many lengths: prefixes that contain each other. */
const member = fc
  .record({
    family: fc.constantFrom('ipv4' as const, 'ipv6' as const),
    bits: fc.integer({ min: 0, max: 15 }),
    length: fc.constantFrom(0, 1, 2, 3, 4, 8, 31, 32),
  })
  .map(({ family, bits, length }) => {
    const isV4 = family === 'ipv4';
    const high = BigInt(bits) << (isV4 ? 28n : 124n);
    const prefix = prefixOf(addressFromBigInt(family, high), isV4 || length < 31 ? length : 128);
    return isHostPrefix(prefix) ? (prefix.split('/')[0] ?? '') : prefix;
  });

const step = fc.record({
  add: fc.array(member, { maxLength: 6 }),
  remove: fc.array(member, { maxLength: 6 }),
});

const asPrefix = (text: string): Prefix => parsePrefix(text);

/** Members that no other one contains. */
function outermost(members: ReadonlySet<string>): string[] {
  return [...members].filter((one) =>
    [...members].every(
      (other) =>
        other === one ||
        !overlaps(asPrefix(other), asPrefix(one)) ||
        Number(asPrefix(other).split('/')[1]) > Number(asPrefix(one).split('/')[1]),
    ),
  );
}

test('after any steps the elements are the members that no other one contains, and the changes lead there', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const nets = new DisjointNets();
      const members = new Set<string>();
      const kernel = new Set<string>();
      for (const { add, remove } of steps) {
        const change = nets.change({ add, remove });
        for (const one of remove) members.delete(one);
        for (const one of add) members.add(one);
        for (const one of change.remove) expect(kernel.delete(one)).toBe(true);
        for (const one of change.add) {
          expect(kernel.has(one)).toBe(false);
          kernel.add(one);
        }
        const expected = outermost(members).toSorted();
        expect([...kernel].toSorted()).toEqual(expected);
        expect(nets.elements().toSorted()).toEqual(expected);
        expect(new DisjointNets(members).elements().toSorted()).toEqual(expected);
      }
    }),
  );
});
