import { type Asn, parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { peerConfig, speaker as speakerConfig } from '../../../test/machine-script.ts';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import { peerChanges } from './peer-changes.ts';

/** Each name has an address of its own. */
const peer = (name: string, change: Partial<PeerConfig> = {}): PeerConfig => ({
  ...peerConfig,
  name,
  address: parseAddress(`192.0.2.${name.charCodeAt(0)}`),
  ...change,
});

const speaker = (peers: PeerConfig[], change: Partial<SpeakerConfig> = {}): SpeakerConfig => ({
  ...speakerConfig,
  peers,
  ...change,
});

const NAME = /^192\.0\.2\.(\d+) .*$/;

/** `a:reopened b:kept`. */
function summary(before: SpeakerConfig, after: SpeakerConfig): string {
  const { removed, added, reopened, kept } = peerChanges(before, after);
  return [
    ...removed
      .map((key) => String.fromCharCode(Number(NAME.exec(key)?.[1])))
      .map((name) => `${name}:removed`),
    ...added.map(({ name }) => `${name}:added`),
    ...reopened.map(({ name }) => `${name}:reopened`),
    ...kept.map(({ name }) => `${name}:kept`),
  ].join(' ');
}

test('at first everything is added', () => {
  expect(summary(speaker([]), speaker([peer('a'), peer('b')]))).toBe('a:added b:added');
});

test('only what differs is touched', () => {
  const before = speaker([peer('a'), peer('b'), peer('c')]);
  const after = speaker([peer('b', { asn: 65012 as Asn }), peer('c'), peer('d')]);
  expect(summary(before, after)).toBe('a:removed d:added b:reopened c:kept');
});

test.each<[string, Partial<PeerConfig>, string]>([
  ['asn', { asn: 65012 as Asn }, 'reopened'],
  ['ttl', { ttl: 64 }, 'reopened'],
  ['extendedMessages', { extendedMessages: true }, 'reopened'],
  ['bindInterface', { bindInterface: 'eth1' }, 'reopened'],
  ['localAsn', { localAsn: 65000 as Asn }, 'reopened'],
  ['families', { families: ['ipv4'] }, 'reopened'],
  ['the order of families', { families: ['ipv6', 'ipv4'] }, 'kept'],
  ['description', { description: 'rack 1' }, 'kept'],
  ['holdSeconds', { holdSeconds: 30 }, 'kept'],
  ['allowAsIn', { allowAsIn: 1 }, 'kept'],
  ['addPath', { addPath: { receive: true } }, 'reopened'],
  ['addPath that asks for nothing', { addPath: { receive: false } }, 'kept'],
])('a new value of %s', (_, change, expected) => {
  expect(summary(speaker([peer('a')]), speaker([peer('a', change)]))).toBe(`a:${expected}`);
});

test('a new router id or AS number reopens, but not where localAsn hides it', () => {
  const before = speaker([peer('a'), peer('b', { localAsn: 65001 as Asn })]);
  const routerId = parseAddress('10.0.0.6');
  expect(summary(before, { ...before, routerId })).toBe('a:reopened b:reopened');
  expect(summary(before, { ...before, asn: 65102 as Asn })).toBe('a:reopened b:kept');
});

test('what is originated touches no session', () => {
  const before = speaker([peer('a')]);
  expect(summary(before, { ...before, role: 'router', originate: [] })).toBe('a:kept');
});

test.each<[string, Partial<PeerConfig>]>([
  ['address', { address: parseAddress('192.0.2.3') }],
  ['port', { port: 1790 }],
  ['localAddress', { localAddress: parseAddress('192.0.2.0') }],
])('another %s is another peer', (_, change) => {
  const { removed, added } = peerChanges(speaker([peer('a')]), speaker([peer('a', change)]));
  expect([removed.length, added.length]).toEqual([1, 1]);
});

test('a new name is no new peer', () => {
  const renamed = { ...peer('a'), name: 'leaf11' };
  expect(summary(speaker([peer('a')]), speaker([renamed]))).toBe('leaf11:kept');
});

test('one link-local address on two interfaces is two peers', () => {
  const address = parseAddress('fe80::1');
  const on = (device: string) => peer('a', { address, interface: device });
  const { removed, added } = peerChanges(speaker([on('eth1')]), speaker([on('eth1'), on('eth2')]));
  expect([removed, added.map(({ interface: device }) => device)]).toEqual([[], ['eth2']]);
});

test('an unnumbered peer stays one, and its session begins anew where it is heard', () => {
  const at = (text: string) =>
    peer('a', { address: parseAddress(text), interface: 'eth1', unnumbered: true });
  expect(summary(speaker([at('fe80::2')]), speaker([at('fe80::1')]))).toBe('a:reopened');
  expect(summary(speaker([at('fe80::1')]), speaker([at('fe80::1')]))).toBe('a:kept');
  // Found, and lost: there is no session that could end.
  expect(summary(speaker([at('::')]), speaker([at('fe80::1')]))).toBe('a:kept');
  expect(summary(speaker([at('fe80::1')]), speaker([at('::')]))).toBe('a:kept');
});
