import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import { describe, expect, test } from 'vitest';
import {
  addressBytes,
  addressFromBigInt,
  addressFromBytes,
  addressToBigInt,
  compareAddresses,
  isAddress,
  isLinkLocal,
  parseAddress,
} from './address.ts';
import { familyOf } from './family.ts';
import { ParseError } from './parse-error.ts';

describe('text', () => {
  test.each([
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], // RFC 5952 section 4.2.3: the first of equal runs
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], // section 4.2.2: not for one group
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'], // section 4.2.3: the longest run
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ])('%s is %s', (text, canonical) => {
    expect(parseAddress(text)).toBe(canonical);
    expect(parseAddress(canonical)).toBe(canonical);
  });

  test.each([
    '',
    ' 10.0.0.1',
    '10.0.0.1\n',
    '10.0.0',
    '10.0.0.0.1',
    '10.0.0.256',
    '10.0.0.01', // octal to some, decimal to others
    '0x0a.0.0.1',
    '10.0.0.-1',
    '١.0.0.1', // digits that are not ASCII
    '1.2.3.4/32',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1::',
    ':1::2',
    '1::2:',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '[::1]',
    '::1.2.3',
    '::1.2.3.256',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    `${'0'.repeat(40)}::1`,
  ])('%j is refused', (text) => {
    expect(isAddress(text)).toBe(false);
    expect(() => parseAddress(text)).toThrow(ParseError);
  });

  test('the error says in one line what was wrong and what would be right', () => {
    expect(() => parseAddress('10.0.0.256')).toThrow(
      '"10.0.0.256" is not a valid IP address: expected an IPv4 or IPv6 address without a zone',
    );
  });
});

const octets = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Runs of zeros are what IPv6 text is about.
  fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }),
);

test('bytes, text and integers are the same address', () => {
  fc.assert(
    fc.property(octets, (some) => {
      const bytes = Uint8Array.from(some);
      const address = addressFromBytes(bytes);
      expect(parseAddress(address)).toBe(address);
      expect(addressBytes(address)).toEqual(bytes);
      expect(addressFromBigInt(familyOf(address), addressToBigInt(address))).toBe(address);
    }),
  );
});

test('the ip-address package reads and writes the same', () => {
  fc.assert(
    fc.property(octets, (some) => {
      const address = addressFromBytes(Uint8Array.from(some));
      const theirs = familyOf(address) === 'ipv4' ? new Address4(address) : new Address6(address);
      expect(theirs.correctForm()).toBe(address);
      expect(theirs.bigInt()).toBe(addressToBigInt(address));
      if (theirs instanceof Address6) {
        expect(parseAddress(theirs.canonicalForm())).toBe(address);
        expect(parseAddress(theirs.to4in6())).toBe(address);
      }
    }),
  );
});

/** Almost addresses: what people and programs get wrong. */
const nearly = fc
  .array(fc.constantFrom('0', '1', 'a', 'F', '25', '255', '256', '01', '.', '.', ':', ':', '::'), {
    minLength: 1,
    maxLength: 16,
  })
  .map((parts) => parts.join(''));

test('accepts what the ip-address package accepts, no more and no less', () => {
  fc.assert(
    fc.property(nearly, (text) => {
      const theirs = text.includes(':') ? Address6.isValid(text) : Address4.isValid(text);
      expect([text, isAddress(text)]).toEqual([text, theirs]);
    }),
    { numRuns: 5_000 },
  );
});

test('order is numeric, IPv4 first', () => {
  const texts = ['10.0.0.9', '10.0.0.10', '9.255.255.255', '::1', '::', 'ff00::'];
  expect(texts.map(parseAddress).toSorted(compareAddresses)).toEqual([
    '9.255.255.255',
    '10.0.0.9',
    '10.0.0.10',
    '::',
    '::1',
    'ff00::',
  ]);
});

test('link-local is 169.254.0.0/16 and fe80::/10', () => {
  const isIt = (text: string): boolean => isLinkLocal(parseAddress(text));
  expect(['169.254.1.1', 'fe80::1', 'febf::1'].map(isIt)).toEqual([true, true, true]);
  expect(['169.253.1.1', 'fec0::1', 'fe7f::1', '::1'].map(isIt)).toEqual(Array(4).fill(false));
});

test('numbers that are no address are a mistake of the caller', () => {
  expect(() => addressFromBytes(new Uint8Array(5))).toThrow(RangeError);
  expect(() => addressFromBigInt('ipv4', -1n)).toThrow(RangeError);
  expect(() => addressFromBigInt('ipv4', 1n << 32n)).toThrow(RangeError);
  expect(() => addressFromBigInt('ipv6', 1n << 128n)).toThrow(RangeError);
});
