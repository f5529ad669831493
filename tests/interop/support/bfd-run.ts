import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askForBfdStatus, type BfdStatus, type BfdSummary } from '@overland/bgp/bfd';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';
import { until } from './until.ts';

const OVERLAND = [
  process.execPath,
  '--conditions=@overland/source',
  join(import.meta.dirname, '../../../packages/cli/src/bin.ts'),
] as const;

/** `overland bfd run` in a namespace. */
export interface BfdRun extends AsyncDisposable {
  readonly socket: string;
  summary(): Promise<BfdSummary>;
  /** Of the session with this key. */
  session(key: string): Promise<BfdStatus>;
  /** Waits until the session is in this state. @returns Its status and the instant of the change, as performance.now(). */
  reaches(key: string, state: BfdStatus['state']): Promise<BfdStatus & { readonly atMs: number }>;
  kill(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

/** @param peers Values of `--peer`. */
export async function startBfdRun(
  namespace: TestNamespace,
  ...peers: readonly string[]
): Promise<BfdRun> {
  const socket = join(await mkdtemp(join(tmpdir(), 'bfd-run-')), 'bfd.sock');
  const options = peers.flatMap((peer) => ['--peer', peer]);
  let daemon: Daemon | undefined;
  const start = async (): Promise<void> => {
    const started = new Daemon(namespace, [
      ...OVERLAND,
      'bfd',
      'run',
      '--socket',
      socket,
      ...options,
    ]);
    daemon = started;
    await until(
      () => `bfd run answers: ${started.output}`,
      () => started.output.includes('BFD started') && existsSync(socket),
    );
  };
  await start();
  const session = async (key: string): Promise<BfdStatus> => {
    const { sessions } = await askForBfdStatus(socket);
    const found = sessions.find((candidate) => candidate.key === key);
    if (!found) throw new Error(`no session ${key}`);
    return found;
  };
  return {
    socket,
    summary: () => askForBfdStatus(socket),
    session,
    reaches: (key, state) =>
      until(
        () => `${key} is ${state}: ${daemon?.output}`,
        async () => {
          const status = await session(key);
          const atMs = performance.now() - status.stateSeconds * 1000;
          return status.state === state ? { ...status, atMs } : undefined;
        },
      ),
    async kill(signal) {
      await daemon?.kill(signal);
    },
    start,
    async [Symbol.asyncDispose]() {
      await daemon?.kill('SIGKILL');
    },
  };
}
