import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { cable, netns } from '@overland/linux/testing';

/**
 * How long does a table take from one eBGP peer through a speaker to another, over TCP, and what does the speaker need?
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/bgp-transfer.ts [prefixes] [rounds]
 *
 * The speakers, each a process of its own: `overland bgp run --no-fib` (compiled, as in production) and BIRD. Peers are
 * workers with a codec of their own. Kernel routes are left out: they cost the same whoever asks for them.
 */

const PREFIXES = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const PORT = 20_179;
const SPEAKER = '10.254.0.1';
const FEEDER = { address: '10.254.0.2', asn: 65011 };
const RECEIVER = { address: '10.254.0.3', asn: 65012 };
const PATIENCE_MS = 120_000;

const [router, peers] = [await netns(), await netns()];
const addresses = [FEEDER, RECEIVER].map(({ address }) => `${address}/24`);
await cable(
  { namespace: router, device: 'eth1', addresses: [`${SPEAKER}/24`] },
  { namespace: peers, device: 'eth1', addresses },
);

interface Result {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly residentMb: number;
  /** Longest time between two keepalives at a peer; they are due every second at the latest. */
  readonly longestSilenceMs: number;
}

async function overland(directory: string): Promise<ChildProcess> {
  const file = join(directory, 'speaker.yaml');
  const peers = [FEEDER, RECEIVER].map((peer) => ({ ...peer, passive: true, keepaliveSeconds: 1 }));
  const listen = [{ address: SPEAKER, port: PORT }];
  await writeFile(file, JSON.stringify({ asn: 65000, routerId: '10.0.0.1', listen, peers }));
  const options = ['--no-fib', '--socket', join(directory, 'bgp.sock'), '--log-level', 'warn'];
  const bin = join(import.meta.dirname, '../packages/cli/dist/bin.js');
  return inside([process.execPath, bin, 'bgp', 'run', '-c', file, ...options]);
}

async function bird(directory: string): Promise<ChildProcess> {
  const file = join(directory, 'bird.conf');
  const protocol = ({ address, asn }: typeof FEEDER): string => `
protocol bgp {
  local ${SPEAKER} port ${PORT} as 65000; neighbor ${address} as ${asn}; direct; passive; strict bind;
  keepalive time 1; ipv4 { import all; export all; next hop self; gateway direct; };
}`;
  const session = [FEEDER, RECEIVER].map(protocol).join('');
  await writeFile(
    file,
    `router id 10.0.0.1; protocol device {} protocol direct { ipv4; }${session}`,
  );
  const paths = ['-s', join(directory, 'bird.ctl'), '-P', join(directory, 'bird.pid')];
  return inside(['bird', '-f', '-c', file, ...paths]);
}

/** `ip netns exec` becomes the program, so the process is the program's. */
function inside(argv: readonly string[]): ChildProcess {
  return spawn('ip', ['netns', 'exec', router.name, ...argv]);
}

async function measure(start: (directory: string) => Promise<ChildProcess>): Promise<Result> {
  const speaker = await start(await mkdtemp(join(tmpdir(), 'transfer-')));
  speaker.stderr?.pipe(process.stderr);
  const pid = speaker.pid ?? 0;
  await listening(pid);
  const [feed, arrived] = [new SharedArrayBuffer(8), new SharedArrayBuffer(8)];
  const workers = [peer(FEEDER, PREFIXES, feed), peer(RECEIVER, 0, arrived)];
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  await delay(500);

  const [startMs, startCpu] = [performance.now(), await cpuSeconds(pid)];
  workers[0]?.postMessage('go');
  const counter = new Int32Array(arrived);
  while (Atomics.load(counter, 0) < PREFIXES) {
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(`${counter[0]} arrived in vain`);
    await delay(2);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const result = {
    seconds,
    cpuSeconds: (await cpuSeconds(pid)) - startCpu,
    residentMb: await residentMb(pid),
    longestSilenceMs: Math.max(new Int32Array(feed)[1] ?? 0, counter[1] ?? 0),
  };
  for (const worker of workers) await worker.terminate();
  speaker.kill('SIGKILL');
  await once(speaker, 'exit');
  return result;
}

/** Waits until it listens: the port in hexadecimal, in state 0A, in the speaker's own namespace. */
async function listening(pid: number): Promise<void> {
  const wanted = new RegExp(`:${PORT.toString(16).toUpperCase()} [0-9A-F]+:0000 0A`);
  for (const startMs = performance.now(); ; await delay(50)) {
    if (wanted.test(await readFile(`/proc/${pid}/net/tcp`, 'utf8'))) return;
    if (performance.now() - startMs > PATIENCE_MS) throw new Error('the speaker does not listen');
  }
}

function peer(own: typeof FEEDER, prefixes: number, shared: SharedArrayBuffer): Worker {
  return new Worker(new URL('./bgp-transfer-peer.ts', import.meta.url), {
    workerData: { ...own, namespace: peers.path, speaker: SPEAKER, port: PORT, prefixes, shared },
  });
}

/** User and system time of all threads: fields 14 and 15 of /proc/PID/stat, in hundredths of a second. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const rows: Record<string, string | number>[] = [];
for (let round = 1; round <= ROUNDS; round += 1) {
  for (const [speaker, start] of Object.entries({ overland, bird })) {
    const result = await measure(start);
    const rounded = Object.entries(result).map(([key, value]) => [key, Number(value.toFixed(2))]);
    rows.push({ round, speaker, ...Object.fromEntries(rounded) });
  }
}
console.table(rows);
process.exit(0);
