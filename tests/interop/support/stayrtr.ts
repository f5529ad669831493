import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';
import { until } from './until.ts';

/** A ROA as StayRTR reads it. */
export interface Roa {
  readonly prefix: string;
  readonly maxLength: number;
  readonly asn: number;
}

/** StayRTR, an RPKI cache, in a namespace. */
export interface Stayrtr extends AsyncDisposable {
  readonly port: number;
  readonly log: string;
  /** Gives it others; it looks once a second. */
  set(roas: readonly Roa[]): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** @param protocol Highest version that it speaks. */
export async function startStayrtr(
  namespace: TestNamespace,
  roas: readonly Roa[],
  { port = 8282, protocol = 1 } = {},
): Promise<Stayrtr> {
  const file = join(await mkdtemp(join(tmpdir(), 'stayrtr-')), 'vrps.json');
  const set = async (now: readonly Roa[]): Promise<void> => {
    const text = JSON.stringify({
      roas: now.map(({ prefix, maxLength, asn }) => ({
        prefix,
        maxLength,
        asn: `AS${asn}`,
        ta: 'test',
      })),
    });
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await set(roas);
  let daemon: Daemon | undefined;
  const start = async (): Promise<void> => {
    const argv = ['stayrtr', '-bind', `:${port}`, '-cache', file, '-checktime=false'];
    const quiet = ['-metrics.addr', '', '-refresh', '1', '-protocol', `${protocol}`];
    const started = new Daemon(namespace, [...argv, ...quiet]);
    daemon = started;
    await until(
      () => `StayRTR listens: ${started.output}`,
      async () => (await namespace.exec(['ss', '-Hltn'])).includes(`:${port} `),
    );
  };
  await start();
  return {
    port,
    set,
    start,
    get log() {
      return daemon?.output ?? '';
    },
    async kill() {
      await daemon?.kill('SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      await daemon?.kill('SIGKILL');
    },
  };
}
