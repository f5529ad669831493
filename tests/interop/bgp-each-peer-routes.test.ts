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

const isThere = (text: string): boolean => /65101/.test(text) && !/"withdraw"/.test(text);

test.each(Object.entries({ FRR, GoBGP, OpenBGPD, ExaBGP }))(
  'it is given no prefix more than it may have, and one that waited when there is room: %s',
  async (_, start) => {
    await using net = await fabric();
    await using other = await start(net.leaf);
    const config = (...prefixes: readonly string[]) =>
      speakerConfig(leaf({ maxAdvertised: { ipv4: 1 } }), { originate: prefixes.map(parsePrefix) });
    await using speaker = await ours(net, config(...TWO));
    const has = async (): Promise<string[]> => {
      const texts = await Promise.all(TWO.map((prefix) => other.routeOf(prefix).catch(() => '')));
      return TWO.filter((_prefix, i) => isThere((texts[i] ?? '').replaceAll('\n', ' ')));
    };
    await until('it has one', async () => (await has()).length === 1);
    expect(peerOf(speaker, 'leaf').prefixesHeldBack.ipv4).toBe(1);
    const [first] = await has();
    await speaker.reconfigure(config(...TWO.filter((prefix) => prefix !== first)));
    await until('it has the other one', async () => {
      const now = await has();
      return now.length === 1 && now[0] !== first;
    });
    expect(peerOf(speaker, 'leaf').timesDropped).toBe(0);
  },
);

test.each(Object.entries({ GoBGP, OpenBGPD, ExaBGP }))(
  'our aggregate instead of what is inside it: %s',
  async (_, start) => {
    await using net = await fabric();
    await using other = await start(net.leaf);
    const aggregates = [{ prefix: parsePrefix('10.99.0.0/16'), summaryOnly: true }];
    const originate = TWO.map(parsePrefix);
    await using speaker = await ours(net, speakerConfig(leaf(), { originate, aggregates }));
    const shown = async (prefix: string) =>
      isThere((await other.routeOf(prefix).catch(() => '')).replaceAll('\n', ' '));
    await until('it has the aggregate', async () => await shown('10.99.0.0/16'));
    expect(peerOf(speaker, 'leaf').prefixesSent.ipv4).toBe(1);
    for (const prefix of TWO) expect(await shown(prefix)).toBe(false);
  },
);

test.each(Object.entries({ GoBGP, OpenBGPD, ExaBGP }))(
  'its extended communities pass through us: %s',
  async (_, start) => {
    await using net = await transit();
    await using bird = await startBird(net.right, RIGHT_BIRD);
    await using _other = await start(net.left, { offers: TWO, target: true });
    const config = speakerConfig(
      [peer('left', LEFT.theirs.ipv4), peer('right', RIGHT.theirs.ipv4, { asn: 3320 as Asn })],
      { role: 'router' },
    );
    await using speaker = await speakerIn(net.router, config, {
      engine: createRouteEngine(config),
    });
    speaker.setInterfaces(TRANSIT_INTERFACES);
    await until('BIRD has it', async () =>
      (await bird.birdc(`show route ${TWO[0]} all`)).includes('(rt, 65011, 7)'),
    );
  },
);

test.each(Object.entries({ GoBGP, OpenBGPD }))(
  'drained by us: GRACEFUL_SHUTDOWN on our routes, then Cease: %s',
  async (_, start) => {
    await using net = await fabric();
    await using other = await start(net.leaf);
    const originate = TWO.map(parsePrefix);
    await using speaker = await ours(net, speakerConfig(leaf(), { originate }));
    const [first = ''] = TWO;
    let text = '';
    const shows = async (pattern: RegExp): Promise<boolean> => {
      text = await other.routeOf(first).catch(String);
      return pattern.test(text);
    };
    await until('it has our route', async () => await shows(/65101/));
    speaker.drain('draining');
    await until(
      () => `the community is on it: ${text}`,
      async () => await shows(/planned-shut|65535:0\b|GRACEFUL_SHUTDOWN/),
    );
    speaker.drain('drained');
    await until('it has none', async () => !(await shows(/65101/)));
  },
);

/** Of BIRD on the right, in the AS of the peer on the left. */
const INTERNAL_BIRD = `
router id ${RIGHT.theirs.ipv4};
protocol device {}
protocol static { ipv4; route 10.98.1.0/24 blackhole; }
protocol bgp host {
  local ${RIGHT.theirs.ipv4} as 65011;
  neighbor ${RIGHT.ours.ipv4} as 65011;
  hold time 3; keepalive time 1; connect retry time 1; connect delay time 1; error wait time 1, 2;
  ipv4 { import all; export where source = RTS_STATIC; };
}
`;

test.each(Object.entries({ GoBGP, OpenBGPD }))(
  'a client of our reflection, beside BIRD: %s',
  async (_, start) => {
    await using net = await transit();
    await using bird = await startBird(net.right, INTERNAL_BIRD);
    await using other = await start(net.left, { us: 65011, offers: TWO });
    const client = { asn: 65011 as Asn, routeReflectorClient: true };
    const config = speakerConfig(
      [peer('left', LEFT.theirs.ipv4, client), peer('right', RIGHT.theirs.ipv4, client)],
      { asn: 65011 as Asn, role: 'reflector' },
    );
    await using speaker = await speakerIn(net.router, config, {
      engine: createRouteEngine(config),
    });
    speaker.setInterfaces(TRANSIT_INTERFACES);
    let text = '';
    await until(
      () => `BIRD has its route, and whose it is: ${text}`,
      async () => {
        text = await bird.birdc(`show route ${TWO[0]} all`);
        return text.includes('BGP.originator_id:') && text.includes('BGP.cluster_list:');
      },
    );
    await until('it has that of BIRD', async () =>
      (await other.routeOf('10.98.1.0/24').catch(() => '')).includes(RIGHT.theirs.ipv4),
    );
  },
);
