import { createRouteEngine, type PeerConfig, type RouteView } from '@overland/bgp';
import type { Speaker } from '@overland/bgp/node';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { type Asn, type Family, parseAddress, parseInterfaceAddress } from '@overland/net';
import { expect, test, vi } from 'vitest';
import { type Bird, startBird } from './support/bird.ts';
import { type Frr, startFrr } from './support/frr.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const ASN = 65000;
const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const PATIENCE = { timeout: 15_000, interval: 50 };

/** Everyone is on one link: reflector 1 is ours, 2 the other one, 11 is a BIRD and 12 an FRR that are clients of both. */
const NODES = [1, 2, 11, 12] as const;
type Node = (typeof NODES)[number];

const addressOf = (node: Node, family: Family): string =>
  family === 'ipv4' ? `10.1.0.${node}` : `fd00:1::${node}`;
const routerIdOf = (node: Node): string => `10.0.0.${node}`;
const prefixOf = (node: Node, family: Family): string =>
  family === 'ipv4' ? `10.65.${node}.0/26` : `fd00:65:${node}::/122`;
const isReflector = (node: Node): boolean => node < 10;
/** Reflectors peer with everyone, clients with reflectors. */
const peersOf = (node: Node): Node[] =>
  NODES.filter((other) => other !== node && (isReflector(node) || isReflector(other)));

interface Link extends AsyncDisposable {
  readonly nodes: Readonly<Record<Node, TestNamespace>>;
}

async function sharedLink(): Promise<Link> {
  const bridge = await netns();
  await bridge.ip('link', 'add', 'br0', 'type', 'bridge');
  await bridge.ip('link', 'set', 'br0', 'up');
  const nodes = { 1: await netns(), 2: await netns(), 11: await netns(), 12: await netns() };
  for (const node of NODES) {
    const addresses = [`${addressOf(node, 'ipv4')}/24`, `${addressOf(node, 'ipv6')}/64`];
    await cable(
      { namespace: bridge, device: `port${node}` },
      { namespace: nodes[node], device: 'eth0', addresses },
    );
    await bridge.ip('link', 'set', `port${node}`, 'master', 'br0');
  }
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      for (const namespace of [...Object.values(nodes), bridge]) {
        await namespace[Symbol.asyncDispose]();
      }
    },
  };
}

/** @param clusterId Of a reflector; clients have none. */
function birdConfig(node: Node, clusterId?: string): string {
  const session = (family: Family, other: Node): string => `
protocol bgp to${other}_${family} {
  local ${addressOf(node, family)} as ${ASN};
  neighbor ${addressOf(other, family)} as ${ASN};
  hold time 9; connect retry time 1; connect delay time 1; error wait time 1, 3;
  ${clusterId && !isReflector(other) ? 'rr client;' : ''}
  ${clusterId ? `rr cluster id ${clusterId};` : ''}
  ${family} { import all; export all; };
}`;
  return `
router id ${routerIdOf(node)};
protocol device {}
protocol direct { ipv4; ipv6; interface "eth0"; }
${FAMILIES.map((family) => `protocol static { ${family}; route ${prefixOf(node, family)} blackhole; }`).join('\n')}
${FAMILIES.flatMap((family) => peersOf(node).map((other) => session(family, other))).join('\n')}
`;
}

function frrConfig(node: Node, clusterId?: string): string {
  const neighbours = (family: Family): string[] => [
    `address-family ${family} unicast`,
    ` network ${prefixOf(node, family)}`,
    ...peersOf(node).flatMap((other) => [
      ` neighbor ${addressOf(other, family)} activate`,
      ...(clusterId && !isReflector(other)
        ? [` neighbor ${addressOf(other, family)} route-reflector-client`]
        : []),
    ]),
    'exit-address-family',
  ];
  const sessions = FAMILIES.flatMap((family) =>
    peersOf(node).flatMap((other) => [
      `neighbor ${addressOf(other, family)} remote-as ${ASN}`,
      `neighbor ${addressOf(other, family)} timers connect 1`,
    ]),
  );
  return `
router bgp ${ASN}
 bgp router-id ${routerIdOf(node)}
 ${clusterId ? `bgp cluster-id ${clusterId}` : ''}
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 3 9
 ${[...sessions, ...FAMILIES.flatMap(neighbours)].join('\n ')}
`;
}

/** Our reflector. */
async function startReflector(namespace: TestNamespace, clusterId: string): Promise<Speaker> {
  const peers = peersOf(1).flatMap((other) =>
    FAMILIES.map(
      (family): PeerConfig =>
        peer(`${other} ${family}`, addressOf(other, family), {
          asn: ASN as Asn,
          ttl: 64,
          holdSeconds: 9,
          routeReflectorClient: !isReflector(other),
        }),
    ),
  );
  const config = speakerConfig(peers, {
    asn: ASN as Asn,
    role: 'reflector',
    routerId: parseAddress(routerIdOf(1)),
    clusterId: parseAddress(clusterId),
  });
  const speaker = await speakerIn(namespace, config, { engine: createRouteEngine(config) });
  const addresses = [`${addressOf(1, 'ipv4')}/24`, `${addressOf(1, 'ipv6')}/64`];
  speaker.setInterfaces([
    { name: 'eth0', usable: true, addresses: addresses.map(parseInterfaceAddress) },
  ]);
  return speaker;
}

interface Reflected {
  readonly nextHop: string | undefined;
  readonly originator: string | undefined;
  readonly clusters: readonly string[];
}

/** Asks a daemon for the route of another node that it has from our reflector. */
type Asks = (of: Node, family: Family) => Promise<Reflected | undefined>;

const askBird =
  (bird: Bird): Asks =>
  async (of, family) => {
    const text = await bird.birdc(`show route ${prefixOf(of, family)} protocol to1_${family} all`);
    if (!text.includes('BGP.origin')) return undefined;
    const field = (name: string) => new RegExp(`BGP\\.${name}: (.*)`).exec(text)?.[1]?.trim();
    return {
      nextHop: field('next_hop')?.split(' ')[0],
      originator: field('originator_id'),
      clusters: field('cluster_list')?.split(' ') ?? [],
    };
  };

interface FrrPath {
  readonly peer: { readonly peerId: string };
  readonly nexthops: readonly { readonly ip: string }[];
  readonly originatorId?: string;
  readonly clusterList?: { readonly list: readonly string[] };
}

const askFrr =
  (frr: Frr): Asks =>
  async (of, family) => {
    const text = await frr.vtysh(`show bgp ${family} unicast ${prefixOf(of, family)} json`);
    const { paths = [] } = JSON.parse(text) as { readonly paths?: readonly FrrPath[] };
    const path = paths.find((candidate) => candidate.peer.peerId === addressOf(1, family));
    return (
      path && {
        nextHop: path.nexthops[0]?.ip,
        originator: path.originatorId,
        clusters: path.clusterList?.list ?? [],
      }
    );
  };

async function pathsOf(speaker: Speaker, of: Node, family: Family): Promise<RouteView['paths']> {
  const page = await speaker.operator.routes({ family, limit: 100 });
  const routes = 'routes' in page ? page.routes : [];
  return routes.find(({ prefix }) => prefix === prefixOf(of, family))?.paths ?? [];
}

const OTHER = {
  BIRD: async (namespace: TestNamespace, clusterId: string) => {
    const bird = await startBird(namespace, birdConfig(2, clusterId));
    return { ask: askBird(bird), stop: () => bird[Symbol.asyncDispose]() };
  },
  FRR: async (namespace: TestNamespace, clusterId: string) => {
    const frr = await startFrr(namespace, frrConfig(2, clusterId));
    return { ask: askFrr(frr), stop: () => frr[Symbol.asyncDispose]() };
  },
} as const;

for (const [daemon, theirs] of [
  ['BIRD', '1.0.0.1'],
  ['BIRD', '1.0.0.2'],
  ['FRR', '1.0.0.1'],
  ['FRR', '1.0.0.2'],
] as const) {
  const ours = '1.0.0.1';
  const isSame = ours === theirs;
  test(`BIRD and FRR as clients, ${daemon} as the other reflector of ${isSame ? 'the same' : 'another'} cluster`, async () => {
    await using link = await sharedLink();
    await using stack = new AsyncDisposableStack();
    const bird = stack.use(await startBird(link.nodes[11], birdConfig(11)));
    const frr = stack.use(await startFrr(link.nodes[12], frrConfig(12)));
    const other = await OTHER[daemon](link.nodes[2], theirs);
    stack.defer(other.stop);
    const speaker = stack.use(await startReflector(link.nodes[1], ours));
    const names = peersOf(1).flatMap((node) => FAMILIES.map((family) => `${node} ${family}`));
    await established(speaker, ...names);

    for (const family of FAMILIES) {
      // Each client has the other's route from us, as the other sent it but for what RFC 4456 adds.
      for (const [ask, of] of [
        [askBird(bird), 12],
        [askFrr(frr), 11],
      ] as const) {
        // It may have come by way of the other reflector first.
        await vi.waitFor(
          async () =>
            expect(await ask(of, family)).toEqual({
              nextHop: addressOf(of, family),
              originator: routerIdOf(of),
              clusters: [ours],
            }),
          PATIENCE,
        );
      }
      // What the other reflector itself offers goes to our clients, too.
      await vi.waitFor(
        async () =>
          expect(await askFrr(frr)(2, family)).toMatchObject({
            originator: routerIdOf(2),
            clusters: [ours],
          }),
        PATIENCE,
      );

      const fromOther = async () =>
        (await pathsOf(speaker, 11, family)).find(({ peer }) => peer === `2 ${family}`);
      await until('the other reflector reflects', fromOther);
      expect(await fromOther()).toMatchObject({
        usable: !isSame,
        best: false,
        originatorId: routerIdOf(11),
        clusterList: [theirs],
        nextHop: addressOf(11, family),
      });
      const { refused } = peerOf(speaker, `2 ${family}`);
      // A message that is sent again is counted again.
      expect(Object.keys(refused)).toEqual(isSame ? ['cluster-list-loop'] : []);
      expect(refused['cluster-list-loop'] ?? 2).toBeGreaterThanOrEqual(2);
      // And so it is with what we reflect to it; BIRD looks for its cluster id in what clients send only.
      if (isSame && daemon === 'FRR') expect(await other.ask(11, family)).toBeUndefined();
      else {
        const theirView = await until('it has ours', () => other.ask(11, family));
        expect(theirView).toMatchObject({ originator: routerIdOf(11), clusters: [ours] });
      }
    }
    expect(peerOf(speaker, '11 ipv4').timesDropped).toBe(0);
  });
}
