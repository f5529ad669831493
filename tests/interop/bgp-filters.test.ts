import { createRouteEngine, type RouteFilter, type SpeakerConfig } from '@overland/bgp';
import type { Speaker } from '@overland/bgp/node';
import { type Asn, type Family, parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { type Bird, startBird } from './support/bird.ts';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const BIRD_CONFIG = `
router id 10.0.0.1;
protocol device {}
protocol static {
  ipv4;
  route 10.99.1.0/24 blackhole { bgp_community.add((65000, 1)); };
  route 10.99.2.0/24 blackhole { bgp_large_community.add((65000, 1, 2)); };
  route 10.99.3.0/24 blackhole;
}
protocol static { ipv6; route fd00:99::/64 blackhole; route fd00:98::/64 blackhole; }
${(['ipv4', 'ipv6'] as const)
  .map(
    (family) => `
protocol bgp on_${family} {
  local ${THEIRS[family]} as 65011;
  neighbor ${OURS[family]} as 65101;
  hold time 9; connect retry time 1; connect delay time 1; error wait time 1, 3;
  ${family} { import all; export where source = RTS_STATIC; };
}`,
  )
  .join('')}
`;

/** In a subnet on BIRD's link that we are not in. */
const ELSEWHERE = parseAddress('10.1.9.9');
const REJECT = { action: 'reject' } as const;

/** By communities, by prefix, and by what follows. */
const IMPORT: RouteFilter = {
  name: 'import',
  rules: [
    { match: { communities: { anyOf: ['65000:1'] } }, ...REJECT },
    { match: { communities: { anyOf: ['65000:1:2'] } }, action: 'accept', set: { localPref: 200 } },
    { match: { prefix: { prefix: parsePrefix('fd00:98::/32'), operator: 'in' } }, ...REJECT },
  ],
};
const EXPORT: RouteFilter = {
  name: 'export',
  rules: [
    { match: { prefix: { prefix: parsePrefix('10.65.1.0/26'), operator: 'equal' } }, ...REJECT },
    { family: 'ipv4', action: 'continue', set: { nextHop: ELSEWHERE } },
    {
      match: { isLearned: false },
      action: 'accept',
      set: {
        communities: { add: ['65000:7', '4200000000:1:2'] },
        prepend: [65_009 as Asn, 65_010 as Asn],
        med: 50,
        linkBandwidth: 25e9,
      },
    },
  ],
};

function configOf(importRules: readonly string[], exportRules: readonly string[]): SpeakerConfig {
  const filters = { importFilters: importRules, exportFilters: exportRules };
  const peers = [
    peer('leaf4', THEIRS.ipv4, { holdSeconds: 9, ...filters }),
    peer('leaf6', THEIRS.ipv6, { holdSeconds: 9, ...filters }),
  ];
  return speakerConfig(peers, {
    filters: [IMPORT, EXPORT, { name: 'nothing', rules: [REJECT] }],
    originate: ['10.65.0.0/26', '10.65.1.0/26', 'fd00:65::/122'].map(parsePrefix),
  });
}

/** Prefixes of BIRD that can be used, with their LOCAL_PREF. */
async function usable(speaker: Speaker, family: Family): Promise<string[]> {
  const page = await speaker.operator.routes({ family, limit: 100 });
  const routes = 'routes' in page ? page.routes : [];
  return routes.flatMap(({ prefix, paths }) =>
    paths.some((path) => path.peer !== null && path.usable)
      ? [`${prefix} ${paths.find((path) => path.usable)?.localPref ?? 100}`]
      : [],
  );
}

/** What BIRD has from us of one family. */
async function given(bird: Bird, family: Family): Promise<string[]> {
  const text = await bird.birdc(`show route protocol on_${family}`);
  return [...text.matchAll(/^(\S+\/\d+)/gm)].map(([prefix]) => prefix).toSorted();
}

test('BIRD sees what the filters leave, and a change of filters needs no new session', async () => {
  await using net = await fabric();
  await net.leaf.ip('address', 'add', '10.1.9.1/24', 'dev', 'eth1');
  await using bird = await startBird(net.leaf, BIRD_CONFIG);
  const config = configOf(['import'], ['export']);
  await using speaker = await speakerIn(net.host, config, { engine: createRouteEngine(config) });
  speaker.setInterfaces(INTERFACES);
  await established(speaker, 'leaf4', 'leaf6');

  await until('IPv4 is here', async () => (await usable(speaker, 'ipv4')).length === 2);
  await until('IPv6 is here', async () => (await usable(speaker, 'ipv6')).length === 1);
  expect(await usable(speaker, 'ipv4')).toEqual(['10.99.2.0/24 200', '10.99.3.0/24 100']);
  expect(await usable(speaker, 'ipv6')).toEqual(['fd00:99::/64 100']);

  await until('BIRD has ours', async () => (await given(bird, 'ipv4')).length > 0);
  expect(await given(bird, 'ipv4')).toEqual(['10.65.0.0/26']);
  const route = await bird.birdc('show route 10.65.0.0/26 all');
  expect(route).toMatch(/BGP\.as_path: 65101 65009 65010$/m);
  expect(route).toMatch(/BGP\.med: 50$/m);
  expect(route).toContain(`BGP.next_hop: ${ELSEWHERE}`);
  // 3.125e9 octets per second as IEEE 754 are 0x4f3a43b7.
  expect(route).toMatch(/BGP\.ext_community: \(unknown 0x4, 65101, 1329218487\)$/m);
  expect(route).toMatch(/BGP\.community: \(65000,7\)$/m);
  expect(route).toMatch(/BGP\.large_community: \(4200000000, 1, 2\)$/m);

  await speaker.reconfigure(configOf([], ['nothing']));
  await until('all is accepted', async () => (await usable(speaker, 'ipv4')).length === 3);
  await until('all IPv6 is accepted', async () => (await usable(speaker, 'ipv6')).length === 2);
  await until('ours is taken back', async () => (await given(bird, 'ipv4')).length === 0);
  await until('ours IPv6 is taken back', async () => (await given(bird, 'ipv6')).length === 0);

  await speaker.reconfigure(configOf(['nothing'], []));
  await until('nothing is accepted', async () => (await usable(speaker, 'ipv4')).length === 0);
  await until('BIRD has all of ours', async () => (await given(bird, 'ipv4')).length === 2);
  expect(await bird.birdc('show route 10.65.0.0/26 all')).toMatch(/BGP\.as_path: 65101$/m);

  for (const name of ['leaf4', 'leaf6']) expect(peerOf(speaker, name).timesDropped).toBe(0);
});
