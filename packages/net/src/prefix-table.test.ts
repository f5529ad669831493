import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { comparePrefixes, contains, type Prefix, parsePrefix, prefixFromBytes } from './prefix.ts';
import { PrefixTable } from './prefix-table.ts';

const table = (...texts: string[]) =>
  new PrefixTable(texts.map((text) => [parsePrefix(text), text] as const));

test('the longest match wins, whatever the order of insertion', () => {
  const routes = table('10.65.0.0/26', '0.0.0.0/0', '10.65.0.0/16', '10.65.0.5/32', '::/0');
  const match = (text: string) => routes.longestMatch(parseAddress(text))?.value;
  expect(match('10.65.0.5')).toBe('10.65.0.5/32');
  expect(match('10.65.0.6')).toBe('10.65.0.0/26');
  expect(match('10.65.0.64')).toBe('10.65.0.0/16');
  expect(match('10.66.0.0')).toBe('0.0.0.0/0');
  expect(match('255.255.255.255')).toBe('0.0.0.0/0');
  expect(match('fd00::1')).toBe('::/0');
});

test('a prefix matches itself and what contains it, never what it contains', () => {
  const routes = table('10.65.0.0/26');
  expect(routes.longestMatch(parsePrefix('10.65.0.0/26'))?.prefix).toBe('10.65.0.0/26');
  expect(routes.longestMatch(parsePrefix('10.65.0.32/27'))?.prefix).toBe('10.65.0.0/26');
  expect(routes.longestMatch(parsePrefix('10.65.0.0/25'))).toBeUndefined();
});

test('families do not meet: 0.0.0.0/0 is not ::/0, 10.0.0.0/8 is not a00::/8', () => {
  const routes = table('0.0.0.0/0', '10.0.0.0/8');
  expect(routes.longestMatch(parseAddress('a00::1'))).toBeUndefined();
  expect(routes.get(parsePrefix('::/0'))).toBeUndefined();
});

test('exact lookup sees no forks, and undefined is a value', () => {
  const routes = new PrefixTable<string | undefined>([
    [parsePrefix('10.0.0.0/16'), undefined],
    [parsePrefix('10.1.0.0/16'), 'b'],
  ]);
  expect(routes.has(parsePrefix('10.0.0.0/15'))).toBe(false);
  expect(routes.has(parsePrefix('10.0.0.0/16'))).toBe(true);
  expect(routes.get(parsePrefix('10.0.0.0/16'))).toBeUndefined();
  expect(routes.size).toBe(2);
  expect(routes.delete(parsePrefix('10.0.0.0/15'))).toBe(false);
});

test('everything in order, inside a prefix, and around an address', () => {
  const routes = table('fd00::/8', '10.1.0.0/16', '10.0.0.0/8', '10.0.0.0/16', '9.0.0.0/8');
  const all = [...routes].map(({ prefix }) => prefix);
  expect(all).toEqual(['9.0.0.0/8', '10.0.0.0/8', '10.0.0.0/16', '10.1.0.0/16', 'fd00::/8']);
  const inside = [...routes.covered(parsePrefix('10.0.0.0/8'))].map(({ prefix }) => prefix);
  expect(inside).toEqual(['10.0.0.0/8', '10.0.0.0/16', '10.1.0.0/16']);
  const around = [...routes.covering(parseAddress('10.1.2.3'))].map(({ prefix }) => prefix);
  expect(around).toEqual(['10.0.0.0/8', '10.1.0.0/16']);
});

/** Prefixes with few different bits, so that they nest, meet and collide; and some at the word borders. */
const prefixes = fc
  .record({
    octets: fc.oneof(
      fc.tuple(...Array.from({ length: 4 }, () => fc.constantFrom(0, 1, 0x80, 0xff))),
      fc.tuple(...Array.from({ length: 16 }, () => fc.constantFrom(0, 0, 0, 1, 0x80, 0xff))),
    ),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ octets, share }): Prefix => {
    return prefixFromBytes(Uint8Array.from(octets), Math.round(share * octets.length * 8));
  });

const commands = fc.array(
  fc.record({ verb: fc.constantFrom('set', 'set', 'delete'), prefix: prefixes, value: fc.nat() }),
  { maxLength: 60 },
);

test('behaves as a Map with a linear search', () => {
  fc.assert(
    fc.property(commands, fc.array(prefixes, { minLength: 1 }), (steps, probes) => {
      const real = new PrefixTable<number>();
      const model = new Map<Prefix, number>();
      for (const { verb, prefix, value } of steps) {
        if (verb === 'set') {
          real.set(prefix, value);
          model.set(prefix, value);
        } else {
          expect(real.delete(prefix)).toBe(model.delete(prefix));
        }
        expect(real.size).toBe(model.size);
      }
      const sorted = [...model].toSorted(([a], [b]) => comparePrefixes(a, b));
      const entries = sorted.map(([prefix, value]) => ({ prefix, value }));
      expect([...real]).toEqual(entries);
      for (const probe of [...probes, ...model.keys()]) {
        const around = entries.filter(({ prefix }) => contains(prefix, probe));
        expect(real.get(probe)).toBe(model.get(probe));
        expect(real.has(probe)).toBe(model.has(probe));
        expect([...real.covering(probe)]).toEqual(around);
        expect(real.longestMatch(probe)).toEqual(around.at(-1));
        expect([...real.covered(probe)]).toEqual(
          entries.filter(({ prefix }) => contains(probe, prefix)),
        );
      }
    }),
  );
});

test('space of what was deleted is used again', () => {
  const routes = new PrefixTable<number>();
  const some = Array.from({ length: 5_000 }, (_, i) =>
    prefixFromBytes(Uint8Array.of(10, i >> 8, i & 0xff, 0), 24),
  );
  for (let round = 0; round < 4; round++) {
    for (const [i, prefix] of some.entries()) routes.set(prefix, i);
    expect(routes.size).toBe(5_000);
    expect(routes.longestMatch(parseAddress('10.0.7.1'))?.value).toBe(7);
    for (const prefix of some) expect(routes.delete(prefix)).toBe(true);
    expect([...routes]).toEqual([]);
  }
});
