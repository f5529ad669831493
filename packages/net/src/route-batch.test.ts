import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Family } from './family.ts';
import { parsePrefix, prefixFromBytes } from './prefix.ts';
import { packRoutes, type RouteChange, recordOctets, unpackRoutes } from './route-batch.ts';

const batch = (family: Family, records: Uint8Array<ArrayBuffer>) => {
  return { sequence: 1, family, nextHopSets: [], records, endOfRib: false };
};

test('a record is address, length, next-hop set in network order', () => {
  const records = packRoutes('ipv4', [
    { prefix: parsePrefix('10.65.0.0/26'), nextHopSet: 0x01020304 },
    { prefix: parsePrefix('0.0.0.0/0'), nextHopSet: 0 },
  ]);
  expect(Buffer.from(records).toString('hex')).toBe('0a4100001a01020304' + '000000000000000000');
});

const changes = (octets: 4 | 16) =>
  fc.array(
    fc.record({
      bytes: fc.uint8Array({ minLength: octets, maxLength: octets }),
      length: fc.nat(octets * 8),
      nextHopSet: fc.nat(0xffff_ffff),
    }),
  );

test.each([
  { family: 'ipv4', octets: 4 },
  { family: 'ipv6', octets: 16 },
] as const)('$family changes come back in order', ({ family, octets }) => {
  fc.assert(
    fc.property(changes(octets), (some) => {
      const routes: RouteChange[] = some.map(({ bytes, length, nextHopSet }) => {
        return { prefix: prefixFromBytes(bytes, length), nextHopSet };
      });
      const records = packRoutes(family, routes);
      expect(records).toHaveLength(recordOctets(family) * routes.length);
      expect([...unpackRoutes(batch(family, records))]).toEqual(routes);
    }),
  );
});

test('records may lie anywhere in a buffer', () => {
  const routes = [{ prefix: parsePrefix('fd65::/122'), nextHopSet: 7 }];
  const larger = new Uint8Array(100);
  larger.set(packRoutes('ipv6', routes), 13);
  const records = larger.subarray(13, 13 + recordOctets('ipv6'));
  expect([...unpackRoutes(batch('ipv6', records))]).toEqual(routes);
});

test('a batch has one family', () => {
  const ipv6 = [{ prefix: parsePrefix('fd65::/122'), nextHopSet: 7 }];
  const ipv4 = [{ prefix: parsePrefix('10.0.0.0/8'), nextHopSet: 7 }];
  expect(() => packRoutes('ipv4', ipv6)).toThrow(RangeError);
  expect(() => packRoutes('ipv6', ipv4)).toThrow(RangeError);
});
