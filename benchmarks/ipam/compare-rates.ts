import type { Datastore } from '@overland/datastore';
import { type Prefix, subnetAt } from '@overland/net';
import { type Measured, startFleet } from './fleet.ts';
import { BLOCK_LENGTH, BLOCK_SIZE, OWN } from './setting.ts';
import { storeBlocks } from './store-blocks.ts';

export interface Comparison {
  readonly hosts: number;
  readonly lanes: number;
  /** Of all hosts, a round. */
  readonly assignments: number;
  readonly rounds: number;
  readonly etcdPid: number;
}

/** Assignments, then the minimal client with as many conditions, and with none; so many rounds of the three. Medians. */
export async function compareRates(
  store: Datastore,
  { hosts, lanes, assignments, rounds, etcdPid }: Comparison,
) {
  const count = assignments / hosts;
  const blocksPerHost = Math.ceil(count / BLOCK_SIZE) + 1;
  const [ours, raw, puts]: [Measured[], Measured[], Measured[]] = [[], [], []];
  await using fleet = startFleet(hosts, etcdPid);
  for (let round = -1; round < rounds; round++) {
    const nodeOf = (host: number): string => `bench-${hosts}-${round + 1}-${host}`;
    for (let host = 0; host < hosts; host++) {
      await storeBlocks(store, nodeOf(host), Array.from({ length: blocksPerHost }, nextBlock));
    }
    await fleet.run((host) => ({ type: 'open', node: nodeOf(host) }));
    const assigned = await fleet.run(() => ({ type: 'assign', count, lanes }));
    const same = await fleet.run(() => ({ type: 'replay', count, lanes, conditions: 3 }));
    const least = await fleet.run(() => ({ type: 'replay', count, lanes, conditions: 0 }));
    await fleet.run(() => ({ type: 'close' }));
    if (round < 0) continue; // warms up
    ours.push(assigned);
    raw.push(same);
    puts.push(least);
  }
  const what = `${hosts} × ${lanes}`;
  return [
    rowOf(`${what} assignments`, ours),
    rowOf(`${what} raw, 3 conditions`, raw, ours),
    rowOf(`${what} raw, no conditions`, puts, ours),
  ];
}

function rowOf(what: string, rounds: readonly Measured[], ours?: readonly Measured[]) {
  const of = (key: keyof Measured): number => median(rounds.map((round) => round[key]));
  const ratios = ours?.map(({ perSecond }, i) => perSecond / (rounds[i]?.perSecond ?? Number.NaN));
  const sorted = ratios?.toSorted((a, b) => a - b);
  const fixed = (value: number | undefined): string => value?.toFixed(2) ?? '';
  return {
    what,
    'per s': Math.round(of('perSecond')),
    p50: fixed(of('p50')),
    p99: fixed(of('p99')),
    'host CPU': fixed(of('hostCpu')),
    'etcd CPU': fixed(of('etcdCpu')),
    "ours' ratio": sorted ? fixed(median(sorted)) : '',
    'of the rounds': sorted ? `${fixed(sorted[0])} to ${fixed(sorted.at(-1))}` : '',
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

let blocksGiven = 0n;
function nextBlock(): Prefix {
  return subnetAt(OWN, BLOCK_LENGTH, blocksGiven++);
}
