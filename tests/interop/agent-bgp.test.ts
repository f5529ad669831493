import { execFile as execFileCallback } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type CapturedRun, captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { type AgentHost, agentHost } from './support/agent.ts';
import { type Bird, startBird } from './support/bird.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

const execFile = promisify(execFileCallback);

const BIRD = `
router id 10.255.0.31;
protocol device { scan time 10; }
protocol static { ipv4; route 10.99.1.0/24 blackhole; route 10.99.2.0/24 blackhole; }
protocol bgp host {
  local as 65011; hold time 3; keepalive time 1;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  neighbor 10.254.31.11 as 65101;
  ipv4 { import all; export all; };
}
protocol bgp ranged {
  local 10.254.32.10 as 65012; hold time 3; keepalive time 1;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  neighbor 10.254.32.11 as 65101;
  ipv4 { import none; export none; };
}
`;

/** Nobody answers there. */
const NOBODY = '10.254.31.10';

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', {
    nodeToNodeMeshEnabled: false,
    aggregates: [{ cidr: '10.64.0.0/15', summaryOnly: true, communities: ['65101:7'] }],
    rpki: { caches: [{ address: NOBODY, port: 8282 }] },
    bmpStations: [{ address: NOBODY, port: 11_019, ribs: ['LocRIB'] }],
  }),
  manifest('BGPPeer', 'racks', {
    node: 'host31',
    listenRange: { cidr: '10.254.32.0/24', limit: 4 },
    asNumber: 65012,
  }),
  manifest('BGPFilter', 'no-two', {
    importV4: [{ cidr: '10.99.2.0/24', matchOperator: 'Equal', action: 'Reject' }],
  }),
  manifest('BGPPeer', 'leaf', {
    node: 'host31',
    asNumber: 65011,
    sourceAddress: 'None',
    holdTime: '3s',
    keepaliveTime: '1s',
    peerIP: '10.254.31.10',
    filters: ['no-two'],
  }),
];

const PATIENCE = { timeout: 15_000, interval: 50 };
const SETTINGS = { nodeName: 'host31', asNumber: 65101, datastoreWaitSeconds: 1 };

/** leaf (BIRD, AS 65011), and a host with the agent (AS 65101), whose speaker is asked over the agent's socket. */
const world = {} as { bird: Bird; agent: AgentHost; host: TestNamespace };
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  const [leaf, host] = [cleanup.use(await netns()), cleanup.use(await netns())];
  await cable(
    { namespace: leaf, device: 'eth1', addresses: ['10.254.31.10/31', '10.254.32.10/24'] },
    { namespace: host, device: 'eth1', addresses: ['10.254.31.11/31', '10.254.32.11/24'] },
  );
  const bird = cleanup.use(await startBird(leaf, BIRD));
  const agent = cleanup.use(await agentHost(host, SETTINGS, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
  Object.assign(world, { bird, agent, host });
  await until('routes have come and gone', async () => {
    const { out } = await bgp('routes', '--from', 'leaf');
    return out.includes('10.99.1.0/24') && (await bird.birdc('show route')).includes('10.64.');
  });
});

afterAll(async () => await cleanup.disposeAsync());

const bgp = (...args: readonly string[]): Promise<CapturedRun> =>
  captureRun(['bgp', ...args, '--socket', join(world.agent.stateDirectory, 'agent.sock')]);

const stateDirectory = (): string => world.agent.stateDirectory;

async function block(): Promise<string> {
  const [first] = (await world.agent.client.nodeStatus()).blocks;
  return first?.cidr ?? '';
}

test('neighbor and routes: what the leaf has sent, what was refused, what it has from us', async () => {
  const neighbor = await bgp('neighbor', '10.254.31.10');
  expect(neighbor).toMatchObject({ code: 0 });
  expect(neighbor.out).toContain('BGP state = Established');
  const filtered = await bgp('routes', '--from', 'leaf', '--filtered');
  expect(filtered.out).toMatch(/10\.99\.2\.0\/24 .*filter no-two/);
  const advertised = await bgp('routes', '--advertised', 'leaf');
  expect(advertised.out).toContain('10.64.0.0/15');
  expect(advertised.out).toMatch(/ 65101 i\n/);
  expect(await bgp('neighbor', 'spine7')).toMatchObject({ code: 3 });
});

test('aggregates: the leaf has one instead of the block, and the kernel drops what nobody has', async () => {
  const { bird, host } = world;
  const routes = await bird.birdc('show route all protocol host');
  expect(routes).toMatch(/^10\.64\.0\.0\/15 /m);
  expect(routes).toContain('BGP.community: (65101,7)');
  expect(routes).not.toContain('10.65.');
  await until('the kernel drops', async () =>
    (await host.ip('route', 'show', '10.64.0.0/15')).startsWith('blackhole'),
  );
  expect((await bgp('explain', await block(), '--to', 'leaf')).out).toContain('not advertised');
});

test('stations, caches and peers from a listen range are those of the resources', async () => {
  await until('a peer of the range is up', async () =>
    (await bgp('summary')).out.includes('10.254.32.10'),
  );
  expect((await bgp('bmp')).out).toContain(`${NOBODY} port 11019`);
  expect((await bgp('rpki')).out).toContain(`${NOBODY}`);
});

test('explain: a route that was taken, one that a filter refused, the block and the peer', async () => {
  expect((await bgp('explain', '10.99.1.0/24')).out).toMatch(
    /^10\.99\.1\.0\/24: 1 path\n\nPath 1 from leaf, eBGP, next hop 10\.254\.31\.10 \(eth1\): best\n/,
  );
  const refused = await bgp('explain', '10.99.2.0/24');
  expect(refused.out).toContain('10.99.2.0/24: 1 path, none of which can be chosen');
  expect(refused.out).toMatch(/import refuses it \(filter no-two\S*\)/);
  expect(refused.out).toMatch(/import rules: no-two\S* reject\n/);
  const own = await bgp('explain', '10.64.0.0/15', '--to', 'leaf');
  expect(own.out).toContain('To leaf: advertised\n  next hop: 10.254.31.11 (ours)\n');
  const peer = await bgp('explain', '--peer', 'leaf');
  expect(peer.out).toMatch(/1 best\n/);
  expect(peer.out).toMatch(/1 refused by import: filter no-two\S* \(10\.99\.2\.0\/24\)\n/);
});

test('clear: softly without end of the session, hard with a new one; the events tell of both', async () => {
  expect((await bgp('clear', 'leaf', 'soft')).out).toContain('asked for IPv4 Unicast again');
  expect(await bgp('clear', 'leaf')).toMatchObject({ code: 0, out: 'leaf: session reset\n' });
  await until(
    'the session is back',
    async () =>
      (await bgp('events', '--peer', 'leaf', '-o', 'json')).out.split('"type":"up"').length > 2,
  );
  const { out } = await bgp('events', '--peer', 'leaf');
  expect(out).toContain('leaf (10.254.31.10)  asked for IPv4 Unicast again\n');
  expect(out).toContain('notification sent: Cease/Administrative Reset (6/4)\n');
});

test('statistics, update groups and metrics of the agent', async () => {
  // A session has just begun anew.
  await vi.waitFor(async () => {
    const { out } = await bgp('statistics', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({ tables: { families: { ipv4: { undecided: 0 } } } });
    expect((await bgp('update-groups')).out).toContain('Update group 1, IPv4 Unicast, eBGP\n');
    const metrics = await world.agent.client.call('GET', '/metrics');
    expect(metrics).toContain('overland_bgp_sessions{state="Established"} 2\n');
    expect(metrics).toMatch(/overland_bgp_prefixes_filtered\{peer="leaf",.*,family="ipv4"\} 1\n/);
  }, PATIENCE);
});

test('capture: through the agent, and tcpdump reads it', async () => {
  const file = join(stateDirectory(), 'leaf.pcapng');
  expect(await bgp('capture', 'leaf', '-w', file, '--count', '4')).toMatchObject({ code: 0 });
  const { stdout } = await execFile('tcpdump', ['-nn', '-vv', '-r', file]);
  expect(stdout).toContain('Keepalive Message');
  expect(stdout).not.toMatch(/incorrect|bad cksum/);
});
