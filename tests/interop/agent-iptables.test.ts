import { netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import { manifest } from './support/manifest.ts';
import { applyResources } from './support/run-overland.ts';
import { until } from './support/until.ts';

const LONG = { timeout: 60_000 };

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];

const cleanup = new AsyncDisposableStack();
let host: TestNamespace;
let agent: AgentHost;
let web: { readonly ns: TestNamespace; readonly address: string };
let db: typeof web;

beforeAll(async () => {
  host = cleanup.use(await netns());
  await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
  // Somebody lives on iptables-legacy, and drops what nobody has allowed.
  await host.exec(['iptables-legacy', '-P', 'FORWARD', 'DROP']);
  await host.exec(['iptables-legacy', '-A', 'FORWARD', '-i', 'docker0', '-j', 'ACCEPT']);
  const settings = { nodeName: 'host11', asNumber: 65101, ipv4: '10.255.1.11', ipv6: 'none' };
  agent = cleanup.use(await agentHost(host, { ...settings, offerWaitSeconds: 0 }, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
  web = await attach('web');
  db = await attach('db');
}, 90_000);
afterAll(() => cleanup.disposeAsync());

async function attach(name: string): Promise<typeof web> {
  const ns = cleanup.use(await netns());
  const request = { containerId: name, interface: 'eth0', namespacePath: ns.path, name };
  const { addresses } = await agent.client.attach({ ...request, labels: { app: name } });
  return { ns, address: String(addresses[0]) };
}

const apply = (...resources: readonly object[]): Promise<string> =>
  applyResources(host, resources, {
    DATASTORE_TYPE: 'sqlite',
    OVERLAND_SQLITE_PATH: `${agent.stateDirectory}/datastore.db`,
    OVERLAND_API_SOCKET: `${agent.stateDirectory}/agent.sock`,
  });

function reaches(): Promise<boolean> {
  return web.ns.exec(['ping', '-q', '-c', '1', '-W', '1', db.address]).then(
    () => true,
    () => false,
  );
}

const packetFilter = async () => (await agent.client.nodeStatus()).dataplane.policy?.packetFilter;

const felix = (spec: object) => manifest('FelixConfiguration', 'default', spec);
const denyDb = manifest('GlobalNetworkPolicy', 'deny-db', {
  selector: "app == 'db'",
  types: ['Ingress'],
  ingress: [{ action: 'Deny', protocol: 'ICMP' }],
});

/** Whether there is anything of ours in each packet filter. */
async function standing(): Promise<string[]> {
  const tables = await host.exec(['nft', 'list', 'tables']);
  const legacy = await host.exec(['iptables-legacy-save']);
  return [
    ...(/inet overland$/m.test(tables) ? ['nftables'] : []),
    ...(legacy.includes('cali-') ? ['iptables-legacy'] : []),
  ];
}

test('on a host that lives on iptables-legacy, policy is there', LONG, async () => {
  expect(await packetFilter()).toBe('iptables-legacy');
  expect(await standing()).toEqual(['iptables-legacy']);
  expect(await reaches()).toBe(true);
  await apply(denyDb);
  await until('db is closed', async () => !(await reaches()));
});

test(
  'it moves to nftables and back when the FelixConfiguration says so, and holds all the time',
  LONG,
  async () => {
    const probes: Promise<boolean>[] = [];
    const moved = async (to: string) => {
      await until(
        `policy is in ${to} alone`,
        async () => (await packetFilter()) === to && (await standing()).join() === to,
      );
      probes.push(reaches());
    };
    await apply(felix({ nftablesMode: 'Enabled' }));
    await moved('nftables');
    expect(await host.exec(['iptables-legacy-save'])).toContain('-i docker0');
    await apply(felix({ nftablesMode: 'Disabled' }));
    await moved('iptables-legacy');
    expect((await Promise.all(probes)).some((reached) => reached)).toBe(false);
  },
);

test('it holds while no agent runs, and a new one goes on with it', LONG, async () => {
  const before = await host.exec(['iptables-legacy-save', '-t', 'filter']);
  await agent.kill('SIGKILL');
  expect(await reaches()).toBe(false);
  agent.start();
  await agent.client.waitUntilReady(40_000);
  await until('policy is there', async () => (await packetFilter()) === 'iptables-legacy');
  const plain = (text: string) => text.replaceAll(/^#.*$|\[\d+:\d+\]/gm, '');
  expect(plain(await host.exec(['iptables-legacy-save', '-t', 'filter']))).toBe(plain(before));
});
