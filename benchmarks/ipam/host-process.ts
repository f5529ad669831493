import { type Host, hostOf, requestOf, type Written } from './host.ts';
import { rawClient } from './raw-client.ts';

// One host of the benchmark: a process, as in a real fleet. Its parent says what to do, and when.

/** `open` is not measured: it opens the blocks of a name. `replay` writes what `assign` has written last. */
export type Order =
  | { readonly type: 'open'; readonly node: string }
  | { readonly type: 'close' }
  | { readonly type: 'assign'; readonly count: number; readonly lanes: number }
  | {
      readonly type: 'replay';
      readonly count: number;
      readonly lanes: number;
      /** As many as an assignment has, or none. */
      readonly conditions: number;
    };

/** Milliseconds. */
export interface Done {
  readonly latencies: readonly number[];
  readonly cpu: number;
}

const client = rawClient();
let host: Host | undefined;
let node = '';
let replays = 0;

async function carryOut(order: Order): Promise<void> {
  const latencies: number[] = [];
  const before = process.cpuUsage();
  if (order.type === 'open') {
    node = order.node;
    host = await hostOf(node);
    await host.ipam.assign(requestOf(node, `${node}-first`));
    host.written.length = 0;
  } else if (order.type === 'close') {
    await host?.[Symbol.asyncDispose]();
  } else {
    const work = order.type === 'assign' ? assign : replay(order.conditions);
    await runLanes(order, latencies, work);
  }
  const { user, system } = process.cpuUsage(before);
  process.send?.({ latencies, cpu: (user + system) / 1000 } satisfies Done);
}

const assign = async (i: number): Promise<void> => {
  await host?.ipam.assign(requestOf(node, `${node}-c${i}`));
};

function replay(conditions: number): (i: number) => Promise<void> {
  const written: readonly Written[] = host?.written ?? [];
  const name = `${node}-${replays++}`;
  return (i) => {
    const item = written[i];
    if (!item) throw new Error(`assignment ${i} wrote nothing`);
    return client.write(`${name}-${i}`, item, conditions);
  };
}

async function runLanes(
  { count, lanes }: { readonly count: number; readonly lanes: number },
  latencies: number[],
  work: (i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const before = performance.now();
      await work(i);
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

process.on('message', (order: Order) => void carryOut(order));
process.on('disconnect', () => client.close());
