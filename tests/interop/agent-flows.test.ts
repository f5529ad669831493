import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FlowRecord } from '@overland/agent/client';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHost, agentHost, OVERLAND } from './support/agent.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

const run = promisify(execFile);
const LONG = { timeout: 60_000 };

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
  {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name: 'db', namespace: 'default' },
    spec: {
      selector: "app == 'db'",
      types: ['Ingress'],
      ingress: [
        { action: 'Deny', protocol: 'ICMP', source: { selector: "app == 'other'" } },
        { action: 'Allow', protocol: 'ICMP', source: { selector: "app == 'web'" } },
      ],
    },
  },
  {
    apiVersion: 'projectcalico.org/v3',
    kind: 'StagedNetworkPolicy',
    metadata: { name: 'later', namespace: 'default' },
    spec: { order: 1, selector: "app == 'db'", types: ['Ingress'], ingress: [{ action: 'Deny' }] },
  },
];

const cleanup = new AsyncDisposableStack();
let host: TestNamespace;
let agent: AgentHost;
const workloads = new Map<string, { readonly ns: TestNamespace; readonly address: string }>();

beforeAll(async () => {
  host = cleanup.use(await netns());
  await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
  const settings = { nodeName: 'host11', asNumber: 65101, ipv4: '10.255.1.11', ipv6: 'none' };
  const quick = { offerWaitSeconds: 0, datastoreWaitSeconds: 1 };
  agent = cleanup.use(await agentHost(host, { ...settings, ...quick }, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
  for (const name of ['web', 'db', 'other']) {
    const ns = cleanup.use(await netns());
    const request = { containerId: name, interface: 'eth0', namespacePath: ns.path, name };
    const { addresses } = await agent.client.attach({ ...request, labels: { app: name } });
    workloads.set(name, { ns, address: String(addresses[0]) });
  }
}, 90_000);
afterAll(() => cleanup.disposeAsync());

function named(name: string) {
  const found = workloads.get(name);
  if (!found) throw new Error(`no workload ${name}`);
  return found;
}

async function ping(from: string, to: string): Promise<boolean> {
  return named(from)
    .ns.exec(['ping', '-c1', '-W0.5', named(to).address])
    .then(
      () => true,
      () => false,
    );
}

/** Runs `overland …` on the host, and kills it when what it has printed is enough. */
async function overland(args: readonly string[], isEnough: (out: string) => boolean) {
  const [program, ...argv] = OVERLAND;
  const env = {
    ...process.env,
    OVERLAND_API_SOCKET: join(agent.stateDirectory, 'agent.sock'),
    OVERLAND_SQLITE_PATH: join(agent.stateDirectory, 'datastore.db'),
  };
  const running = run('ip', ['netns', 'exec', host.name, program, ...argv, ...args], { env });
  let out = '';
  running.child.stdout?.on('data', (text: string) => {
    out += text;
    if (isEnough(out)) running.child.kill('SIGINT');
  });
  await running.catch(() => undefined);
  return out;
}

test(
  'flows are told with their ends, and with the rule that let them through or did not',
  LONG,
  async () => {
    // Somebody asks, so that the agent listens.
    await agent.client.flows({ after: 0, waitMs: 0 });
    let records: readonly FlowRecord[] = [];
    const between = (from: string, verdict: FlowRecord['verdict']) =>
      records.find(
        (record) =>
          record.source.name === `default/${from}` &&
          record.destination.name === 'default/db' &&
          record.verdict === verdict,
      );
    await until('both flows have a record', async () => {
      expect(await ping('web', 'db')).toBe(true);
      expect(await ping('other', 'db')).toBe(false);
      ({ records } = await agent.client.flows({ after: 0, waitMs: 0 }));
      return between('web', 'allow') && between('other', 'deny');
    });
    expect(between('web', 'allow')).toMatchObject({
      node: 'host11',
      source: { kind: 'workload', address: named('web').address, labels: { app: 'web' } },
      destination: { kind: 'workload', address: named('db').address },
      protocol: 'ICMP',
      icmpType: 8,
      reasons: [
        { direction: 'egress', action: 'allow' },
        { direction: 'ingress', action: 'allow', policy: 'NetworkPolicy default/db', rule: 2 },
      ],
    });
    const denied = between('other', 'deny');
    expect(denied?.packets).toBeGreaterThan(0);
    expect(denied?.reasons.at(-1)).toMatchObject({
      direction: 'ingress',
      tier: 'default',
      policy: 'NetworkPolicy default/db',
      rule: 1,
    });
  },
);

test('overland flows shows them as they come, and those of before', LONG, async () => {
  const isEnough = (out: string) => out.includes('default/other -> default/db');
  const following = overland(['flows', '--follow', '--denied'], isEnough);
  let isOver = false;
  void following.finally(() => {
    isOver = true;
  });
  while (!isOver) await ping('other', 'db');
  expect(await following).toMatch(
    /deny +default\/other -> default\/db +ICMP type 8 code 0 +\d+ packets? dropped +ingress of default\/.*: rule 1 of NetworkPolicy default\/db/,
  );
  const log = await overland(['flows', '-o', 'json'], () => false);
  expect(log.trim().split('\n').length).toBeGreaterThan(1);
});

test(
  'a trace shows the rule of the policy that drops a packet, and leaves nothing behind',
  LONG,
  async () => {
    const flow = ['--from', 'default/other', '--to', 'default/db', '--port', 'icmp'];
    const tracing = overland(['trace', ...flow], () => false);
    let isOver = false;
    void tracing.finally(() => {
      isOver = true;
    });
    while (!isOver) await ping('other', 'db');
    const text = await tracing;
    expect(text).toMatch(/^1 packet in by cali\w+, out by cali\w+: dropped\n/);
    expect(text).toMatch(/inet overland ingress\/NetworkPolicy\/default\/db +.*goto denied\n/);
    expect(await host.exec(['nft', 'list', 'tables'])).not.toContain('overland-trace');
  },
);

test(
  'policy show --live tells what the packet filter was told, with the sizes of sets',
  LONG,
  async () => {
    const text = await overland(['policy', 'show', named('db').address, '--live'], () => false);
    expect(text).toMatch(/^default\/\S+ at cali\w+, 10\.65\.\S+\nin nftables\n/);
    expect(text).toMatch(
      /NetworkPolicy default\/db\n +1\. Deny ICMP from .*app == ["']other["'].* \(1\)\n/,
    );
    const unknown = await overland(['policy', 'show', 'nobody', '--live'], () => false);
    expect(unknown).toBe('');
  },
);

test('what a staged policy would deny is told and counted, and not denied', LONG, async () => {
  await agent.client.flows({ after: 0, waitMs: 0 });
  await until('a flow would be denied', async () => {
    expect(await ping('web', 'db')).toBe(true);
    const { records } = await agent.client.flows({ after: 0, waitMs: 0 });
    const staged = records.at(-1)?.reasons.at(-1)?.staged;
    return staged?.policy === 'StagedNetworkPolicy default/later' && staged.action === 'deny';
  });
  const metrics = String(await agent.client.call('GET', '/metrics'));
  expect(metrics).toMatch(
    /overland_staged_denied_connections_total\{policy="StagedNetworkPolicy default\/later"\} [1-9]/,
  );
  const text = await overland(['policy', 'show', named('db').address, '--live'], () => false);
  expect(text).toMatch(/with the staged policies[\s\S]*StagedNetworkPolicy default\/later/);
});

test('metrics count who denies', LONG, async () => {
  const metrics = String(await agent.client.call('GET', '/metrics'));
  expect(metrics).toMatch(
    /overland_denied_packets_total\{policy="NetworkPolicy default\/db"\} \d+/,
  );
});
