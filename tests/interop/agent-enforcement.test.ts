import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { EtcdProcess } from '@overland/datastore/testing';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { parseAddress } from '@overland/net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import { manifest } from './support/manifest.ts';
import { applyResources, runOverland } from './support/run-overland.ts';
import { until } from './support/until.ts';

const LONG = { timeout: 90_000 };

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];

interface Workload {
  readonly ns: TestNamespace;
  readonly address: string;
}

const cleanup = new AsyncDisposableStack();
let host: TestNamespace;
let etcd: EtcdProcess;
let agent: AgentHost;
let web: Workload;
let db: Workload;

beforeAll(async () => {
  host = cleanup.use(await netns());
  const enter = ['ip', 'netns', 'exec', host.name];
  await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
  etcd = cleanup.use(await EtcdProcess.start({ enter }));
  const settings = {
    nodeName: 'host11',
    asNumber: 65101,
    ipv4: '10.255.1.11',
    ipv6: 'none',
    datastoreType: 'etcd',
    etcdEndpoints: [etcd.endpoint],
    offerWaitSeconds: 0,
    datastoreWaitSeconds: 1,
  };
  agent = cleanup.use(await agentHost(host, settings, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
  web = await attach('web');
  db = await attach('db');
}, 90_000);
afterAll(() => cleanup.disposeAsync());

async function attach(name: string, profiles?: string[]): Promise<Workload> {
  const ns = cleanup.use(await netns());
  const request = { containerId: name, interface: 'eth0', namespacePath: ns.path, name };
  const { addresses } = await agent.client.attach({
    ...request,
    labels: { app: name },
    ...(profiles && { profiles }),
  });
  return { ns, address: String(addresses[0]) };
}

const etcdEnvironment = () => ({
  DATASTORE_TYPE: 'etcdv3',
  ETCD_ENDPOINTS: etcd.endpoint,
  OVERLAND_API_SOCKET: `${agent.stateDirectory}/agent.sock`,
});
const overland = (args: readonly string[]): Promise<string> =>
  runOverland(host, args, { env: etcdEnvironment() });
const apply = (...resources: readonly object[]): Promise<string> =>
  applyResources(host, resources, etcdEnvironment());

const policy = (name: string, spec: object): object => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'default' },
  spec,
});

const CLOSED = policy('db', { selector: "app == 'db'", types: ['Ingress'], ingress: [] });
const OPEN_FOR_WEB = policy('db', {
  selector: "app == 'db'",
  types: ['Ingress'],
  ingress: [{ action: 'Allow', source: { selector: "app == 'web'" } }],
});

function pings(from: Workload, to: Workload, waitSeconds = 1): Promise<boolean> {
  return from.ns.exec(['ping', '-c1', `-W${waitSeconds}`, to.address]).then(
    () => true,
    () => false,
  );
}

const becomes = (reached: boolean, from = web, to = db): Promise<boolean> =>
  until(
    `${from.address} ${reached ? 'reaches' : 'does not reach'} ${to.address}`,
    async () => (await pings(from, to, 0.3)) === reached,
  );

test(
  'a policy that is applied is enforced, a changed one at once, and without it the profile decides',
  LONG,
  async () => {
    expect(await pings(web, db)).toBe(true);
    await apply(CLOSED);
    await becomes(false);
    expect(await pings(db, web)).toBe(true);
    await apply(OPEN_FOR_WEB);
    await becomes(true);
    const other = await attach('other');
    expect(await pings(other, db, 0.5)).toBe(false);
    expect(await pings(other, web)).toBe(true);
    await overland(['delete', 'networkpolicy', 'db']);
    await becomes(true, other);
  },
);

/** Sends a little all the time to whoever connects, and never listens to what he says. */
const STREAM = `
import socket, threading, time
def serve(end):
    try:
        while True:
            end.sendall(b'x')
            time.sleep(0.02)
    except OSError:
        pass
server = socket.create_server(('', 7000))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;

/** Connects, and says each second how much has come. */
const LISTEN = `
import socket, sys, time
end = socket.create_connection((sys.argv[1], 7000), timeout=5)
end.settimeout(0.1)
count, due = 0, time.monotonic() + 0.3
while True:
    try:
        count += len(end.recv(4096))
    except TimeoutError:
        pass
    if time.monotonic() > due:
        print(count, flush=True)
        due = time.monotonic() + 0.3
`;

test(
  'a connection that a changed policy forbids ends, also one on which only the other side speaks',
  LONG,
  async () => {
    using stack = new DisposableStack();
    const start = ({ ns }: Workload, ...argv: string[]): (() => number) => {
      const child = spawn('ip', ['netns', 'exec', ns.name, 'python3', '-c', ...argv]);
      stack.defer(() => child.kill());
      let last = 0;
      child.stdout.on('data', (text) => {
        last = Number(String(text).trim().split('\n').at(-1));
      });
      return () => last;
    };
    start(db, STREAM);
    start(web, STREAM);
    await until('both serve', async () =>
      (await Promise.all([db, web].map(({ ns }) => ns.exec(['ss', '-tlnH'])))).every((text) =>
        text.includes(':7000'),
      ),
    );
    const forbidden = start(web, LISTEN, db.address);
    const allowed = start(db, LISTEN, web.address);
    await until('both are sent something', async () => forbidden() > 20 && allowed() > 20);
    await apply(CLOSED);
    await until(
      'one is sent nothing any more',
      async () => {
        const [before, other] = [forbidden(), allowed()];
        await delay(700);
        return forbidden() === before && allowed() > other;
      },
      20,
    );
    expect((await agent.client.nodeStatus()).dataplane.endedConnections).toBeGreaterThan(0);
    await overland(['delete', 'networkpolicy', 'db']);
  },
);

test('a workload without a profile reaches nobody until a policy says so', LONG, async () => {
  const lone = await attach('lone', []);
  expect(await pings(web, lone, 0.5)).toBe(false);
  expect(await pings(lone, web, 0.5)).toBe(false);
  await apply(policy('lone', { selector: "app == 'lone'", egress: [{ action: 'Allow' }] }));
  await becomes(true, lone, web);
  expect(await pings(web, lone, 0.5)).toBe(false);
  await overland(['delete', 'networkpolicy', 'lone']);
});

test('policies hold while the agent is dead, and after it has come back', LONG, async () => {
  await apply(CLOSED);
  await becomes(false);
  const ruleset = () => host.exec(['nft', '-a', 'list', 'table', 'inet', 'overland']);
  const before = await ruleset();
  await agent.kill('SIGKILL');
  expect(await pings(web, db, 0.5)).toBe(false);
  expect(await pings(db, web)).toBe(true);
  agent.start();
  await agent.client.waitUntilReady(40_000);
  await until('the policy has been looked at', async () => {
    const { dataplane } = await agent.client.nodeStatus();
    return dataplane.policy?.synced === true && dataplane.local.waiting.length === 0;
  });
  expect(await ruleset()).toBe(before);
  expect(await pings(web, db, 0.5)).toBe(false);
  await apply(OPEN_FOR_WEB);
  await becomes(true);
});

test('a new workload is never reached before its policy', LONG, async () => {
  await apply(policy('guarded', { selector: 'has(guarded)', types: ['Ingress'], ingress: [] }));
  const ns = cleanup.use(await netns());
  // What answers is the container's kernel, as soon as it has the address: probe it from before to after.
  const address = parseAddress('10.65.255.77');
  const request = { containerId: 'guarded', interface: 'eth0', namespacePath: ns.path };
  const probe = web.ns
    .exec(['ping', '-i0.005', '-c800', '-W0.2', address])
    .catch((error: { stdout?: string }) => error.stdout ?? '');
  await agent.client.attach({
    ...request,
    name: 'guarded',
    labels: { guarded: 'yes' },
    addresses: [address],
  });
  // Still probing: what it finds is of before, meanwhile and after.
  expect(await Promise.race([probe, Promise.resolve('probing')])).toBe('probing');
  expect(await probe).toMatch(/ 0 received/);
  expect(await ns.exec(['ping', '-c1', '-W1', web.address])).toContain(' 1 received');
});

test(
  'a table that somebody flushes is put right, counted, and nobody else’s table is touched',
  LONG,
  async () => {
    await apply(CLOSED);
    await becomes(false);
    await host.exec(['nft', 'add', 'table', 'inet', 'mine']);
    const repairs = async () => (await agent.client.nodeStatus()).dataplane.policy?.repairs ?? 0;
    const before = await repairs();
    await host.exec(['nft', 'flush', 'table', 'inet', 'overland']);
    await until('it is repaired', async () => (await repairs()) > before, 15);
    expect(await pings(web, db, 0.5)).toBe(false);
    expect(await pings(db, web)).toBe(true);
    expect(await host.exec(['nft', 'list', 'tables'])).toContain('table inet mine');
  },
);

test('without the datastore an agent that starts repairs from what it knew', LONG, async () => {
  await until('the snapshot is written', () =>
    host
      .exec([
        'grep',
        '-q',
        'NetworkPolicy default/db',
        `${agent.stateDirectory}/policy-snapshot.json`,
      ])
      .then(
        () => true,
        () => false,
      ),
  );
  await agent.kill('SIGTERM');
  await etcd.crash();
  await host.exec(['nft', 'delete', 'table', 'inet', 'overland']);
  agent.start();
  await becomes(false);
  await becomes(true, db, web);
  expect(await pings(web, db, 0.5)).toBe(false);
});
