import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Done, Order } from './host-process.ts';
import { cpuMillis } from './process-cpu.ts';

/** What all hosts did together. */
export interface Measured {
  readonly perSecond: number;
  /** Milliseconds of one piece of work. */
  readonly p50: number;
  readonly p99: number;
  /** CPU time for one piece of work in the hosts and in etcd, milliseconds. */
  readonly hostCpu: number;
  readonly etcdCpu: number;
}

/** Hosts in processes of their own, ended when it leaves scope. */
export interface Fleet extends AsyncDisposable {
  /** Has each carry out its order, all at once. */
  run(orderOf: (host: number) => Order): Promise<Measured>;
}

export function startFleet(size: number, etcdPid: number): Fleet {
  const file = join(import.meta.dirname, 'host-process.ts');
  const execArgv = ['--conditions=@overland/source'];
  const children = Array.from({ length: size }, () => fork(file, { execArgv }));
  return {
    async run(orderOf) {
      const before = cpuMillis(etcdPid);
      const started = performance.now();
      const answers = children.map(answerOf);
      for (const [i, child] of children.entries()) child.send(orderOf(i));
      const all = await Promise.all(answers);
      const seconds = (performance.now() - started) / 1000;
      const latencies = all.flatMap((done) => done.latencies).toSorted((a, b) => a - b);
      const at = (share: number): number =>
        latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
      return {
        perSecond: latencies.length / seconds,
        p50: at(0.5),
        p99: at(0.99),
        hostCpu: all.reduce((sum, { cpu }) => sum + cpu, 0) / latencies.length,
        etcdCpu: (cpuMillis(etcdPid) - before) / latencies.length,
      };
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        const exit = once(child, 'exit');
        child.kill();
        await exit;
      }
    },
  };
}

async function answerOf(child: ChildProcess): Promise<Done> {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('a host has ended');
  });
  try {
    const [done] = (await Promise.race([once(child, 'message', { signal }), ended])) as [Done];
    return done;
  } finally {
    ended.catch(() => undefined);
    answered.abort();
  }
}
