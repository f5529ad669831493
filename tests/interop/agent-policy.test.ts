import { openDatastore } from '@overland/datastore';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { blockKey, decodeBlock, encodeBlock } from '@overland/model';
import { addressAt, type Prefix } from '@overland/net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { type AgentHost, agentHost } from './support/agent.ts';
import { type Bird, startBird } from './support/bird.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

/** What the leaf offers: filter language of BIRD for each route. */
type Offers = Readonly<Record<string, string>>;

function birdConfig(offers: Offers): string {
  const statics = (['ipv4', 'ipv6'] as const).map((family) => {
    const routes = Object.entries(offers)
      .filter(([prefix]) => prefix.includes(':') === (family === 'ipv6'))
      .map(([prefix, change]) => `route ${prefix} blackhole { ${change} };`);
    return `protocol static static_${family} { ${family}; ${routes.join(' ')} }`;
  });
  return `
router id 10.255.0.11;
protocol device { scan time 10; }
${statics.join('\n')}
template bgp fabric {
  local as 65011; hold time 9;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
}
protocol bgp host4 from fabric { neighbor 10.254.11.11 as 65101; ipv4 { import all; export where source = RTS_STATIC; }; }
protocol bgp host6 from fabric { neighbor fd00:254:11::11 as 65101; ipv6 { import all; export where source = RTS_STATIC; }; }
`;
}

const PEERS = { ipv4: '10.254.11.10', ipv6: 'fd00:254:11::10' } as const;

/** The BGPPeers to the leaf, with these fields. */
function peers(fields: object): object[] {
  return Object.entries(PEERS).map(([family, peerIP]) =>
    manifest('BGPPeer', `leaf-${family}`, {
      node: 'host11',
      asNumber: 65011,
      sourceAddress: 'None',
      peerIP,
      ...fields,
    }),
  );
}

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('IPPool', 'ipv6', { cidr: 'fd00:65::/48', blockSize: 122 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
  ...peers({}),
];

/** leaf (BIRD, AS 65011) — host (the agent, AS 65101). */
const world = {} as { host: TestNamespace; bird: Bird; agent: AgentHost; blocks: Prefix[] };
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  const [leaf, host] = [await netns(), await netns()];
  for (const namespace of [leaf, host]) cleanup.use(namespace);
  await cable(
    { namespace: leaf, device: 'eth1', addresses: ['10.254.11.10/31', 'fd00:254:11::10/127'] },
    { namespace: host, device: 'eth1', addresses: ['10.254.11.11/31', 'fd00:254:11::11/127'] },
  );
  for (const address of ['10.255.1.11/32', 'fd00:255:1::11/128'])
    await host.ip('address', 'add', address, 'dev', 'lo');
  const bird = cleanup.use(await startBird(leaf, birdConfig({})));
  const settings = { nodeName: 'host11', asNumber: 65101, logLevel: 'info' };
  const agent = cleanup.use(await agentHost(host, settings, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
  const blocks = await until('two blocks', async () => {
    const status = await agent.client.nodeStatus();
    return status.blocks.length === 2 ? status.blocks.map(({ cidr }) => cidr) : undefined;
  });
  Object.assign(world, { host, bird, agent, blocks });
});

afterAll(() => cleanup.disposeAsync());

/** Runs the command line against the agent and its datastore. */
async function overland(args: readonly string[], documents: readonly object[] = []) {
  const env = { OVERLAND_SQLITE_PATH: `${world.agent.stateDirectory}/datastore.db` };
  const stdin = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  const run = await captureRun(args, { env, stdin });
  expect(run).toMatchObject({ code: 0, err: '' });
  return run.out;
}

async function apply(...documents: readonly object[]): Promise<void> {
  await overland(['apply', '-f', '-'], documents);
}

/** Destinations of the routes that the leaf has brought, in the kernel. */
async function learned(): Promise<string[]> {
  const { host } = world;
  const lines = [await host.ip('route'), await host.ip('-6', 'route')].join('\n').split('\n');
  return lines
    .filter((line) => line.includes('proto 86'))
    .map((line) => line.split(' ')[0] ?? '')
    .toSorted();
}

async function eventuallyLearned(expected: readonly string[]): Promise<void> {
  const wanted = [...expected].toSorted().join(' ');
  let found = '';
  await until(
    () => `the kernel has ${wanted}; it has ${found}`,
    async () => {
      found = (await learned()).join(' ');
      return found === wanted;
    },
  );
}

/** What `bgp neighbor` says of the IPv4 session. */
async function neighbor(): Promise<Record<string, unknown>> {
  const socket = `${world.agent.stateDirectory}/agent.sock`;
  const out = await overland(['bgp', 'neighbor', PEERS.ipv4, '--socket', socket, '-o', 'json']);
  return JSON.parse(out)[PEERS.ipv4];
}

async function expectNoFlap(): Promise<void> {
  expect(await neighbor()).toMatchObject({ connectionsEstablished: 1, connectionsDropped: 0 });
}

/** The half of a block, and an address in it, as the leaf might leak them. */
function partsOf(block: Prefix): { half: string; address: string } {
  const [network = '', length = ''] = block.split('/');
  const address = addressAt(block, 5n);
  return {
    half: `${network}/${Number(length) + 1}`,
    address: `${address}/${address.includes(':') ? 128 : 32}`,
  };
}

test('a host takes no default route, nothing of its blocks, nothing longer than a block; it takes what is borrowed', async () => {
  const { bird, blocks, agent } = world;
  const [four, six] = blocks.map(partsOf);
  if (!four || !six) throw new Error('two blocks');
  const refused = ['0.0.0.0/0', '::/0', ...blocks, four.half, six.half, four.address, six.address];
  const tooLong = ['10.65.200.0/28', 'fd00:65:0:1::/124'];
  const good = ['10.65.202.0/26', 'fd00:65:0:2::/122', '10.99.0.0/24', 'fd00:99::/64'];
  const borrowed = ['10.65.201.7/32', 'fd00:65:0:3::7/128'];
  const offered = [...refused, ...tooLong, ...good, ...borrowed];
  await bird.configure(birdConfig(Object.fromEntries(offered.map((prefix) => [prefix, '']))));
  const shown = [...good, ...borrowed.map((prefix) => prefix.replace(/\/\d+$/, ''))];
  await eventuallyLearned(shown);
  expect(await neighbor()).toMatchObject({
    refused: { 'default-route': 1, 'own-prefix': 3, 'longer-than-block': 1 },
    addressFamilyInfo: { ipv4Unicast: { acceptedPrefixCounter: 3, filteredPrefixCounter: 5 } },
  });

  // Another host takes one address of each block: from then on it may offer it.
  const path = `${agent.stateDirectory}/datastore.db`;
  await using store = await openDatastore({ type: 'sqlite', path });
  for (const block of blocks) {
    const entry = await store.get(blockKey(block));
    const stored = decodeBlock(entry?.value ?? '');
    const holder = {
      handleId: 'elsewhere',
      secondary: { node: 'host12' },
      alternateOwnerAttributes: undefined,
      releasedAt: undefined,
      unknown: {},
    };
    const lent = {
      ...stored,
      allocations: stored.allocations.map((index, i) =>
        i === 5 ? stored.attributes.length : index,
      ),
      unallocated: stored.unallocated.filter((ordinal) => ordinal !== 5),
      attributes: [...stored.attributes, holder],
    };
    const put = { type: 'put', key: blockKey(block), value: encodeBlock(lent) } as const;
    await store.transact({ conditions: [], operations: [put] });
  }
  const both = [four.address, six.address].map((prefix) => prefix.replace(/\/\d+$/, ''));
  await eventuallyLearned([...shown, ...both]);

  await apply(...peers({ importSafety: { defaultRoute: 'Accept' } }));
  await eventuallyLearned([...shown, ...both, 'default', 'default']);
  await apply(...peers({ importSafety: { mode: 'Disabled' } }));
  await until('everything is taken', async () => (await learned()).includes('10.65.200.0/28'));
  await apply(...peers({}));
  await eventuallyLearned([...shown, ...both]);
  await expectNoFlap();
});

const RACKS: Offers = {
  '10.99.1.0/24': 'bgp_community.add((65000, 666));',
  '10.99.2.0/24': 'bgp_large_community.add((65000, 1, 2)); bgp_path.prepend(65009);',
  '10.99.3.0/24': '',
  'fd00:99:1::/64': 'bgp_community.add((65000, 666));',
  'fd00:99:2::/64': '',
};

/** What BIRD has of our block. */
async function ourBlock(family: 'ipv4' | 'ipv6'): Promise<string> {
  const block = world.blocks[family === 'ipv4' ? 0 : 1] ?? '';
  return world.bird.birdc(`show route ${block} all`);
}

test('a BGPFilter, applied and changed with the command line, is what a real peer sees; no session flaps', async () => {
  const rules = {
    importV4: [
      { communities: { anyOf: ['65000:665', '65000:666'] }, action: 'Reject' },
      {
        asPath: { endsWith: [65009] },
        action: 'Accept',
        operations: [{ setLocalPreference: { value: 200 } }],
      },
      { cidr: '10.99.3.0/24', matchOperator: 'Equal', action: 'Reject' },
    ],
    importV6: [{ communities: { allOf: ['65000:666'] }, action: 'Reject' }],
    exportV4: [
      {
        cidr: '10.65.0.0/16',
        matchOperator: 'In',
        action: 'Accept',
        operations: [
          { addCommunity: { value: '65000:7' } },
          { setMED: { value: 50 } },
          { prependASPath: { prefix: [65_010] } },
        ],
      },
    ],
    exportV6: [{ action: 'Accept', operations: [{ setCommunities: { values: ['65000:1:2'] } }] }],
  };
  await apply(manifest('BGPFilter', 'racks', rules), ...peers({ filters: ['racks'] }));
  await until('BIRD has our IPv4 block with the changes', async () =>
    /BGP\.med: 50$/m.test(await ourBlock('ipv4')),
  );
  // Rules are counted for what comes: not before they are in force.
  await world.bird.configure(birdConfig(RACKS));
  await eventuallyLearned(['10.99.2.0/24', 'fd00:99:2::/64']);
  expect(await ourBlock('ipv4')).toMatch(/BGP\.as_path: 65101 65010$/m);
  expect(await ourBlock('ipv4')).toMatch(/BGP\.community: \(65000,7\)$/m);
  await until('BIRD has our IPv6 block with the changes', async () =>
    /BGP\.large_community: \(65000, 1, 2\)$/m.test(await ourBlock('ipv6')),
  );
  expect(await neighbor()).toMatchObject({
    refusedByRule: { 'racks/importV4[0]': 1, 'racks/importV4[2]': 1 },
    addressFamilyInfo: { ipv4Unicast: { acceptedPrefixCounter: 1, filteredPrefixCounter: 2 } },
  });
  const stored = JSON.parse(await overland(['get', 'bgpfilter', 'racks', '-o', 'json']));
  expect(stored.spec).toEqual(rules);

  const { importV4, ...others } = rules;
  const changed = { ...others, importV4: importV4.slice(1), exportV4: [{ action: 'Reject' }] };
  await apply(manifest('BGPFilter', 'racks', changed));
  await eventuallyLearned(['10.99.1.0/24', '10.99.2.0/24', 'fd00:99:2::/64']);
  await until('BIRD has our IPv4 block no more', async () =>
    (await ourBlock('ipv4')).includes('Network not found'),
  );

  await apply(...peers({}));
  await eventuallyLearned(Object.keys(RACKS));
  await until('BIRD has our IPv4 block as it is', async () =>
    /BGP\.as_path: 65101$/m.test(await ourBlock('ipv4')),
  );
  await expectNoFlap();
});

test('communities on own routes, by prefix, as BGPConfiguration says', async () => {
  const advertise = (communities: readonly string[]) =>
    manifest('BGPConfiguration', 'default', {
      nodeToNodeMeshEnabled: false,
      communities: [{ name: 'rack', value: '65000:11' }],
      prefixAdvertisements: [
        { cidr: '10.65.0.0/16', communities },
        { cidr: 'fd00:65::/48', communities },
      ],
    });
  await apply(advertise(['rack', '65000:1:11']), ...peers({}));
  for (const family of ['ipv4', 'ipv6'] as const) {
    await until(`BIRD has the communities of ${family}`, async () => {
      const block = await ourBlock(family);
      return (
        /BGP\.community: \(65000,11\)$/m.test(block) &&
        /BGP\.large_community: \(65000, 1, 11\)$/m.test(block)
      );
    });
  }
  await apply(manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }));
  await until('they are gone', async () => !(await ourBlock('ipv4')).includes('community'));
  await expectNoFlap();
});

test('a filter that is missing costs the session, and is back with it', async () => {
  await apply(...peers({ filters: ['nowhere'] }));
  await until('the session is gone', async () => (await learned()).length === 0);
  const status = await world.agent.client.nodeStatus();
  expect(JSON.stringify(status.problems)).toContain('there is no BGPFilter nowhere');
  await apply(manifest('BGPFilter', 'nowhere', { importV4: [{ action: 'Reject' }] }));
  await eventuallyLearned(['fd00:99:1::/64', 'fd00:99:2::/64']);
});
