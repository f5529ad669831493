import { createRouteEngine, type PeerConfig, type SpeakerConfig } from '@overland/bgp';
import { type Asn, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { startBird } from './support/bird.ts';
import { EACH_PEER } from './support/each-peer.ts';
import { fabric, INTERFACES, THEIRS } from './support/fabric.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { LEFT, RIGHT, TRANSIT_INTERFACES, transit } from './support/transit.ts';
import { until } from './support/until.ts';

const { BIRD, FRR, GoBGP, OpenBGPD, ExaBGP } = EACH_PEER;
const ALL = Object.entries(EACH_PEER);
const TWO = ['10.99.1.0/24', '10.99.2.0/24'];

const leaf = (change: Partial<PeerConfig> = {}) => [peer('leaf', THEIRS.ipv4, change)];

/** Our speaker on the link of `fabric`, with a real route engine. */
async function ours(net: Awaited<ReturnType<typeof fabric>>, config: SpeakerConfig) {
  const speaker = await speakerIn(net.host, config, { engine: createRouteEngine(config) });
  speaker.setInterfaces(INTERFACES);
  return speaker;
}

test.each(ALL)('more prefixes than we take of it: Cease/1, and down: %s', async (_, start) => {
  await using net = await fabric();
  await using _peer = await start(net.leaf, { offers: TWO });
  const limit = {
    most: { ipv4: 1 },
    warningPercent: 75,
    action: 'stop',
    restartSeconds: 1,
  } as const;
  const config = speakerConfig(leaf({ maxPrefixes: limit }));
  await using speaker = await ours(net, config);
  await until('it is down', () => peerOf(speaker, 'leaf').prefixLimitReached);
  expect(peerOf(speaker, 'leaf')).toMatchObject({
    state: 'Idle',
    lastError: 'sent Cease/Maximum Number of Prefixes Reached: more than 1 IPv4 prefixes',
  });
  await speaker.reconfigure(speakerConfig(leaf()));
  await established(speaker, 'leaf');
});

test.each(Object.entries({ GoBGP, OpenBGPD }))(
  'more prefixes than it takes of us: we are told so: %s',
  async (_, start) => {
    await using net = await fabric();
    await using _peer = await start(net.leaf, { limit: 1 });
    const originate = TWO.map(parsePrefix);
    await using speaker = await ours(net, speakerConfig(leaf(), { originate }));
    await until(
      () => `it ends the session: ${JSON.stringify(peerOf(speaker, 'leaf'))}`,
      () => peerOf(speaker, 'leaf').timesDropped > 0,
    );
    expect(peerOf(speaker, 'leaf').lastError).toContain(
      'received Cease/Maximum Number of Prefixes Reached',
    );
  },
);

test.each(ALL)(
  'a default route for it alone, as long as it is configured: %s',
  async (_, start) => {
    await using net = await fabric();
    await using other = await start(net.leaf);
    const config = speakerConfig(leaf({ defaultOriginate: true }));
    await using speaker = await ours(net, config);
    const shown = async () =>
      (await other.routeOf('0.0.0.0/0').catch(() => '')).replaceAll('\n', ' ');
    await until('it has the route', async () => (await shown()).includes('65101'));
    await speaker.reconfigure(speakerConfig(leaf()));
    await until(
      'it has none',
      async () => !(await shown()).includes('65101') || (await shown()).includes('"withdraw"'),
    );
    expect(peerOf(speaker, 'leaf').timesDropped).toBe(0);
  },
);

test.each(Object.entries({ BIRD, FRR, GoBGP, ExaBGP }))(
  'our own AS number in what it offers, refused or allowed: %s',
  async (_, start) => {
    await using net = await fabric();
    await using _peer = await start(net.leaf, { offers: TWO, loop: true });
    const config = speakerConfig(leaf());
    await using speaker = await ours(net, config);
    await until('they are refused', () => peerOf(speaker, 'leaf').refused['as-path-loop'] === 2);
    expect(peerOf(speaker, 'leaf').prefixesReceived.ipv4).toBe(0);
    await speaker.reconfigure(speakerConfig(leaf({ allowAsIn: 1 })));
    await until('they are taken', () => peerOf(speaker, 'leaf').prefixesReceived.ipv4 === 2);
    expect(peerOf(speaker, 'leaf').timesDropped).toBe(0);
  },
);

/** Of BIRD on the right: a path that ends in the AS of the peer on the left, and one with a private AS in it. */
const RIGHT_BIRD = `
router id ${RIGHT.theirs.ipv4};
protocol device {}
protocol static { ipv4; route 10.98.1.0/24 blackhole; route 10.98.2.0/24 blackhole; }
protocol bgp host {
  local ${RIGHT.theirs.ipv4} as 3320;
  neighbor ${RIGHT.ours.ipv4} as 65101;
  hold time 3; keepalive time 1; connect retry time 1; connect delay time 1; error wait time 1, 2;
  ipv4 { import all; export filter {
    if source != RTS_STATIC then reject;
    if net = 10.98.1.0/24 then bgp_path.prepend(65011); else bgp_path.prepend(64999);
    accept;
  }; };
}
`;

test.each(ALL)('AS override, and private AS numbers removed: %s', async (_, start) => {
  await using net = await transit();
  await using _bird = await startBird(net.right, RIGHT_BIRD);
  await using other = await start(net.left);
  const config = (change: Partial<PeerConfig>) =>
    speakerConfig(
      [
        peer('left', LEFT.theirs.ipv4, change),
        peer('right', RIGHT.theirs.ipv4, { asn: 3320 as Asn }),
      ],
      { role: 'router' },
    );
  const first = config({ asOverride: true });
  await using speaker = await speakerIn(net.router, first, { engine: createRouteEngine(first) });
  speaker.setInterfaces(TRANSIT_INTERFACES);
  await established(speaker, 'left', 'right');
  let text = '';
  const path = async (prefix: string): Promise<string> => {
    text = await other.routeOf(prefix).catch(String);
    return text.match(/\b65101(?:,? \d+)*/)?.[0].replaceAll(',', '') ?? '';
  };
  await until(
    () => `our AS number stands in for its own: ${text}`,
    async () => (await path('10.98.1.0/24')) === '65101 3320 65101',
  );
  await until(
    'the other is as it was',
    async () => (await path('10.98.2.0/24')) === '65101 3320 64999',
  );
  await speaker.reconfigure(config({ removePrivateAs: 'all' }));
  await until('private ones are gone', async () => (await path('10.98.2.0/24')) === '65101 3320');
  expect(peerOf(speaker, 'left').timesDropped).toBe(0);
});
