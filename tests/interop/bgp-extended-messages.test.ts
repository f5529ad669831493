import { createRouteEngine } from '@overland/bgp';
import { type Family, type Prefix, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { type Bird, startBird } from './support/bird.ts';
import { API, startExabgp } from './support/exabgp.ts';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const;
/** Prefixes of each family and side: 16 kB as NLRI of IPv4, 28 kB of IPv6. */
const COUNT = 4000;

const many = (family: Family, side: number): Prefix[] =>
  Array.from({ length: COUNT }, (_, i) =>
    parsePrefix(
      family === 'ipv4'
        ? `10.${100 + 20 * side + (i >> 8)}.${i & 255}.0/24`
        : `fd00:${side}:${i.toString(16)}::/48`,
    ),
  );

const MAX_ORDINARY_OCTETS = 4096;
/** ExaBGP takes its time to tell of thousands of prefixes. */
const AGAIN_MS = 3000;

/** Our speaker, with as many routes, that knows the peer on both families; and the longest message that it has packed. */
async function ours(net: Awaited<ReturnType<typeof fabric>>, extendedMessages: boolean) {
  const peers = FAMILIES.map((family) =>
    peer(`leaf-${family}`, THEIRS[family], { extendedMessages }),
  );
  const originate = FAMILIES.flatMap((family) => many(family, 1));
  const config = speakerConfig(peers, { originate });
  const engine = createRouteEngine(config);
  const packed = { longest: 0 };
  const nextUpdate = engine.nextUpdate.bind(engine);
  engine.nextUpdate = (...args) => {
    const octets = nextUpdate(...args);
    packed.longest = Math.max(packed.longest, octets);
    return octets;
  };
  const speaker = await speakerIn(net.host, config, { engine });
  speaker.setInterfaces(INTERFACES);
  return {
    speaker,
    packed,
    /** At first routes leave as they are chosen, few at a time; sent again, they are all there. */
    sendAgain: () => {
      for (const family of FAMILIES) speaker.operator.clear(`leaf-${family}`, 'out');
    },
    [Symbol.asyncDispose]: () => speaker[Symbol.asyncDispose](),
  };
}

type Ours = Awaited<ReturnType<typeof ours>>;
type Speaker = Ours['speaker'];

async function packsLongMessages({ packed, sendAgain }: Ours): Promise<void> {
  await until('a long message is packed', () => {
    if (packed.longest <= MAX_ORDINARY_OCTETS) sendAgain();
    return packed.longest > MAX_ORDINARY_OCTETS;
  });
}

/** All routes are there. @returns UPDATEs received of each family; End-of-RIB is one of them. */
async function exchanged(speaker: Speaker, count = COUNT): Promise<{ received: number[] }> {
  for (const family of FAMILIES) {
    const name = `leaf-${family}`;
    await until(
      () => `the routes are there: ${JSON.stringify(peerOf(speaker, name))}`,
      () => peerOf(speaker, name).prefixesReceived[family] === count,
    );
    await until('ours are sent', () => peerOf(speaker, name).prefixesSent[family] === COUNT);
  }
  return { received: FAMILIES.map((family) => peerOf(speaker, `leaf-${family}`).received.update) };
}

/** Of 4096 octets it would be at least four, and End-of-RIB. */
const FEW = 4;

/** The first of BIRD's, which gets attributes that fit no message of 4096 octets: BIRD packs 256 prefixes at most. */
const HEAVY = { ipv4: many('ipv4', 2)[0] ?? '', ipv6: many('ipv6', 2)[0] ?? '' };

function birdConfig(session: string): string {
  const heavy = Array.from({ length: 1500 }, (_, i) => `bgp_community.add((65011,${i}));`).join(
    ' ',
  );
  const routes = (family: Family): string =>
    many(family, 2)
      .map((prefix) => `route ${prefix} blackhole;`)
      .join(' ');
  const protocol = (family: Family): string => `
protocol static { ${family}; ${routes(family)} }
protocol bgp on_${family} {
  local ${THEIRS[family]} as 65011;
  neighbor ${OURS[family]} as 65101;
  hold time 3; keepalive time 1; connect retry time 1; connect delay time 1; error wait time 1, 3;
  ${session}
  ${family} { import all; export filter {
    if source != RTS_STATIC then reject;
    if net = ${HEAVY[family]} then { ${heavy} }
    accept;
  }; };
}`;
  return `router id 10.0.0.1;\nprotocol device {}\n${FAMILIES.map(protocol).join('\n')}`;
}

async function birdHasAll(bird: Bird): Promise<void> {
  for (const family of FAMILIES) {
    await until(`BIRD has all of ${family}`, async () =>
      new RegExp(`Routes: +${COUNT} imported`).test(
        await bird.birdc(`show protocols all on_${family}`),
      ),
    );
  }
}

test('BIRD: long messages both ways', async () => {
  await using net = await fabric();
  await using bird = await startBird(net.leaf, birdConfig('enable extended messages on;'));
  await using us = await ours(net, true);
  await exchanged(us.speaker);
  await packsLongMessages(us);
  await birdHasAll(bird);
});

test('BIRD: none where only one side says so', async () => {
  for (const [session, isOn] of [
    ['enable extended messages on;', false],
    ['', true],
  ] as const) {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig(session));
    await using us = await ours(net, isOn);
    await exchanged(us.speaker, COUNT - 1);
    us.sendAgain();
    await birdHasAll(bird);
    expect(us.packed.longest).toBeLessThanOrEqual(MAX_ORDINARY_OCTETS);
  }
});

test('FRR, which always announces them: long messages both ways', async () => {
  await using net = await fabric();
  const networks = (family: Family): string =>
    many(family, 2)
      .map((prefix) => `  network ${prefix}`)
      .join('\n');
  await using frr = await startFrr(
    net.leaf,
    `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 1 3
${FAMILIES.map((family) => ` neighbor ${OURS[family]} remote-as 65101\n neighbor ${OURS[family]} timers connect 1`).join('\n')}
${FAMILIES.map((family) => ` address-family ${family} unicast\n${networks(family)}\n  neighbor ${OURS[family]} activate\n exit-address-family`).join('\n')}
`,
  );
  await using us = await ours(net, true);
  const { received } = await exchanged(us.speaker);
  expect(Math.max(...received)).toBeLessThanOrEqual(FEW);
  await packsLongMessages(us);
  for (const family of FAMILIES) {
    await until(`FRR has all of ${family}`, async () =>
      (await frr.vtysh(`show bgp ${family} unicast summary json`)).includes(`"pfxRcd":${COUNT}`),
    );
  }
});

test('ExaBGP takes our long messages', async () => {
  await using net = await fabric();
  const neighbour = (family: Family): string => `
neighbor ${OURS[family]} {
  router-id ${THEIRS.ipv4};
  local-address ${THEIRS[family]};
  local-as 65011;
  peer-as 65101;
  hold-time 3;
  family { ${family} unicast; }
  capability { asn4 enable; extended-message enable; }
  api { processes [ ${API} ]; neighbor-changes; receive { parsed; update; } }
}`;
  await using exabgp = await startExabgp(net.leaf, neighbour('ipv4') + neighbour('ipv6'));
  await using us = await ours(net, true);
  await established(us.speaker, 'leaf-ipv4', 'leaf-ipv6');
  await packsLongMessages(us);
  for (const family of FAMILIES) {
    const [first = '', last = ''] = [many(family, 1)[0], many(family, 1).at(-1)];
    // One line for each message.
    let again = performance.now() + AGAIN_MS;
    await until(
      () => `ExaBGP has all of ${family} in one message: ${exabgp.log}`,
      async () => {
        if (performance.now() > again) {
          us.sendAgain();
          again = performance.now() + AGAIN_MS;
        }
        const lines = (await exabgp.heard()).split('\n');
        return lines.some((text) => text.includes(`"${first}"`) && text.includes(`"${last}"`));
      },
    );
  }
});
