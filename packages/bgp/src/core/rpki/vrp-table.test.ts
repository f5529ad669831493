import { ADDRESS_BITS, type Family, type Prefix, parsePrefix, prefixBytes } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type OriginState, type Vrp, VrpTable } from './vrp-table.ts';

function wordsOf(prefix: Prefix): Int32Array {
  const { octets } = prefixBytes(prefix);
  const view = new DataView(octets.buffer, octets.byteOffset);
  return Int32Array.from({ length: octets.length / 4 }, (_, i) => view.getInt32(4 * i));
}

function vrp(text: string, maxLengthBits: number, asn: number): Vrp {
  const prefix = parsePrefix(text);
  const { family, length } = prefixBytes(prefix);
  return { family, words: wordsOf(prefix), lengthBits: length, maxLengthBits, asn };
}

function stateOf(table: VrpTable, text: string, origin: number): OriginState {
  const prefix = parsePrefix(text);
  // Words may stand anywhere in an array.
  const words = Int32Array.of(7, ...wordsOf(prefix));
  return table.state(words, 1, prefixBytes(prefix).length, origin);
}

function tableOf(family: Family, ...vrps: readonly Vrp[]): VrpTable {
  const table = new VrpTable(family);
  for (const one of vrps) expect(table.add(one)).toBe(true);
  return table;
}

test('valid, invalid and not found (RFC 6811)', () => {
  const table = tableOf(
    'ipv4',
    vrp('10.0.0.0/16', 24, 65001),
    vrp('10.0.0.0/16', 16, 65002),
    vrp('10.0.128.0/20', 20, 0),
    vrp('0.0.0.0/0', 0, 65009),
  );
  expect(stateOf(table, '10.0.0.0/16', 65001)).toBe('valid');
  expect(stateOf(table, '10.0.0.0/24', 65001)).toBe('valid');
  expect(stateOf(table, '10.0.0.0/25', 65001)).toBe('invalid');
  expect(stateOf(table, '10.0.0.0/16', 65002)).toBe('valid');
  expect(stateOf(table, '10.0.1.0/24', 65002)).toBe('invalid');
  expect(stateOf(table, '10.0.128.0/20', 65001)).toBe('valid');
  expect(stateOf(table, '10.0.0.0/16', 65003)).toBe('invalid');
  expect(stateOf(table, '0.0.0.0/0', 65009)).toBe('valid');
  const without = tableOf('ipv4', vrp('10.0.0.0/16', 24, 65001));
  expect(stateOf(without, '10.0.0.0/15', 65001)).toBe('not-found');
  expect(stateOf(without, '11.0.0.0/24', 65001)).toBe('not-found');
});

test('AS 0 forbids, and a path without origin is never valid', () => {
  const table = tableOf('ipv4', vrp('10.0.0.0/8', 32, 0));
  expect(stateOf(table, '10.0.0.0/8', 0)).toBe('invalid');
  expect(stateOf(table, '10.1.0.0/16', 65001)).toBe('invalid');
});

test('IPv6, with lengths that differ in any word', () => {
  const table = tableOf(
    'ipv6',
    vrp('2001:db8::/32', 48, 4_200_000_000),
    vrp('2001:db8:0:1::/64', 64, 65001),
    vrp('2001:db8:0:1:8000::1/128', 128, 65002),
  );
  expect(stateOf(table, '2001:db8:ffff::/48', 4_200_000_000)).toBe('valid');
  expect(stateOf(table, '2001:db8:0:1::/64', 65001)).toBe('valid');
  expect(stateOf(table, '2001:db8:0:1:8000::1/128', 65002)).toBe('valid');
  expect(stateOf(table, '2001:db8:0:1:8000::1/128', 65001)).toBe('invalid');
  expect(stateOf(table, '2001:db9::/32', 65001)).toBe('not-found');
});

test('what is listed is what is there, a page at a time', () => {
  const all = Array.from({ length: 50 }, (_, i) => vrp(`10.0.${i}.0/24`, 24 + (i % 8), 65000 + i));
  const table = tableOf('ipv4', ...all);
  expect(table.add(all[3] as Vrp)).toBe(false);
  expect(table.remove(all[3] as Vrp)).toBe(true);
  expect(table.remove(all[3] as Vrp)).toBe(false);
  expect(table.size).toBe(49);
  const first = table.list(1, 20);
  const rest = table.list(first.next ?? 0, 100);
  expect(rest.next).toBeUndefined();
  const listed = [...first.vrps, ...rest.vrps];
  expect(listed).toHaveLength(49);
  expect(listed).toContainEqual({ prefix: '10.0.9.0/24', maxLength: 25, asn: 65009 });
});

/** RFC 6811 section 2, read as it is written. */
function naiveState(vrps: readonly Vrp[], words: Int32Array, length: number, origin: number) {
  const covering = vrps.filter(
    (one) => one.lengthBits <= length && sameBits(one.words, words, one.lengthBits),
  );
  if (covering.length === 0) return 'not-found';
  const isMatch = (one: Vrp): boolean =>
    length <= one.maxLengthBits && one.asn === origin && origin !== 0;
  return covering.some(isMatch) ? 'valid' : 'invalid';
}

function sameBits(a: Int32Array, b: Int32Array, bits: number): boolean {
  const text = (words: Int32Array): string =>
    Array.from(words, (word) => (word >>> 0).toString(2).padStart(32, '0')).join('');
  return text(a).slice(0, bits) === text(b).slice(0, bits);
}

test.each(['ipv4', 'ipv6'] as const)('%s: like the RFC, as VRPs come and go', (family) => {
  const width = ADDRESS_BITS[family];
  // Few bits that differ, at both ends of each word: prefixes that lie in each other are common.
  const words = fc.array(fc.constantFrom(0, 1, 0x8000_0000 | 0, 0xc000_0001 | 0), {
    minLength: width / 32,
    maxLength: width / 32,
  });
  const masked = fc.tuple(words, fc.integer({ min: 0, max: width })).map(([each, length]) => ({
    lengthBits: length,
    words: Int32Array.from(each, (word, i) => {
      const bits = Math.max(0, Math.min(32, length - 32 * i));
      return bits === 0 ? 0 : word & (-1 << (32 - bits));
    }),
  }));
  const asn = fc.integer({ min: 0, max: 3 });
  const change = fc
    .tuple(masked, asn, fc.integer({ min: 0, max: 4 }), fc.boolean())
    .map(([prefix, origin, more, announce]) => ({
      announce,
      vrp: {
        family,
        ...prefix,
        maxLengthBits: Math.min(width, prefix.lengthBits + more),
        asn: origin,
      },
    }));
  const key = (one: Vrp): string =>
    [...one.words, one.lengthBits, one.maxLengthBits, one.asn].join();
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), masked, asn, (changes, asked, origin) => {
      const table = new VrpTable(family);
      const model = new Map<string, Vrp>();
      for (const { announce, vrp: one } of changes) {
        const isThere = model.has(key(one));
        if (announce) {
          expect(table.add(one)).toBe(!isThere);
          model.set(key(one), one);
        } else expect(table.remove(one)).toBe(model.delete(key(one)));
      }
      expect(table.size).toBe(model.size);
      const state = table.state(asked.words, 0, asked.lengthBits, origin);
      expect(state).toBe(naiveState([...model.values()], asked.words, asked.lengthBits, origin));
    }),
    { numRuns: 300 },
  );
});
