import { spawn } from 'node:child_process';

/** Between two attempts; a Node process on a busy host needs seconds to start, milliseconds. */
const PATIENCE_MS = 5000;

/** How this program was started: interpreter, its options, and the script. For the main thread. */
export function thisProgram(): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? ''];
}

/**
 * Starts `overland bfd run` as a process that outlives this one, and ends once nobody needs it. It writes no log:
 * its output would be ours, which may be gone before it.
 *
 * @param command See {@link thisProgram}.
 * @returns A function that does so, however often it is called.
 */
export function bfdStarter(command: readonly string[], socket: string): () => void {
  const [program = '', ...options] = command;
  let lastMs = -Infinity;
  return () => {
    if (performance.now() - lastMs < PATIENCE_MS) return;
    lastMs = performance.now();
    const run = ['bfd', 'run', '--socket', socket, '--until-unused', '--log-level', 'silent'];
    const child = spawn(program, [...options, ...run], {
      detached: true,
      stdio: 'ignore',
    });
    child.on('error', () => undefined);
    child.unref();
  };
}
