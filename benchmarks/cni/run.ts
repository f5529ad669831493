import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { agentHost } from '../../tests/interop/support/agent.ts';
import { pluginDirectory } from '../../tests/interop/support/cni-plugin.ts';
import { manifest } from '../../tests/interop/support/manifest.ts';

// How long a container runtime waits for ADD and DEL of `overland` (compiled, and as the script) beside the reference `ptp`
// with `host-local`: each round one of each into a fresh network namespace, in turns, one host namespace for each plugin.
//   scripts/isolated node --conditions=@overland/source benchmarks/cni/run.ts [ROUNDS [CONCURRENT]]
// Needs gcc, and Debian's containernetworking-plugins. Every call is through nsenter, which is part of what is measured.

const ROUNDS = Number(process.argv[2] ?? 50);
const CONCURRENT = Number(process.argv[3] ?? 50);
const DEBIAN = '/usr/lib/cni';

interface Contender {
  readonly name: string;
  readonly host: TestNamespace;
  readonly plugin: string;
  readonly config: object;
  readonly env: Readonly<Record<string, string>>;
}

/** @returns How long the call took, milliseconds. */
async function call(
  contender: Contender,
  command: string,
  container: TestNamespace,
): Promise<number> {
  const { host, plugin, config, env } = contender;
  const began = performance.now();
  const child = spawn('nsenter', [`--net=/run/netns/${host.name}`, plugin], {
    env: {
      ...env,
      PATH: process.env.PATH,
      CNI_COMMAND: command,
      CNI_CONTAINERID: container.name,
      CNI_NETNS: container.path,
      CNI_IFNAME: 'eth0',
      CNI_PATH: DEBIAN,
    },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(JSON.stringify(config));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${contender.name}: ${command} ended with ${code}`);
  return performance.now() - began;
}

async function ours(
  name: string,
  host: TestNamespace,
  form: 'compiled' | 'script',
  env: Record<string, string>,
): Promise<Contender> {
  const plugin = join(await pluginDirectory(form), 'overland');
  return {
    name,
    host,
    plugin,
    env,
    config: { cniVersion: '1.0.0', name: 'fabric', type: 'overland' },
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function row(name: string, values: readonly number[]): string {
  const shown = [0.5, 0.95, 1].map((share) => quantile(values, share).toFixed(1));
  return `${name.padEnd(24)} ${shown.map((text) => text.padStart(8)).join('')}`;
}

await using cleanup = new AsyncDisposableStack();
const host = cleanup.use(await netns());
const other = cleanup.use(await netns());
await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
const agent = cleanup.use(
  await agentHost(
    host,
    { nodeName: 'host11', ipv4: '10.255.1.11', offerWaitSeconds: 0, logLevel: 'error' },
    [
      manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 24 }),
      manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
    ],
  ),
);
agent.start();
await agent.client.waitUntilReady(60_000);
const dataDir = await mkdtemp(join(tmpdir(), 'host-local-'));
cleanup.defer(() => rm(dataDir, { recursive: true }));
const env = {
  OVERLAND_API_SOCKET: join(agent.stateDirectory, 'agent.sock'),
  OVERLAND_STATE_DIRECTORY: agent.stateDirectory,
};
const ranges = [[{ subnet: '10.9.0.0/16' }]];
const reference: Contender = {
  name: 'ptp + host-local',
  host: other,
  plugin: join(DEBIAN, 'ptp'),
  config: {
    cniVersion: '1.0.0',
    name: 'reference',
    type: 'ptp',
    ipam: { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }], dataDir },
  },
  env: {},
};
const contenders = [
  await ours('overland', host, 'compiled', env),
  await ours('overland, script', host, 'script', env),
  reference,
];

const times = new Map(
  contenders.map(({ name }) => [name, { ADD: [] as number[], DEL: [] as number[] }]),
);
for (let round = -3; round < ROUNDS; round++) {
  for (const contender of contenders) {
    await using container = await netns();
    const add = await call(contender, 'ADD', container);
    const del = await call(contender, 'DEL', container);
    if (round < 0) continue;
    times.get(contender.name)?.ADD.push(add);
    times.get(contender.name)?.DEL.push(del);
  }
}
console.log(`ms, ${ROUNDS} rounds            median     p95     max`);
for (const [name, { ADD, DEL }] of times) {
  console.log(row(`ADD ${name}`, ADD));
  console.log(row(`DEL ${name}`, DEL));
}

console.log(`ms, ${CONCURRENT} at once, three times`);
for (const contender of [0, 1, 2].flatMap(() =>
  contenders.filter((one) => !one.name.endsWith('script')),
)) {
  await using fleet = new AsyncDisposableStack();
  const containers: TestNamespace[] = [];
  for (let at = 0; at < CONCURRENT; at++) containers.push(fleet.use(await netns()));
  const added = performance.now();
  await Promise.all(containers.map((container) => call(contender, 'ADD', container)));
  const deleted = performance.now();
  await Promise.all(containers.map((container) => call(contender, 'DEL', container)));
  const ended = performance.now();
  console.log(
    `${contender.name.padEnd(24)} ADD ${(deleted - added).toFixed(0)}, DEL ${(ended - deleted).toFixed(0)}`,
  );
}
