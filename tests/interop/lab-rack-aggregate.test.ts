import {
  failLinks,
  findWorkloads,
  type HostBlock,
  healLinks,
  linksOf,
  loadTopology,
  type PingEndpoint,
  pingAll,
  readBlocks,
  waitForConvergence,
} from '@overland/lab';
import { contains, type Prefix, parseAddress } from '@overland/net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually, ROOT, type RunningLab, startLab } from './running-lab.ts';

/**
 * What docs/rack-aggregates.md says of the lab: spines hold a route for each rack, not for each block; a host that has lost its link
 * to one leaf stays reachable by the link between the leaves, is not without it, and is again once the leaves say specifics.
 */
const topology = loadTopology(`${ROOT}/lab/rack-aggregate.clab.yml`, process.env);

const SWITCHES = [11, 12, 21, 22];
const AGGREGATES = {
  '-4': ['10.80.0.0/20', '10.80.16.0/20', '10.255.1.0/24', '10.255.2.0/24'],
  '-6': ['fd00:80:1::/48', 'fd00:80:2::/48', 'fd00:255:1::/64', 'fd00:255:2::/64'],
} as const;
const LOOPBACKS = {
  '-4': SWITCHES.map((leaf) => `10.255.0.${leaf}`),
  '-6': SWITCHES.map((leaf) => `fd00:255::${leaf}`),
} as const;
const FAMILIES = ['-4', '-6'] as const;
type FamilyFlag = (typeof FAMILIES)[number];

/** What a kernel or a leaf needs at most to follow; not what is promised. */
const DEADLINE_MS = 10_000;

let lab: RunningLab;
let containers: readonly PingEndpoint[];
let blocks: readonly HostBlock[];
beforeAll(async () => {
  lab = await startLab(topology);
  const { convergence, state } = await waitForConvergence(() => lab.observe(), {
    deadlineMs: 60_000,
    signal: new AbortController().signal,
    progress: () => {},
  });
  expect([...lab.failures, ...convergence.missing]).toEqual([]);
  containers = convergence.endpoints;
  expect(containers).toHaveLength(8);
  blocks = await readBlocks(state, () => false);
});
afterAll(() => lab[Symbol.asyncDispose]());

const cut = new Set<string>();
afterEach(async () => {
  if (cut.size === 0) return;
  for (const end of cut) await healLinks(linksOf(topology, linkAt(end)), await lab.pids());
  cut.clear();
  for (const leaf of ['leaf11', 'leaf12']) await routesTo('host11', leaf, isBy('eth3'));
});

/** @param end As the command line has it: `leaf11:eth3`. */
function linkAt(end: string): { type: 'link'; node: string; interface: string } {
  const [node = '', name = ''] = end.split(':');
  return { type: 'link', node, interface: name };
}

async function cutLink(end: string): Promise<void> {
  cut.add(end);
  const target = linkAt(end);
  await failLinks(linksOf(topology, target), { target, mode: 'down', pids: await lab.pids() });
}

/** Destinations that a router learned by BGP, as its kernel has them. */
async function learned(node: string, family: FamilyFlag): Promise<string[]> {
  const text = await lab.inNetwork(node, 'ip', '-json', family, 'route', 'show', 'proto', 'bgp');
  return (JSON.parse(text) as { dst: string }[]).map(({ dst }) => dst).toSorted();
}

/** Waits until a node's routes to the blocks of a host, one in each family, are as they should be. */
async function routesTo(
  host: string,
  node: string,
  isRight: (route: string) => boolean,
): Promise<void> {
  const prefixes = blocks.filter((block) => block.node === host).map(({ prefix }) => prefix);
  expect(prefixes).toHaveLength(2);
  const what = `routes of ${node} to the blocks of ${host}`;
  await eventually(what, DEADLINE_MS, async () => {
    const shown = prefixes.map((prefix) => {
      const family = prefix.includes(':') ? '-6' : '-4';
      return lab.inNetwork(node, 'ip', family, 'route', 'show', prefix);
    });
    return (await Promise.all(shown)).every(isRight) ? true : undefined;
  });
}

/** Whether a route goes by this interface, and no other. */
function isBy(device: string): (route: string) => boolean {
  return (route) => [...route.matchAll(/dev (\S+)/g)].map(([, name]) => name).join() === device;
}

const isAbsent = (route: string): boolean => route === '';

/** Pings everything from everything; the pairs of hosts that lost an echo, one item for each. */
async function lostEchoes(): Promise<string[]> {
  const pings = await pingAll(containers, 1);
  expect(pings).toHaveLength(8 * 7 * 2);
  return pings
    .filter(({ roundTripMs }) => roundTripMs === undefined)
    .map(({ from, to }) => [from.node, to.node].toSorted().join('–'));
}

async function everyEchoArrives(): Promise<void> {
  await eventually('every echo is answered', DEADLINE_MS, async () =>
    (await lostEchoes()).length === 0 ? true : undefined,
  );
  expect(await lostEchoes()).toEqual([]);
}

test.each(['spine1', 'spine2'])(
  '%s has the aggregates and the loopbacks of switches, nothing of a host',
  async (spine) => {
    for (const family of FAMILIES) {
      const expected = [...AGGREGATES[family], ...LOOPBACKS[family]].toSorted();
      expect(await learned(spine, family)).toEqual(expected);
    }
  },
);

test.each([
  ['host11', '10.80.0.0/20', 'fd00:80:1::/48'],
  ['host12', '10.80.0.0/20', 'fd00:80:1::/48'],
  ['host21', '10.80.16.0/20', 'fd00:80:2::/48'],
  ['host22', '10.80.16.0/20', 'fd00:80:2::/48'],
])('the blocks of %s are of its rack: one in %s, one in %s', (host, ...pools) => {
  const own = blocks.filter(({ node }) => node === host).map(({ prefix }) => prefix);
  expect(own).toHaveLength(2);
  for (const [index, block] of own.entries()) {
    expect(contains(pools[index] as Prefix, block as Prefix), `${block} of ${host}`).toBe(true);
  }
});

// leaf11 is BIRD, leaf12 FRR.
test.each(['leaf11', 'leaf12'])(
  "a host that has lost its link to %s is reached by the other leaf: the leaves' link carries its blocks",
  async (leaf) => {
    await cutLink(`${leaf}:eth3`);
    await routesTo('host11', leaf, isBy('eth5'));
    await everyEchoArrives();
    // It was the leaves that repaired it: spines know of nothing.
    for (const spine of ['spine1', 'spine2']) await routesTo('host11', spine, isAbsent);
  },
);

test("a block of another rack's range is nothing that an aggregate covers: it goes everywhere, singly", async () => {
  // A host that was labelled wrongly. It stays in rack 2, and claims from the pool of rack 1.
  await lab.run('host22', 'overland', 'label', 'nodes', 'host22', 'rack=rack1', '--overwrite');
  await lab.run('host22', 'overland', 'workload', 'run', 'guest');
  const guest = (await findWorkloads(await lab.observe())).find(({ name }) => name === 'guest');
  const [ipv4 = 'no address', ipv6 = 'no address'] = guest?.addresses ?? [];
  expect(contains('10.80.0.0/20' as Prefix, parseAddress(ipv4))).toBe(true);
  for (const address of [ipv4, ipv6]) {
    await eventually(`an echo from ${address}`, DEADLINE_MS, () =>
      lab.run('host11', 'ip', 'netns', 'exec', 'web-11', 'ping', '-c', '1', '-W', '1', address),
    );
  }
  const specifics = (await learned('spine1', '-4')).filter((dst) => dst.endsWith('/26'));
  expect(specifics).toHaveLength(1);
  expect(contains(specifics[0] as Prefix, parseAddress(ipv4))).toBe(true);
});

test('without the link between the leaves the same host loses a part of its flows, until the leaves say specifics', async () => {
  await cutLink('leaf11:eth5');
  await cutLink('leaf11:eth3');
  await routesTo('host11', 'leaf11', isAbsent);
  // Within the rack the leaves have told the hosts. What spines send to leaf11, because it offers the aggregate, is lost.
  await eventually(
    'only flows between host11 and the other rack are lost',
    DEADLINE_MS,
    async () => {
      const lost = await lostEchoes();
      return lost.every((pair) => /^host11–host2.$/.test(pair)) ? true : undefined;
    },
  );
  const lost = await lostEchoes();
  console.log(`${lost.length} of 112 echoes lost without the link between the leaves`);
  expect(lost.length).toBeGreaterThan(0);

  // The commands of docs/rack-aggregates.md.
  await lab.run('leaf11', 'birdc', 'configure', '"/etc/bird/specifics.conf"');
  await lab.run('leaf12', 'vtysh', '-c', 'configure', '-c', 'no route-map TO-SPINE deny 10');
  for (const spine of ['spine1', 'spine2']) await routesTo('host11', spine, isBy('eth2'));
  await everyEchoArrives();
  // Other racks have the aggregate still, and nothing more.
  for (const node of ['leaf21', 'leaf22', 'host21']) await routesTo('host11', node, isAbsent);
});
