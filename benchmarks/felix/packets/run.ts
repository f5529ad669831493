import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestNamespace } from '@overland/linux/testing';
import { median } from '../../bgp/statistics.ts';
import { addressIn } from '../host/cluster.ts';
import { floor, linear, ours } from './filters.ts';
import { compileLoad, type Load, type Way, way } from './way.ts';

/**
 * What do policy and anti-spoofing of 500 endpoints cost a packet, a round trip, a stream and a new connection, beside routing that only tracks
 * connections, and beside chains of iptables for the same policy that are gone through one by one? And what does it cost to listen
 * to flows? Pairs are interleaved; of their ratios the geometric mean and its 95 % interval. Needs gcc and iptables. As root:
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/felix/packets/run.ts [PAIRS [MILLISECONDS [ENDPOINTS]]]
 */

const PAIRS = Number(process.argv[2] ?? 20);
const MILLISECONDS = Number(process.argv[3] ?? 300);
const ENDPOINTS = Number(process.argv[4] ?? 500);
/** In the middle of those that a linear chain goes through. */
const MEASURED = Math.floor(ENDPOINTS / 2);

const FILTERS = {
  ours,
  'ours, flows on': ours,
  floor,
  'iptables-legacy': linear('legacy', false),
  'iptables-legacy, established first': linear('legacy', true),
  'iptables-nft': linear('nft', false),
  'iptables-nft, established first': linear('nft', true),
} as const;
type Name = keyof typeof FILTERS;

interface Comparison {
  readonly load: Load;
  readonly of: Name;
  readonly against: Name;
  readonly atLeast?: number;
}

const COMPARISONS: readonly Comparison[] = [
  { load: 'packets', of: 'ours', against: 'floor', atLeast: 0.95 },
  { load: 'answer', of: 'ours', against: 'floor', atLeast: 0.92 },
  { load: 'stream', of: 'ours', against: 'floor', atLeast: 0.92 },
  { load: 'packets', of: 'ours', against: 'iptables-legacy' },
  { load: 'packets', of: 'ours', against: 'iptables-legacy, established first' },
  { load: 'connect', of: 'ours', against: 'floor' },
  { load: 'connect', of: 'ours', against: 'iptables-legacy', atLeast: 1.3 },
  { load: 'connect', of: 'ours', against: 'iptables-legacy, established first', atLeast: 1.3 },
  { load: 'connect', of: 'ours', against: 'iptables-nft', atLeast: 5 },
  { load: 'connect', of: 'ours', against: 'iptables-nft, established first', atLeast: 5 },
  { load: 'stream', of: 'ours, flows on', against: 'ours', atLeast: 0.95 },
  { load: 'connect', of: 'ours, flows on', against: 'ours' },
];

await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'packets-'));
stack.defer(() => rm(directory, { recursive: true }));
const program = await compileLoad();
const ways = new Map<Name, Way>();
for (const name of Object.keys(FILTERS) as Name[]) {
  const made = stack.use(await way(program, MEASURED, addressIn(10, MEASURED)));
  await FILTERS[name](made.host, ENDPOINTS, directory);
  if (name === 'ours, flows on') stack.use(await listenToFlows(made.host));
  ways.set(name, made);
}
const table = [];
for (const comparison of COMPARISONS) table.push(await compare(comparison));
console.table(table);

async function compare({ load, of, against, atLeast }: Comparison) {
  const [ratios, rates]: [number[], [number, number][]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair++) {
    // Which is first changes: what one leaves behind, the other one has to bear.
    const names = pair % 2 === 0 ? [of, against] : [against, of];
    const found = new Map<Name, number>();
    for (const name of names)
      found.set(name, (await ways.get(name)?.load(load, MILLISECONDS)) ?? 0);
    const [one = 0, other = 0] = [found.get(of), found.get(against)];
    ratios.push(one / other);
    rates.push([one, other]);
  }
  const { low, middle, high } = interval(ratios);
  return {
    load,
    of,
    against,
    'a second': median(rates.map(([one]) => one)).toExponential(2),
    'against that': median(rates.map(([, other]) => other)).toExponential(2),
    ratio: `${middle.toFixed(3)} (${low.toFixed(3)} – ${high.toFixed(3)})`,
    'at least': atLeast ?? '',
    verdict: verdictOf(atLeast, low, high),
  };
}

/** Geometric mean of ratios, and its 95 % interval (normal: there are 20 of them or more). */
function interval(ratios: readonly number[]): { low: number; middle: number; high: number } {
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const squares = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = 1.96 * Math.sqrt(squares / Math.max(1, logs.length - 1) / logs.length);
  return { low: Math.exp(mean - half), middle: Math.exp(mean), high: Math.exp(mean + half) };
}

/** Only what the whole interval says: a loaded machine proves little. */
function verdictOf(atLeast: number | undefined, low: number, high: number): string {
  if (atLeast === undefined) return '';
  if (low >= atLeast) return 'met';
  return high < atLeast ? 'missed' : 'unclear';
}

async function listenToFlows({ name }: TestNamespace): Promise<AsyncDisposable> {
  const listener = join(import.meta.dirname, 'flow-listener.ts');
  const argv = ['netns', 'exec', name, process.execPath, '--conditions=@overland/source', listener];
  const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
