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
    const text = communicationOf(notification);
    expect(notificationName(notification)).toBe(vector.words);
    expect(text && Buffer.from(text).toString()).toBe(vector.communication);
  });

  test.each(vectors.valid)('writes back: $name', ({ hex }) => {
    const body = bytes(hex);
    const whole = encodeNotification(decodeNotification(body));
    expect(Buffer.from(whole.subarray(HEADER_OCTETS))).toEqual(body);
  });
});

test('a long message is cut at the end of a character', () => {
  const data = encodeCommunication(Buffer.from(`${'x'.repeat(254)}é and more`));
  expect(data[0]).toBe(254);
  expect(Buffer.from(data.subarray(1)).toString()).toBe('x'.repeat(254));
});

test('a message of exactly 255 octets is whole', () => {
  expect(encodeCommunication(Buffer.from('y'.repeat(255)))).toHaveLength(256);
});
