import { expect, test } from 'vitest';
import { BgpError, CeaseSubcode, ErrorCode } from './bgp-error.ts';
import { endsForLong, hardReset, insideHardReset } from './hard-reset.ts';
import {
  communicationOf,
  decodeNotification,
  encodeCommunication,
  encodeNotification,
  notificationName,
} from './notification.ts';

const shutdown = new BgpError(
  {
    code: ErrorCode.Cease,
    subcode: CeaseSubcode.AdministrativeShutdown,
    data: encodeCommunication('noon'),
  },
  'stopped',
);

test('a Hard Reset carries code, subcode and data of what it wraps', () => {
  const octets = encodeNotification(hardReset(shutdown));
  expect(Buffer.from(octets).toString('hex')).toBe(
    `${'ff'.repeat(16)}001c030609${'0602046e6f6f6e'}`,
  );
  expect(hardReset(shutdown).reason).toBe('stopped');
});

test('names and the message of the operator are those of what it wraps', () => {
  const received = decodeNotification(encodeNotification(hardReset(shutdown)).subarray(19));
  expect(notificationName(received)).toBe('Cease/Hard Reset (Cease/Administrative Shutdown)');
  expect(communicationOf(received)).toBe('noon');
});

test.each([[[]], [[6]]])('one that wraps nothing: %j', (data) => {
  const empty = decodeNotification(Uint8Array.of(6, 9, ...data));
  expect(insideHardReset(empty)).toBeUndefined();
  expect(notificationName(empty)).toBe('Cease/Hard Reset');
  expect(communicationOf(empty)).toBeUndefined();
});

test('one inside another is named once, and looked into once', () => {
  const nested = decodeNotification(Uint8Array.of(6, 9, 6, 9, 6, 9, 6, 2));
  expect(notificationName(nested)).toBe('Cease/Hard Reset (Cease/Hard Reset)');
});

test('which Cease is for long: RFC 8538 section 5.1', () => {
  const subcodes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const forLong = subcodes.filter((subcode) => endsForLong({ code: ErrorCode.Cease, subcode }));
  expect(forLong).toEqual([1, 2, 3, 9, 10]);
  expect(endsForLong({ code: ErrorCode.HoldTimerExpired, subcode: 1 })).toBe(false);
});
