import type { PeerConfig } from '@overland/bgp';
import { type Asn, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { EACH_PEER } from './support/each-peer.ts';
import { fabric, THEIRS } from './support/fabric.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const { FRR, GoBGP, OpenBGPD, ExaBGP } = EACH_PEER;
const leaf = (change: Partial<PeerConfig> = {}) => [peer('leaf', THEIRS.ipv4, change)];

test.each(Object.entries({ GoBGP, OpenBGPD }))(
  'both dial at once, and the session outlives two hold times: %s',
  async (_, start) => {
    await using net = await fabric();
    await using speaker = await speakerIn(net.host, speakerConfig(leaf()));
    await using _peer = await start(net.leaf);
    await established(speaker, 'leaf');
    await until(
      'two hold times have passed',
      () => (peerOf(speaker, 'leaf').upDownSeconds ?? 0) > 6,
    );
    expect(peerOf(speaker, 'leaf')).toMatchObject({ state: 'Established', timesDropped: 0 });
  },
);

test.each(Object.entries({ GoBGP, OpenBGPD, ExaBGP }))(
  'the hold time is the lower one, ours or theirs: %s',
  async (_, start) => {
    for (const [ours, theirs] of [
      [3, 9],
      [9, 3],
    ] as const) {
      await using net = await fabric();
      await using _peer = await start(net.leaf, { hold: theirs });
      await using speaker = await speakerIn(net.host, speakerConfig(leaf({ holdSeconds: ours })));
      await established(speaker, 'leaf');
      expect(peerOf(speaker, 'leaf').session).toMatchObject({
        holdSeconds: 3,
        keepaliveSeconds: 1,
      });
    }
  },
);

test.each(Object.entries({ FRR, OpenBGPD }))(
  'a peer without capabilities gets a session for IPv4: %s',
  async (_, start) => {
    await using net = await fabric();
    await using _peer = await start(net.leaf, { plain: true });
    await using speaker = await speakerIn(net.host, speakerConfig(leaf()));
    await established(speaker, 'leaf');
    expect(peerOf(speaker, 'leaf').session).toMatchObject({
      families: ['ipv4'],
      fourOctetAs: false,
    });
  },
);

test('extended optional parameters of FRR are read; it then takes no others itself', async () => {
  await using net = await fabric();
  await using _peer = await FRR(net.leaf, { extendedParameters: true });
  await using speaker = await speakerIn(net.host, speakerConfig(leaf()));
  await until('we confirm its OPEN', () => peerOf(speaker, 'leaf').sent.keepalive > 0);
  await until(
    'it refuses ours',
    () => peerOf(speaker, 'leaf').lastError === 'received OPEN Message Error',
  );
  expect(peerOf(speaker, 'leaf').sent.notification).toBe(0);
});

test.each(Object.entries({ FRR, GoBGP, OpenBGPD, ExaBGP }))(
  'the wrong AS number is refused, by us and by them: %s',
  async (_, start) => {
    await using net = await fabric();
    {
      await using _peer = await start(net.leaf);
      const peers = leaf({ asn: 65012 as Asn });
      await using speaker = await speakerIn(net.host, speakerConfig(peers));
      await until('we refuse', () => peerOf(speaker, 'leaf').sent.notification > 0);
      expect(peerOf(speaker, 'leaf').lastError).toBe(
        'sent OPEN Message Error/Bad Peer AS: AS 65011 instead of 65012',
      );
    }
    await using _peer = await start(net.leaf, { us: 65102 });
    await using speaker = await speakerIn(net.host, speakerConfig(leaf()));
    await until(
      () => `it refuses: ${JSON.stringify(peerOf(speaker, 'leaf'))}`,
      () => peerOf(speaker, 'leaf').lastError?.includes('received OPEN Message Error/Bad Peer AS'),
    );
  },
);

test.each(Object.entries({ GoBGP, OpenBGPD, ExaBGP }))(
  'GTSM, whoever dials: %s',
  async (_, start) => {
    for (const passive of [true, false]) {
      await using net = await fabric();
      await using _peer = await start(net.leaf, { gtsm: true });
      const peers = leaf({ ttl: 255, minTtl: 255, passive });
      await using speaker = await speakerIn(net.host, speakerConfig(peers));
      await established(speaker, 'leaf');
    }
  },
);

test.each(Object.entries({ GoBGP, OpenBGPD, ExaBGP }))(
  'it dials into a listen range of ours, with TCP-MD5: %s',
  async (_, start) => {
    await using net = await fabric();
    const { name: _name, address: _address, ...settings } = peer('', THEIRS.ipv4);
    const password = { value: 's3cret' };
    const range = {
      prefix: parsePrefix('10.1.0.0/31'),
      limit: 1,
      peer: { ...settings, asn: 'external', passive: true, password } as const,
    };
    await using speaker = await speakerIn(net.host, speakerConfig([], { listenRanges: [range] }));
    await using _peer = await start(net.leaf, { key: 's3cret' });
    await until('it is there', () =>
      speaker.summary().peers.some(({ state }) => state === 'Established'),
    );
    expect(speaker.summary().peers).toMatchObject([{ name: THEIRS.ipv4, asn: 65011 }]);
  },
);

test.each(Object.entries({ GoBGP, OpenBGPD }))(
  'we dial into a range of theirs: %s',
  async (_, start) => {
    await using net = await fabric();
    await using _peer = await start(net.leaf, { range: true });
    await using speaker = await speakerIn(net.host, speakerConfig(leaf()));
    await established(speaker, 'leaf');
  },
);
