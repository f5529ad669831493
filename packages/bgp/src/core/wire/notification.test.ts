import { describe, expect, test } from 'vitest';
import vectors from '../../../test/vectors/notification.json' with { type: 'json' };
import { HEADER_OCTETS } from './header.ts';
import {
  communicationOf,
  decodeNotification,
  encodeCommunication,
  encodeNotification,
  notificationName,
} from './notification.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('vectors', () => {
  test.each(vectors.valid)('reads: $name ($source)', (vector) => {
    const notification = decodeNotification(bytes(vector.hex));
    expect(notificationName(notification)).toBe(vector.words);
    expect(communicationOf(notification)).toBe(vector.communication);
  });

  test.each(vectors.valid)('writes back: $name', ({ hex }) => {
    const body = bytes(hex);
    const whole = encodeNotification(decodeNotification(body));
    expect(Buffer.from(whole.subarray(HEADER_OCTETS))).toEqual(body);
  });
});

test('a long message is cut at the end of a character', () => {
  const data = encodeCommunication(`${'x'.repeat(254)}é and more`);
  expect(data[0]).toBe(254);
  expect(Buffer.from(data.subarray(1)).toString()).toBe('x'.repeat(254));
});

test('a message of exactly 255 octets is whole', () => {
  expect(encodeCommunication('y'.repeat(255))).toHaveLength(256);
});

test.each([
  ['plain', 'maintenance, back at 18:00', 'maintenance, back at 18:00'],
  ['beyond ASCII', 'Wartung – 保守 🛠', 'Wartung – 保守 🛠'],
  [
    'control characters and bidirectional overrides',
    'a\n\u001b[31mb\u202ec',
    'a\ufffd\ufffd[31mb\ufffdc',
  ],
])('a message of the operator, %s', (_, text, shown) => {
  const data = encodeCommunication(text);
  expect(communicationOf({ code: 6, subcode: 2, data })).toBe(shown);
});

test('a message that is not UTF-8 is not shown', () => {
  const data = Uint8Array.of(2, 0xc3, 0x28);
  expect(communicationOf({ code: 6, subcode: 2, data })).toBeUndefined();
});
