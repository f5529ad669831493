import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askForSummary, type SpeakerSummary } from '@overland/bgp/node';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';
import { until } from './until.ts';

const OVERLAND = [
  process.execPath,
  '--conditions=@overland/source',
  join(import.meta.dirname, '../../../packages/cli/src/bin.ts'),
] as const;

/** The program as it is shipped, once it has been compiled: it starts sooner and takes less memory. */
export const COMPILED = [
  process.execPath,
  join(import.meta.dirname, '../../../packages/cli/dist/bin.js'),
] as const;

/** `overland bgp run` in a namespace. */
export interface BgpRun extends AsyncDisposable {
  summary(): Promise<SpeakerSummary>;
  kill(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** Gives it another file; resolves when it has said what it makes of it. @param text Of the speaker file. */
  reload(text: string): Promise<void>;
  readonly log: string;
  readonly pid: number;
  /** Path of the control socket. */
  readonly socket: string;
}

/**
 * @param file The speaker file's text.
 * @param options Of the command.
 * @param program The sources by default.
 */
export async function startBgpRun(
  namespace: TestNamespace,
  file: string,
  options: readonly string[] = [],
  program: readonly string[] = OVERLAND,
): Promise<BgpRun> {
  const directory = await mkdtemp(join(tmpdir(), 'bgp-run-'));
  const [path, socket] = [join(directory, 'speaker.yaml'), join(directory, 'bgp.sock')];
  await writeFile(path, file);
  let daemon: Daemon | undefined;
  const start = async (): Promise<void> => {
    const argv = [...program, 'bgp', 'run', '-c', path, '--socket', socket, ...options];
    const started = new Daemon(namespace, argv);
    daemon = started;
    await until(
      () => `bgp run answers: ${started.output}`,
      () => started.output.includes('router started') && existsSync(socket),
    );
  };
  await start();
  return {
    summary: () => askForSummary(socket),
    start,
    socket,
    async reload(text) {
      const said = () => (daemon?.output ?? '').split(/configuration (?:not )?taken over/).length;
      const before = said();
      await writeFile(path, text);
      daemon?.signal('SIGHUP');
      await until('the file is read again', () => said() > before);
    },
    async kill(signal) {
      await daemon?.kill(signal);
    },
    get log() {
      return daemon?.output ?? '';
    },
    get pid() {
      return daemon?.pid ?? 0;
    },
    async [Symbol.asyncDispose]() {
      await daemon?.kill('SIGKILL');
    },
  };
}
