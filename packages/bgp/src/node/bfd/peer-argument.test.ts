import { expect, test } from 'vitest';
import { parsePeerArgument } from './peer-argument.ts';

test('an address alone: single hop, 300 ms, three times', () => {
  expect(parsePeerArgument('10.1.0.1')).toEqual({
    peer: '10.1.0.1',
    multihop: false,
    settings: {
      transmitIntervalUs: 300_000,
      receiveIntervalUs: 300_000,
      detectMultiplier: 3,
      passive: false,
    },
  });
});

test('everything', () => {
  const text = 'fe80::1%eth1,tx=50,rx=60,multiplier=5,passive,local=fe80::2';
  expect(parsePeerArgument(text)).toEqual({
    peer: 'fe80::1',
    device: 'eth1',
    localAddress: 'fe80::2',
    multihop: false,
    settings: {
      transmitIntervalUs: 50_000,
      receiveIntervalUs: 60_000,
      detectMultiplier: 5,
      passive: true,
    },
  });
  expect(parsePeerArgument('10.9.9.9,multihop,min-ttl=250')).toMatchObject({
    multihop: true,
    minTtl: 250,
  });
});

test.each([
  ['', 'is not a valid'],
  ['10.1.0.1,fast', 'unknown option fast'],
  ['10.1.0.1,tx=5', 'tx in 10.1.0.1,tx=5 must be a whole number from 10 to 60000'],
  ['10.1.0.1,multiplier', 'multiplier in'],
  ['10.1.0.1,min-ttl=250', 'is for multihop'],
  ['fe80::1', 'name the interface'],
])('refuses %j', (text, reason) => {
  expect(() => parsePeerArgument(text)).toThrow(reason);
});
