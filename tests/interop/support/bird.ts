import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';
import { until } from './until.ts';

const run = promisify(execFile);

/** BIRD 2 in a namespace, with a directory of its own. */
export interface Bird extends AsyncDisposable {
  /** `birdc COMMAND`. @returns Its output. */
  birdc(command: string): Promise<string>;
  /** Writes another configuration and loads it. */
  configure(config: string): Promise<string>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again after a kill. @param args Such as `-R`: graceful restart. */
  start(...args: readonly string[]): Promise<void>;
}

export async function startBird(namespace: TestNamespace, config: string): Promise<Bird> {
  const directory = await mkdtemp(join(tmpdir(), 'bird-'));
  const [file, socket] = [join(directory, 'bird.conf'), join(directory, 'bird.ctl')];
  await writeFile(file, config);
  let daemon: Daemon | undefined;

  const birdc = async (command: string): Promise<string> =>
    run('birdc', ['-s', socket, ...command.split(' ')]).then(
      ({ stdout }) => stdout,
      // What it could not do, such as find a route, it says on standard output.
      (error: { readonly stdout?: string }) => error.stdout || Promise.reject(error),
    );
  const start = async (...args: readonly string[]): Promise<void> => {
    const argv = ['bird', '-f', '-c', file, '-s', socket, '-P', join(directory, 'pid'), ...args];
    const started = new Daemon(namespace, argv);
    daemon = started;
    await until(
      () => `BIRD answers: ${started.output}`,
      () => (existsSync(socket) ? birdc('show status').catch(() => '') : ''),
    );
  };
  await start();
  return {
    birdc,
    async configure(next) {
      await writeFile(file, next);
      return birdc('configure');
    },
    async kill(signal) {
      await daemon?.kill(signal);
    },
    start,
    async [Symbol.asyncDispose]() {
      await daemon?.kill('SIGKILL');
    },
  };
}
