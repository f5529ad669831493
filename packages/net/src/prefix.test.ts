import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import { describe, expect, test } from 'vitest';
import { addressFromBytes, parseAddress } from './address.ts';
import { familyOf } from './family.ts';
import { ParseError } from './parse-error.ts';
import {
  addressAt,
  comparePrefixes,
  contains,
  formatInterfaceAddress,
  hostPrefix,
  isHostPrefix,
  networkAddress,
  ordinalOf,
  overlaps,
  parseInterfaceAddress,
  parseLoosePrefix,
  parsePrefix,
  prefixBytes,
  prefixFromBytes,
  prefixLength,
  prefixOf,
  prefixSize,
  subnetAt,
  subnetCount,
} from './prefix.ts';

describe('text', () => {
  test.each([
    ['10.65.0.0/26', '10.65.0.0/26'],
    ['10.65.0.1', '10.65.0.1/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0::/122', '2001:db8::/122'],
    ['::1', '::1/128'],
    ['::ffff:10.0.0.0/104', '::ffff:a00:0/104'],
  ])('%s is %s', (text, canonical) => {
    expect(parsePrefix(text)).toBe(canonical);
    expect(parseLoosePrefix(text)).toBe(canonical);
  });

  test.each([
    ['10.1.0.1/24', '10.1.0.0/24'],
    ['10.1.0.1/31', '10.1.0.0/31'],
    ['10.1.0.129/25', '10.1.0.128/25'],
    ['255.255.255.255/0', '0.0.0.0/0'],
    ['2001:db8::1/64', '2001:db8::/64'],
  ])('%s has host bits: it is refused, or %s where that is taken', (text, canonical) => {
    expect(() => parsePrefix(text)).toThrow(`as in ${canonical}`);
    expect(parseLoosePrefix(text)).toBe(canonical);
  });

  test.each([
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '10.0.0.0/ 8',
    '10/8',
    '::/129',
    '/8',
    '',
  ])('%j is refused', (text) => {
    expect(() => parsePrefix(text)).toThrow(ParseError);
    expect(() => parseLoosePrefix(text)).toThrow(ParseError);
    expect(() => parseInterfaceAddress(text)).toThrow(ParseError);
  });

  test('host bits are refused with the prefix that was meant, and kept for an interface', () => {
    expect(() => parsePrefix('10.1.0.1/24')).toThrow(/as in 10\.1\.0\.0\/24$/);
    const address = parseInterfaceAddress('10.1.0.1/24');
    expect(address).toEqual({ address: '10.1.0.1', length: 24 });
    expect(formatInterfaceAddress(address)).toBe('10.1.0.1/24');
  });
});

const octets = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const cut = octets.chain((bytes) =>
  fc.record({ bytes: fc.constant(bytes), length: fc.nat(bytes.length * 8) }),
);

test('bytes and text are the same prefix', () => {
  fc.assert(
    fc.property(cut, ({ bytes, length }) => {
      const prefix = prefixFromBytes(bytes, length);
      expect(parsePrefix(prefix)).toBe(prefix);
      const binary = prefixBytes(prefix);
      expect(binary.family).toBe(familyOf(prefix));
      expect(prefixFromBytes(binary.octets, binary.length)).toBe(prefix);
      expect(prefixOf(addressFromBytes(bytes), length)).toBe(prefix);
    }),
  );
});

test('the ip-address package agrees on the network and on who is in it', () => {
  fc.assert(
    fc.property(cut, octets, ({ bytes, length }, other) => {
      const address = addressFromBytes(bytes);
      const [prefix, probe] = [prefixOf(address, length), addressFromBytes(other)];
      const oracle = familyOf(prefix) === 'ipv4' ? Address4 : Address6;
      const theirs = new oracle(`${address}/${length}`);
      expect(networkAddress(prefix)).toBe(theirs.startAddress().correctForm());
      if (familyOf(probe) === familyOf(prefix)) {
        const isInside = new oracle(probe).isInSubnet(theirs as Address4 & Address6);
        expect(contains(prefix, probe)).toBe(isInside);
      } else {
        expect(contains(prefix, probe)).toBe(false);
      }
    }),
  );
});

test('the octets given are copied, also those of a Buffer', () => {
  const packet = Buffer.from([10, 65, 0, 255, 1]);
  expect(prefixFromBytes(packet.subarray(0, 4), 24)).toBe('10.65.0.0/24');
  expect(packet).toEqual(Buffer.from([10, 65, 0, 255, 1]));
});

test('containment and overlap', () => {
  const [wide, narrow, other] = ['10.0.0.0/8', '10.65.0.0/26', '11.0.0.0/8'].map(parsePrefix);
  if (!wide || !narrow || !other) throw new Error('three prefixes');
  expect([contains(wide, narrow), contains(narrow, wide), contains(wide, wide)]).toEqual([
    true,
    false,
    true,
  ]);
  expect([overlaps(narrow, wide), overlaps(wide, other)]).toEqual([true, false]);
  expect(contains(parsePrefix('0.0.0.0/0'), parsePrefix('::/0'))).toBe(false);
});

test('addresses by number, and back', () => {
  const block = parsePrefix('10.65.0.64/26');
  expect(prefixSize(block)).toBe(64n);
  expect(addressAt(block, 0)).toBe('10.65.0.64');
  expect(addressAt(block, 63n)).toBe('10.65.0.127');
  expect(ordinalOf(block, parseAddress('10.65.0.127'))).toBe(63n);
  expect(() => addressAt(block, 64)).toThrow(RangeError);
  expect(() => addressAt(block, -1)).toThrow(RangeError);
  expect(() => addressAt(block, 0.5)).toThrow(RangeError);
  expect(() => ordinalOf(block, parseAddress('10.65.0.63'))).toThrow(RangeError);
  expect(prefixSize(parsePrefix('::/0'))).toBe(1n << 128n);
});

test('subnets by number', () => {
  const pool = parsePrefix('fd00:65::/48');
  expect(subnetCount(pool, 122)).toBe(1n << 74n);
  expect(subnetAt(pool, 122, 2n)).toBe('fd00:65::80/122');
  expect(subnetAt(pool, 122, (1n << 74n) - 1n)).toBe('fd00:65:0:ffff:ffff:ffff:ffff:ffc0/122');
  expect(() => subnetAt(pool, 122, 1n << 74n)).toThrow(RangeError);
  expect(subnetCount(pool, 47)).toBe(0n);
  expect(() => subnetCount(pool, 129)).toThrow(RangeError);
  expect(() => subnetCount(parsePrefix('10.0.0.0/8'), 40)).toThrow(RangeError);
});

test('host prefixes', () => {
  expect(hostPrefix(parseAddress('10.0.0.1'))).toBe('10.0.0.1/32');
  expect(hostPrefix(parseAddress('::1'))).toBe('::1/128');
  expect(isHostPrefix(parsePrefix('10.0.0.1'))).toBe(true);
  expect(isHostPrefix(parsePrefix('10.0.0.0/31'))).toBe(false);
  expect(prefixLength(parsePrefix('::/0'))).toBe(0);
});

test('order is by address, then shorter first', () => {
  const texts = ['10.0.0.0/16', '10.0.0.0/8', '9.0.0.0/8', '::/0', '0.0.0.0/0'];
  expect(texts.map(parsePrefix).toSorted(comparePrefixes)).toEqual([
    '0.0.0.0/0',
    '9.0.0.0/8',
    '10.0.0.0/8',
    '10.0.0.0/16',
    '::/0',
  ]);
});

test('lengths that do not fit are a mistake of the caller', () => {
  for (const length of [-1, 33, 1.5, Number.NaN]) {
    expect(() => prefixFromBytes(new Uint8Array(4), length)).toThrow(RangeError);
  }
  expect(() => prefixFromBytes(new Uint8Array(5), 8)).toThrow(RangeError);
});
