import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import type { BfdPeer } from './bfd-peer.ts';
import { DesiredSessions } from './desired-sessions.ts';

const peer = (address: string, transmitIntervalUs = 300_000): BfdPeer => ({
  peer: parseAddress(address),
  multihop: false,
  settings: {
    transmitIntervalUs,
    receiveIntervalUs: 300_000,
    detectMultiplier: 3,
    passive: false,
  },
});

const addresses = (desired: DesiredSessions): string[] => desired.peers.map(({ peer }) => peer);

test('a declaration replaces the one before', () => {
  const desired = new DesiredSessions();
  desired.declare('agent', [peer('10.0.0.1'), peer('10.0.0.2')]);
  desired.declare('agent', [peer('10.0.0.2')]);
  expect(addresses(desired)).toEqual(['10.0.0.2']);
});

test('a session that two want is one, with the settings of the first, and stays for the second', () => {
  const desired = new DesiredSessions();
  desired.declare('agent', [peer('10.0.0.1', 50_000)]);
  desired.declare('file', [peer('10.0.0.1', 900_000)]);
  expect(desired.peers.map(({ settings }) => settings.transmitIntervalUs)).toEqual([50_000]);
  desired.declare('agent', []);
  expect(desired.peers.map(({ settings }) => settings.transmitIntervalUs)).toEqual([900_000]);
});

test('who has left is waited for, not longer than that', () => {
  const desired = new DesiredSessions();
  desired.declare('agent', [peer('10.0.0.1')]);
  desired.left('agent', 120);
  expect(desired.expire(119)).toBe(120);
  expect(addresses(desired)).toEqual(['10.0.0.1']);
  expect(desired.expire(120)).toBeUndefined();
  expect(addresses(desired)).toEqual([]);
});

test('who is back in time keeps its sessions', () => {
  const desired = new DesiredSessions();
  desired.declare('agent', [peer('10.0.0.1')]);
  desired.left('agent', 120);
  desired.declare('agent', [peer('10.0.0.1')]);
  expect(desired.expire(1000)).toBeUndefined();
  expect(addresses(desired)).toEqual(['10.0.0.1']);
  expect([...desired.keysOf('agent')]).toEqual(['10.0.0.1']);
});
