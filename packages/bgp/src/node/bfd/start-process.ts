import { spawn } from 'node:child_process';

/** Between two attempts; a Node process on a busy host needs seconds to start, milliseconds. */
const PATIENCE_MS = 5000;

/**
 * Starts `overland bfd run` as a process that outlives this one, and ends once nobody needs it. It writes no log:
 * its output would be ours, which may be gone before it.
 *
 * @returns A function that does so, however often it is called.
 */
export function bfdStarter(socket: string): () => void {
  const { argv, execArgv, execPath } = process;
  let lastMs = -Infinity;
  return () => {
    if (performance.now() - lastMs < PATIENCE_MS) return;
    lastMs = performance.now();
    const run = ['bfd', 'run', '--socket', socket, '--until-unused', '--log-level', 'silent'];
    const child = spawn(execPath, [...execArgv, argv[1] ?? '', ...run], {
      detached: true,
      stdio: 'ignore',
    });
    child.on('error', () => undefined);
    child.unref();
  };
}
