import { readdir, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const GRACE_MS = 2000;
const POLL_MS = 20;

/** Ends every process in a network namespace: SIGTERM, and SIGKILL for those that stay. */
export async function endProcesses(namespacePath: string): Promise<void> {
  const deadline = performance.now() + GRACE_MS;
  signalAll(await processesIn(namespacePath), 'SIGTERM');
  while ((await processesIn(namespacePath)).length > 0 && performance.now() < deadline) {
    await delay(POLL_MS);
  }
  signalAll(await processesIn(namespacePath), 'SIGKILL');
}

/** Processes whose network namespace it is, as `ip netns pids` finds them. */
async function processesIn(namespacePath: string): Promise<number[]> {
  const namespace = await stat(namespacePath).catch(() => undefined);
  if (!namespace) return [];
  const candidates = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    candidates.map(async (pid) => {
      const own = await stat(`/proc/${pid}/ns/net`).catch(() => undefined);
      return own?.ino === namespace.ino && own.dev === namespace.dev ? [Number(pid)] : [];
    }),
  );
  return found.flat().filter((pid) => pid !== process.pid);
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It ended in between.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
