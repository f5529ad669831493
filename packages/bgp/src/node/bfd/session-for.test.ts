import { expect, test } from 'vitest';
import type { PeerConfig } from '../../core/config.ts';
import { parseSpeakerFile } from '../speaker-file.ts';
import { sessionFor } from './session-for.ts';

/** A peer of a speaker file with these fields. */
function peer(fields: string): PeerConfig {
  const text = `{asn: 65101, routerId: 10.0.0.5, peers: [{address: 10.1.0.1, asn: 65011, ${fields}}]}`;
  const [found] = parseSpeakerFile(text).peers;
  if (!found) throw new Error('no peer');
  return found;
}

const kind = (fields: string, device?: string): string => {
  const session = sessionFor(peer(fields), device);
  if (!session) return 'none';
  return session.multihop ? `multihop, TTL from ${session.minTtl ?? 'any'}` : 'single hop';
};

test('no session without bfd', () => {
  expect(kind('passive: true', 'eth1')).toBe('none');
});

test.each([
  ['bfd: {}', undefined, 'single hop'],
  ['ttl: 64, bfd: {}', 'eth1', 'single hop'],
  ['ttl: 64, bfd: {}', undefined, 'multihop, TTL from any'],
  ['ttl: 64, bfd: {minTtl: 250}', undefined, 'multihop, TTL from 250'],
  ['ttl: 64, bfd: {minTtl: 250}', 'eth1', 'single hop'],
  ['ttlSecurity: 1, bfd: {}', undefined, 'single hop'],
  ['ttlSecurity: 2, bfd: {}', undefined, 'multihop, TTL from any'],
  ['bfd: {multihop: true}', 'eth1', 'multihop, TTL from any'],
  ['ttl: 64, bfd: {multihop: false}', undefined, 'single hop'],
] as const)('%s on %s: %s', (fields, device, expected) => {
  expect(kind(fields, device)).toBe(expected);
});

test('300 ms, three times, unless the peer says otherwise', () => {
  expect(sessionFor(peer('bfd: {}'), 'eth1')?.settings).toEqual({
    transmitIntervalUs: 300_000,
    receiveIntervalUs: 300_000,
    detectMultiplier: 3,
    passive: false,
  });
  const own = 'bfd: {transmitMs: 50, receiveMs: 60, detectMultiplier: 5, passive: true}';
  expect(sessionFor(peer(own), 'eth1')?.settings).toEqual({
    transmitIntervalUs: 50_000,
    receiveIntervalUs: 60_000,
    detectMultiplier: 5,
    passive: true,
  });
});
