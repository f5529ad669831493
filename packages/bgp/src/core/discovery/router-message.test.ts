import { parseAddress } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from '../../../test/vectors/router-discovery.json' with { type: 'json' };
import { decodeRouterMessage, encodeAdvertisement, encodeSolicitation } from './router-message.ts';

const octets = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 7);

describe('packets', () => {
  test.each(vectors.valid)('reads: $name ($source)', ({ hex: packet, message }) => {
    expect(decodeRouterMessage(octets(packet))).toEqual(message);
  });

  test.each(vectors.invalid)('discards: $name ($source)', ({ hex: packet }) => {
    expect(decodeRouterMessage(octets(packet))).toBeUndefined();
  });
});

test('an advertisement has a lifetime, the lowest preference and the link-layer address', () => {
  expect(hex(encodeAdvertisement(1800, MAC))).toBe(
    '860000004018070800000000000000000101020000000007',
  );
});

test('a solicitation has the link-layer address, if it is one of Ethernet', () => {
  expect(hex(encodeSolicitation(MAC))).toBe('85000000000000000101020000000007');
  expect(hex(encodeSolicitation(new Uint8Array(0)))).toBe('8500000000000000');
});

/** A packet as the kernel makes it. Written apart from the decoder. */
function packet(message: Uint8Array, source: string): Uint8Array {
  const header = [0x60, 0, 0, 0, message.length >> 8, message.length & 255, 58, 255];
  const addresses = [source, 'ff02::1'].flatMap((text) => {
    const address = parseAddress(text);
    const groups = address.split('::').map((part) => part.split(':').filter(Boolean));
    const zeros = Array<string>(8 - groups.flat().length).fill('0');
    return [...(groups[0] ?? []), ...zeros, ...(groups[1] ?? [])].map((group) =>
      Number.parseInt(group, 16),
    );
  });
  const words = [...addresses, message.length, 58];
  for (let i = 0; i < message.length; i += 2)
    words.push(((message[i] ?? 0) << 8) | (message[i + 1] ?? 0));
  const sum = words.reduce((total, word) => (total + word) % 0xffff, 0);
  const checked = Uint8Array.from(message);
  new DataView(checked.buffer).setUint16(2, 0xffff - sum);
  return Uint8Array.from([
    ...header,
    ...addresses.flatMap((word) => [word >> 8, word & 255]),
    ...checked,
  ]);
}

test('what is sent is read, whatever the lifetime; one octet changed, and it is not', () => {
  fc.assert(
    fc.property(
      fc.nat(0xffff),
      fc.nat(63),
      fc.integer({ min: 1, max: 255 }),
      (lifetimeSeconds, at, change) => {
        const sent = packet(encodeAdvertisement(lifetimeSeconds, MAC), 'fe80::1');
        const source = parseAddress('fe80::1');
        expect(decodeRouterMessage(sent)).toEqual({
          type: 'advertisement',
          source,
          lifetimeSeconds,
        });
        // Traffic class and flow label may be anything.
        if (at >= 1 && at <= 3) return;
        sent[at] = (sent[at] ?? 0) ^ change;
        if (at === 0 && change < 16) return;
        expect(decodeRouterMessage(sent)).toBeUndefined();
      },
    ),
  );
});

test('any octets are a message or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      expect(() => decodeRouterMessage(noise)).not.toThrow();
    }),
  );
});
