import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Datastore, type DatastoreOptions, openDatastore } from '@overland/datastore';
import { EtcdProcess } from '@overland/datastore/testing';
import { createCollector } from '@overland/ipam';
import { resourceKey } from '@overland/model';
import { afterEach, beforeEach, expect, test } from 'vitest';

/**
 * Hosts in processes of their own, killed at random, on a real datastore, which is killed too. What they were given is judged from
 * outside, by the logs that they write before each call and after each answer.
 */
const soak = process.env.OVERLAND_SOAK === '1';
const CLIENT = fileURLToPath(new URL('./support/ipam-client.ts', import.meta.url));
const NODE = ['--conditions=@overland/source', '--disable-warning=ExperimentalWarning'];
const SEED = 20_261_127;
/** Fewer addresses than the hosts would hold at most, in small blocks: they contend for the last, and borrow. */
const PER_HOST = 4;

interface Run {
  readonly hosts: number;
  /** Assignments in all; releases come to nearly as many. */
  readonly assignments: number;
  readonly kills: number;
}

const ETCD_RUN: Run = soak
  ? { hosts: 50, assignments: 10_000, kills: 100 }
  : { hosts: 3, assignments: 120, kills: 2 };
const SQLITE_RUN: Run = soak
  ? { hosts: 8, assignments: 4_000, kills: 40 }
  : { hosts: 3, assignments: 90, kills: 2 };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'overland-ipam-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('hosts on etcd, killed as they go, with etcd killed halfway: no address twice, none lost', async () => {
  await using etcd = await EtcdProcess.start();
  await judged(
    { type: 'etcd', endpoints: [etcd.endpoint], deadlineMs: 1000 },
    ETCD_RUN,
    async () => {
      await etcd.crash();
      await etcd.start();
    },
  );
}, 1_200_000);

test('hosts on one SQLite file, killed as they go: no address twice, none lost', async () => {
  await judged({ type: 'sqlite', path: join(directory, 'overland.db') }, SQLITE_RUN);
}, 1_200_000);

async function judged(options: DatastoreOptions, run: Run, halfway?: () => Promise<void>) {
  await using datastore = await openDatastore(options);
  await storePool(datastore, run.hosts);
  const hosts = Array.from({ length: run.hosts }, (_, i) => new Host(i, options, run, directory));
  const kills = killTimes(run);
  let isHalfway = false;
  await Promise.all(
    hosts.map((host) =>
      host.live(async () => {
        const done = hosts.reduce((sum, { progress }) => sum + progress, 0);
        if (halfway && !isHalfway && 2 * done >= run.assignments) {
          isHalfway = true;
          await halfway();
        }
        if (done < (kills[0] ?? Number.POSITIVE_INFINITY)) return;
        const victim = hosts[(kills.shift() ?? 0) % hosts.length];
        victim?.kill();
      }),
    ),
  );
  expect(kills).toEqual([]);
  expect(isHalfway).toBe(halfway !== undefined);

  const logs = await Promise.all(hosts.map(({ log }) => readFile(log, 'utf8')));
  const { holds, violations } = judge(logs);
  process.stdout.write(
    `${run.hosts} hosts on ${options.type}: ${holds} addresses given, ${run.kills} hosts killed\n`,
  );
  expect(violations).toEqual([]);
  expect(holds).toBeGreaterThan(run.assignments / 4);

  // The hosts are gone and have no Node: all that they held and claimed is garbage.
  const collector = createCollector({ datastore, now: () => new Date(), graceSeconds: 0 });
  let collected = await collector.collect();
  // What one look releases, the next finds empty.
  while (collected.waiting + collected.repaired.length > 0) collected = await collector.collect();
  expect((await datastore.list('/calico/ipam/')).entries).toEqual([]);
}

/** One host in as many lives as it takes. */
class Host {
  readonly log: string;
  /** Assignments so far, in all lives. */
  progress = 0;
  readonly #argv: readonly string[];
  #child: ChildProcess | undefined;

  constructor(index: number, options: DatastoreOptions, { hosts, assignments }: Run, path: string) {
    const node = `host${index}`;
    this.log = join(path, `${node}.log`);
    const count = String(Math.ceil(assignments / hosts));
    this.#argv = [CLIENT, JSON.stringify(options), node, this.log, String(SEED + index), count];
  }

  /** @param onProgress Called after every assignment. */
  async live(onProgress: () => Promise<void>): Promise<void> {
    for (;;) {
      const child = spawn(process.execPath, [...NODE, ...this.#argv], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      this.#child = child;
      const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
      for await (const chunk of child.stdout) {
        this.progress += (chunk as Buffer).length;
        await onProgress();
      }
      const [code, signal] = await exit;
      this.#child = undefined;
      if (signal === 'SIGKILL') continue;
      expect(code).toBe(0);
      return;
    }
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }
}

/** After how many assignments a host is killed, in order: the same for every run. */
function killTimes({ kills, assignments }: Run): number[] {
  let state = SEED;
  return Array.from({ length: kills }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 1 + Math.floor((state / 2 ** 32) * assignments * 0.7);
  }).toSorted((a, b) => a - b);
}

interface Hold {
  readonly handle: string;
  readonly address: string;
  readonly from: bigint;
  to: bigint | undefined;
}

/**
 * An address is a host's from the answer that gave it until the call that gives it back. Two such times that overlap are an
 * address that was given twice, whatever became of calls without an answer.
 */
function judge(logs: readonly string[]): { readonly holds: number; readonly violations: string[] } {
  const holds: Hold[] = [];
  for (const log of logs) {
    const open = new Map<string, Hold>();
    for (const line of log.split('\n')) {
      const [what, handle = '', second = '', third = ''] = line.split(' ');
      if (what === 'got') {
        const hold = { handle, address: second, from: BigInt(third), to: undefined };
        open.set(handle, hold);
        holds.push(hold);
      } else if (what === 'release') {
        const hold = open.get(handle);
        if (hold && hold.to === undefined) hold.to = BigInt(second);
      }
    }
  }
  const violations: string[] = [];
  for (const ofAddress of Map.groupBy(holds, ({ address }) => address).values()) {
    const sorted = ofAddress.toSorted((a, b) => (a.from < b.from ? -1 : 1));
    for (const [i, hold] of sorted.entries()) {
      const next = sorted[i + 1];
      if (next && (hold.to === undefined || next.from < hold.to)) {
        violations.push(`${hold.address} was given to ${hold.handle} and ${next.handle}`);
      }
    }
  }
  return { holds: holds.length, violations };
}

test('the judge finds an address that was given twice', () => {
  const first = 'assign a 1\ngot a 10.0.0.1 2\nrelease a 9\nfree a 10';
  const during = 'assign b 3\ngot b 10.0.0.1 4';
  expect(judge([first, during]).violations).toEqual(['10.0.0.1 was given to a and b']);
  expect(judge([first, 'assign b 8\ngot b 10.0.0.1 11']).violations).toEqual([]);
});

async function storePool(datastore: Datastore, hosts: number): Promise<void> {
  const bits = Math.ceil(Math.log2(hosts * PER_HOST));
  const spec = { cidr: `10.65.0.0/${32 - bits}`, blockSize: 30 };
  const metadata = { name: 'small' };
  const pool = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata, spec };
  const key = resourceKey('IPPool', metadata);
  const value = JSON.stringify(pool);
  await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
}
