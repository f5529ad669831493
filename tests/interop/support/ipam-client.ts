import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type DatastoreOptions, openDatastore, UnavailableError } from '@overland/datastore';
import { ContentionError, createIpam, type Ipam, IpamView, NoAddressError } from '@overland/ipam';

// A program: one host that assigns and releases addresses at random. It may be killed at any instruction and started again: its log
// is its journal. Arguments: datastore options (JSON), node, log file, seed, operations in all its lives.
//
// Log, one line each, times of CLOCK_MONOTONIC in nanoseconds, written before each call and after each answer:
//   assign HANDLE TIME / got HANDLE ADDRESS TIME / none HANDLE TIME / release HANDLE TIME / free HANDLE TIME

const [options = '', node = '', path = '', seed = '0', operations = '0'] = process.argv.slice(2);
const MOST_HELD = 5;

/** What the log of earlier lives says of a handle. */
type State = 'unknown' | 'held';

const handles = new Map<string, State>();
let done = 0;
for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []) {
  const [what, handle = ''] = line.split(' ');
  if (what === 'assign') done++;
  if (what === 'assign' || what === 'release') handles.set(handle, 'unknown');
  else if (what === 'got') handles.set(handle, 'held');
  else handles.delete(handle);
}

const log = openSync(path, 'a');
function note(what: string, ...fields: readonly string[]): void {
  writeSync(log, `${[what, ...fields, process.hrtime.bigint()].join(' ')}\n`);
}

let state = Number(seed) + done;
function random(bound: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof UnavailableError || error instanceof ContentionError)) throw error;
      await delay(20);
    }
  }
}

async function release(ipam: Ipam, handle: string): Promise<void> {
  note('release', handle);
  await untilAnswered(() => ipam.release(handle));
  note('free', handle);
  handles.delete(handle);
}

async function assign(ipam: Ipam, handle: string): Promise<void> {
  note('assign', handle);
  handles.set(handle, 'unknown');
  try {
    const attributes = { node };
    const { addresses } = await ipam.assign({ handle, families: ['ipv4'], attributes });
    note('got', handle, addresses[0] ?? '');
    handles.set(handle, 'held');
  } catch (error) {
    // The outcome is unknown: whatever it was, it is undone.
    if (error instanceof UnavailableError || error instanceof ContentionError)
      await release(ipam, handle);
    else if (error instanceof NoAddressError) {
      note('none', handle);
      handles.delete(handle);
    } else throw error;
  }
}

const datastore = await untilAnswered(() => openDatastore(JSON.parse(options) as DatastoreOptions));
const stop = new AbortController();
const view = new IpamView(node);
void view.follow((prefix) => datastore.watch(prefix, stop.signal));
await view.synced;
const ipam = createIpam({ datastore, node, view, now: () => new Date() });
for (const [handle, known] of [...handles]) if (known === 'unknown') await release(ipam, handle);
for (; done < Number(operations); done++) {
  const held = [...handles.keys()];
  const some = held[random(held.length)];
  if (some !== undefined && random(MOST_HELD) < held.length) await release(ipam, some);
  await assign(ipam, `${node}.${process.pid}.${done}`);
  writeSync(1, '.');
}
stop.abort();
void datastore[Symbol.asyncDispose]();
