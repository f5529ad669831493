import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { runInNamespace } from '@overland/linux';
import { type CommandContext, FailureError } from '../command.ts';

/** Shells' exit codes for a program that is not there, and for one that cannot be run. */
const EXIT = { notFound: 127, notRunnable: 126, signal: 128 } as const;

/**
 * Runs a program inside a network namespace, on our own standard streams, and waits for it.
 *
 * @param signal Ends it when it aborts, also before it has started.
 * @returns Its exit code, as a shell would give it.
 */
export async function runInside(
  namespacePath: string,
  argv: readonly string[],
  { signal, stderr }: Pick<CommandContext, 'signal' | 'stderr'>,
): Promise<number> {
  const child = start(namespacePath, argv, false);
  const pass = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', pass, { once: true });
  if (signal.aborted) pass();
  try {
    return await exitCodeOf(child);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    stderr.write(`overland: ${argv[0]} cannot be run: ${message}\n`);
    return code === 'ENOENT' ? EXIT.notFound : EXIT.notRunnable;
  } finally {
    signal.removeEventListener('abort', pass);
  }
}

/**
 * Starts a program inside a network namespace and leaves it to itself: a session of its own, no standard streams.
 *
 * @returns Its process id.
 * @throws {FailureError} If it cannot be started.
 */
export async function startInside(namespacePath: string, argv: readonly string[]): Promise<number> {
  const child = start(namespacePath, argv, true);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('spawn', resolve);
  child.once('error', (error) =>
    reject(new FailureError(`${argv[0]} cannot be run: ${error.message}`, { cause: error })),
  );
  await promise;
  child.unref();
  return child.pid ?? 0;
}

/** A child belongs to the namespaces of the thread that forks it; spawning forks at once. */
function start(namespacePath: string, argv: readonly string[], detached: boolean): ChildProcess {
  const [program = '', ...rest] = argv;
  return runInNamespace(namespacePath, () =>
    spawn(program, rest, { stdio: detached ? 'ignore' : 'inherit', detached }),
  );
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('exit', (code, name) =>
    resolve(code ?? EXIT.signal + (name === null ? 0 : constants.signals[name])),
  );
  return await promise;
}
