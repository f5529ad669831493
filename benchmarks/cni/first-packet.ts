import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { type AgentHost, agentHost } from '../../tests/interop/support/agent.ts';
import { startBird } from '../../tests/interop/support/bird.ts';
import { pluginDirectory } from '../../tests/interop/support/cni-plugin.ts';
import { manifest } from '../../tests/interop/support/manifest.ts';

// How long after ADD has returned a new container is answered by one on another host, behind a leaf (BIRD), over IPv4 and IPv6;
// and how much more memory an agent has with many containers.
//   scripts/isolated node --conditions=@overland/source benchmarks/cni/first-packet.ts [ROUNDS [CONTAINERS]]
// The block of the host is known to the other one before the first round.

const ROUNDS = Number(process.argv[2] ?? 50);
const CONTAINERS = Number(process.argv[3] ?? 250);
const PROBE = join(import.meta.dirname, 'first-packet-probe.ts');
const HOSTS = [1, 2] as const;

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 22 }),
  manifest('IPPool', 'ipv6', { cidr: 'fd00:65::/48', blockSize: 118 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
  ...HOSTS.flatMap((at) =>
    [`10.254.${at}.0`, `fd00:254:${at}::`].map((peerIP, family) =>
      manifest('BGPPeer', `leaf-${at}-${family}`, {
        node: `host${at}`,
        asNumber: 65_010,
        sourceAddress: 'None',
        peerIP,
      }),
    ),
  ),
];

const session = (at: number, family: 'ipv4' | 'ipv6', neighbor: string): string =>
  `protocol bgp host${at}_${family} from host { neighbor ${neighbor} as ${65_100 + at}; ${family} { import all; export where source = RTS_BGP; }; }`;
const LEAF = `
router id 10.255.0.1;
protocol device { scan time 10; }
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
protocol kernel { ipv6 { import none; export where source = RTS_BGP; }; }
template bgp host { local as 65010; hold time 9; connect delay time 1; connect retry time 1; error wait time 1, 2; }
${HOSTS.map((at) => `${session(at, 'ipv4', `10.254.${at}.1`)}\n${session(at, 'ipv6', `fd00:254:${at}::1`)}`).join('\n')}
`;

interface Host {
  readonly at: number;
  readonly namespace: TestNamespace;
  readonly agent: AgentHost;
}

interface Probe extends Disposable {
  ask(address: string): Promise<number>;
}

await using cleanup = new AsyncDisposableStack();

async function startHost(at: number, leaf: TestNamespace, sqlitePath?: string): Promise<Host> {
  const namespace = cleanup.use(await netns());
  await cable(
    {
      namespace: leaf,
      device: `eth${at}`,
      addresses: [`10.254.${at}.0/31`, `fd00:254:${at}::/127`],
    },
    { namespace, device: 'eth1', addresses: [`10.254.${at}.1/31`, `fd00:254:${at}::1/127`] },
  );
  await namespace.ip('address', 'add', `10.255.1.${at}/32`, 'dev', 'lo');
  await namespace.ip('address', 'add', `fd00:255:1::${at}/128`, 'dev', 'lo');
  const settings = {
    nodeName: `host${at}`,
    asNumber: 65_100 + at,
    ipv4: `10.255.1.${at}`,
    ipv6: `fd00:255:1::${at}`,
    logLevel: 'error',
    ...(sqlitePath !== undefined && { sqlitePath }),
  };
  const agent = cleanup.use(
    await agentHost(namespace, settings, sqlitePath === undefined ? MANIFESTS : []),
  );
  agent.start();
  await agent.client.waitUntilReady(60_000);
  return { at, namespace, agent };
}

/** @returns The container's addresses. */
async function call(
  host: Host,
  command: 'ADD' | 'DEL',
  container: TestNamespace,
): Promise<string[]> {
  const { namespace, agent } = host;
  const child = spawn('nsenter', [`--net=/run/netns/${namespace.name}`, plugin], {
    env: {
      PATH: process.env.PATH,
      OVERLAND_API_SOCKET: join(agent.stateDirectory, 'agent.sock'),
      OVERLAND_STATE_DIRECTORY: agent.stateDirectory,
      CNI_COMMAND: command,
      CNI_CONTAINERID: container.name,
      CNI_NETNS: container.path,
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/usr/lib/cni',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ cniVersion: '1.0.0', name: 'fabric', type: 'overland' }));
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${output}`);
  if (command === 'DEL') return [];
  const { ips } = JSON.parse(output) as { readonly ips: readonly { readonly address: string }[] };
  return ips.map(({ address }) => address.replace(/\/.*/, ''));
}

async function startProbe(container: TestNamespace, role: 'echo' | 'ask'): Promise<Probe> {
  const argv = [`--net=${container.path}`, process.execPath, PROBE, role];
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('nsenter', argv, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async (): Promise<string> => (await lines.next()).value ?? '';
  await line();
  return {
    async ask(address) {
      child.stdin.write(`${address}\n`);
      return Number(await line());
    },
    [Symbol.dispose]() {
      child.kill();
    },
  };
}

/** Proportional set size of an agent, octets. */
async function memoryOf({ agent }: Host): Promise<number> {
  const found = await promisify(execFile)('pgrep', [
    '-f',
    `agent --config ${agent.stateDirectory}/`,
  ]);
  const sizes = found.stdout
    .trim()
    .split('\n')
    .map(async (pid) => {
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      return Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
    });
  return Math.max(...(await Promise.all(sizes)));
}

function row(name: string, values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return `${name.padEnd(28)} ${[0.5, 0.95, 1].map((share) => (at(share) ?? Number.NaN).toFixed(2).padStart(8)).join('')}`;
}

const plugin = join(await pluginDirectory('auto'), 'overland');
const leaf = cleanup.use(await netns());
for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
  await leaf.exec(['sysctl', '-qw', `${key}=1`]);
}
cleanup.use(await startBird(leaf, LEAF));
const first = await startHost(1, leaf);
const second = await startHost(2, leaf, join(first.agent.stateDirectory, 'datastore.db'));

const server = cleanup.use(await netns());
const targets = await call(second, 'ADD', server);
cleanup.use(await startProbe(server, 'echo'));
const times = new Map(targets.map((address) => [address, [] as number[]]));
for (let round = -5; round < ROUNDS; round++) {
  // The families in turns: only the first packet is of interest.
  const address = targets[(round + 5) % targets.length] as string;
  await using container = await netns();
  using probe = await startProbe(container, 'ask');
  await call(first, 'ADD', container);
  const took = await probe.ask(address);
  if (round >= 0) times.get(address)?.push(took);
  await call(first, 'DEL', container);
}
console.log('ms after ADD until a container of another host has answered: median, p95, max');
for (const [address, values] of times)
  console.log(row(address.includes(':') ? 'IPv6' : 'IPv4', values));

const before = await memoryOf(first);
await using fleet = new AsyncDisposableStack();
for (let at = 0; at < CONTAINERS; at++) await call(first, 'ADD', fleet.use(await netns()));
const after = await memoryOf(first);
console.log(
  `agent: ${(before / 2 ** 20).toFixed(0)} MiB, with ${CONTAINERS} containers ${(after / 2 ** 20).toFixed(0)} MiB: ${((after - before) / CONTAINERS / 1000).toFixed(1)} kB each`,
);
