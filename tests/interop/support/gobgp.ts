import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';
import { until } from './until.ts';

/** GoBGP in a namespace. It does not touch the kernel's routes. */
export interface Gobgp extends AsyncDisposable {
  /** `gobgp COMMAND`. @returns Its output. */
  gobgp(command: string): Promise<string>;
  readonly log: string;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again after a kill. @param args Such as `-r`: graceful restart. */
  start(...args: readonly string[]): Promise<void>;
}

/** @param config In TOML. */
export async function startGobgp(namespace: TestNamespace, config: string): Promise<Gobgp> {
  const file = join(await mkdtemp(join(tmpdir(), 'gobgp-')), 'gobgpd.toml');
  await writeFile(file, config);
  let daemon: Daemon | undefined;

  const gobgp = (command: string): Promise<string> =>
    namespace.exec(['gobgp', ...command.split(' ')]);
  const start = async (...args: readonly string[]): Promise<void> => {
    const started = new Daemon(namespace, ['gobgpd', '-f', file, '--pprof-disable', ...args]);
    daemon = started;
    await until(
      () => `GoBGP answers: ${started.output}`,
      () => gobgp('global').catch(() => ''),
    );
  };
  await start();
  return {
    gobgp,
    start,
    get log() {
      return daemon?.output ?? '';
    },
    async kill(signal) {
      await daemon?.kill(signal);
    },
    async [Symbol.asyncDispose]() {
      await daemon?.kill('SIGKILL');
    },
  };
}
