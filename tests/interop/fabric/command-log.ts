import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that prints what happens, until it is stopped. */
export interface CommandLog {
  /** Everything printed so far. */
  text(): string;
  stop(): Promise<string>;
}

/**
 * Starts a program in a node's network that watches something: `ip monitor`, `tcpdump`.
 *
 * @param ready What it prints, on either output, when it is watching; absent: nothing, it is at once.
 */
export async function watchWith(
  pid: number,
  argv: readonly string[],
  ready?: string,
): Promise<CommandLog> {
  const child = spawn('nsenter', ['--target', String(pid), '--mount', '--net', '--', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [text, errors] = ['', ''];
  const watching = Promise.withResolvers<void>();
  const look = (): void => {
    if (ready !== undefined && `${text}${errors}`.includes(ready)) watching.resolve();
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
    look();
  });
  child.once('exit', () => watching.reject(new Error(`${argv.join(' ')} ended: ${errors}`)));
  await (ready === undefined ? once(child, 'spawn') : watching.promise);
  watching.promise.catch(() => {});
  return {
    text: () => text,
    async stop() {
      if (child.exitCode === null) {
        const closed = once(child, 'close');
        child.kill('SIGINT');
        await closed;
      }
      return text;
    },
  };
}
