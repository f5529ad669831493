import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from '../../../test/vectors/bfd.json' with { type: 'json' };
import {
  CONTROL_OCTETS,
  decodeControlPacket,
  diagnosticText,
  encodeControlPacket,
  SESSION_STATES,
} from './control-packet.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('vectors', () => {
  test.each(vectors.valid)('takes: $name ($source)', ({ hex, packet }) => {
    expect(decodeControlPacket(bytes(hex))).toMatchObject(packet);
  });

  test.each(vectors.valid)('writes the same octets: $name', ({ hex }) => {
    const decoded = decodeControlPacket(bytes(hex));
    if (typeof decoded === 'string') throw new Error(decoded);
    expect(encodeControlPacket(decoded)).toEqual(
      new Uint8Array(bytes(hex).subarray(0, CONTROL_OCTETS)),
    );
  });

  test.each(vectors.invalid)('discards: $name ($source)', ({ hex, reason }) => {
    expect(decodeControlPacket(bytes(hex))).toBe(reason);
  });
});

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const packets = fc.record({
  diagnostic: fc.integer({ min: 0, max: 31 }),
  state: fc.constantFrom(...SESSION_STATES),
  poll: fc.boolean(),
  final: fc.boolean(),
  controlPlaneIndependent: fc.boolean(),
  demand: fc.boolean(),
  detectMultiplier: fc.integer({ min: 1, max: 255 }),
  myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
  yourDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
  desiredMinTxUs: u32,
  requiredMinRxUs: u32,
  requiredMinEchoRxUs: u32,
});

test('what was written is read', () => {
  fc.assert(
    fc.property(packets, (packet) => {
      expect(decodeControlPacket(encodeControlPacket(packet))).toEqual(packet);
    }),
  );
});

test('any octets are a packet or have a reason', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
      const decoded = decodeControlPacket(octets);
      if (typeof decoded !== 'string') expect(decoded.myDiscriminator).toBeGreaterThan(0);
    }),
  );
});

test('diagnostics in words; an unknown one by its number', () => {
  expect([0, 1, 3, 7, 31].map(diagnosticText)).toEqual([
    'ok',
    'control detection time expired',
    'neighbor signaled session down',
    'administratively down',
    'diagnostic 31',
  ]);
});
