import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { localPeer, localSpeaker, until } from '../../test/support/local-speaker.ts';
import type { ListenRange, SpeakerConfig } from '../core/config.ts';

let port = 21_000;

function range(prefix: string, limit: number, change: Partial<ListenRange['peer']> = {}) {
  const { name: _name, address: _address, ...peer } = localPeer('127.0.0.2');
  return {
    prefix: parsePrefix(prefix),
    limit,
    peer: { ...peer, asn: 'external' as const, ...change },
  };
}

/** A speaker with ranges, on a port of its own. */
function ranged(listenRanges: readonly ListenRange[], change: Partial<SpeakerConfig> = {}) {
  port += 1;
  return localSpeaker(port, { listenRanges, ...change });
}

test('peers come and go, each with the AS number that it tells, up to a limit', async () => {
  await using local = await ranged([range('127.0.1.0/24', 2)]);
  const { speaker } = local;
  using first = await local.establish('127.0.1.1', { asn: 65001 });
  using second = await local.establish('127.0.1.2', { asn: 4_200_000_002 });
  expect(speaker.summary()).toMatchObject({
    peers: [
      { name: '127.0.1.1', range: '127.0.1.0/24', asn: 65001 },
      { name: '127.0.1.2', range: '127.0.1.0/24', asn: 4_200_000_002 },
    ],
    listenRanges: [{ prefix: '127.0.1.0/24', peers: 2, limit: 2 }],
  });
  using third = await local.dial('127.0.1.3');
  await until('there is no room for a third', () => third.isClosed);
  expect(third.received).toEqual([]);
  using stranger = await local.dial('127.0.2.1');
  await until('an address outside is a stranger', () => stranger.isClosed);
  expect(speaker.summary().connectionsRefused).toBe(2);

  first.close();
  await until('it is forgotten', () => speaker.summary().peers.length === 1);
  using instead = await local.establish('127.0.1.3', { asn: 65003 });
  expect([second.isClosed, instead.isClosed]).toEqual([false, false]);
});

test('an AS number that is ours, or in no list, is refused', async () => {
  const listed = range('127.0.2.0/24', 9, { asn: [65001, 65002] as never });
  await using local = await ranged([range('127.0.1.0/24', 9), listed]);
  for (const [from, asn] of [
    ['127.0.1.1', 65101],
    ['127.0.2.1', 65003],
  ] as const) {
    using peer = await local.dial(from);
    peer.open({ asn });
    await until('it is closed', () => peer.isClosed);
    expect(peer.received).toEqual(['open', 'notification 2/2']);
  }
  using _listed = await local.establish('127.0.2.2', { asn: 65002 });
});

test('a peer that restarts finds its routes, and its place, again', async () => {
  await using local = await ranged([range('127.0.1.0/24', 1)]);
  const first = await local.establish('127.0.1.1', { restart: true });
  first.update(announcement());
  await until('it has a route', () => routes(local) === '1 held, 0 stale');
  first.close();
  await until('the route is stale', () => routes(local) === '1 held, 1 stale');
  using other = await local.dial('127.0.1.2');
  await until('its place is not given away', () => other.isClosed);
  await until('it may come again', () => local.stateOf('127.0.1.1') === 'Active');
  using _again = await local.establish('127.0.1.1', { restart: true });
  expect(local.speaker.summary().peers[0]).toMatchObject({ timesEstablished: 2, timesDropped: 1 });
});

test('who fails is kept waiting, and forgotten after that', async () => {
  await using local = await ranged([range('127.0.1.0/24', 9)]);
  using peer = await local.dial('127.0.1.1');
  peer.open();
  peer.update(new Uint8Array(4));
  await until('it is closed', () => peer.isClosed);
  expect(local.stateOf('127.0.1.1')).toBe('Idle');
  using soon = await local.dial('127.0.1.1');
  await until('that was too soon', () => soon.isClosed);
  await until('it is forgotten', () => local.stateOf('127.0.1.1') === undefined);
  using _later = await local.establish('127.0.1.1');
});

test('connections that say nothing give way, the oldest first', async () => {
  await using local = await ranged([range('127.0.1.0/24', 2)]);
  using _session = await local.establish('127.0.1.1');
  using silent = await local.dial('127.0.1.2');
  await until('it is greeted', () => silent.received.includes('open'));
  using _other = await local.establish('127.0.1.3');
  expect(silent.received).toEqual(['open', 'notification 6/8']);
});

test('a change of the range is a change of its peers, and one that is configured stays', async () => {
  await using local = await ranged([range('127.0.1.0/24', 9)]);
  using named = await local.establish('127.0.1.1');
  using kept = await local.establish('127.0.1.2');
  const peers = [localPeer('127.0.1.1', { name: 'own', asn: 'external' })];
  await local.reconfigure({ peers, listenRanges: [range('127.0.1.0/25', 1)] });
  expect(local.speaker.summary().peers).toMatchObject([
    { name: 'own', range: null, state: 'Established' },
    { name: '127.0.1.2', range: '127.0.1.0/25', state: 'Established' },
  ]);
  await local.reconfigure({ peers });
  await until('the range is gone', () => kept.isClosed);
  expect(kept.received.at(-1)).toBe('notification 6/3');
  expect(named.isClosed).toBe(false);
});

/** 198.51.100.0/24, with an AS_PATH of the peer. */
function announcement(): Uint8Array {
  const attributes = [0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xf3, 0x40, 3, 4, 127, 0, 1, 1];
  return Uint8Array.from([0, 0, 0, attributes.length, ...attributes, 24, 198, 51, 100]);
}

function routes({ speaker }: Awaited<ReturnType<typeof ranged>>): string {
  const [peer] = speaker.summary().peers;
  return `${peer?.prefixesReceived.ipv4} held, ${peer?.prefixesStale.ipv4} stale`;
}
