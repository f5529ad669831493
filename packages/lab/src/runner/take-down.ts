import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { lockLab } from './lab-lock.ts';
import { labPaths } from './lab-paths.ts';
import { type RunningNode, runningNodes } from './running-nodes.ts';

/** How long killed namespaces may take to end; the kernel needs tens of milliseconds. */
const END_DEADLINE_MS = 10_000;

/**
 * Ends every node of a lab, whatever state it is in, and removes its files.
 *
 * @returns whether there was anything to remove.
 */
export async function takeDown(lab: string): Promise<boolean> {
  await using _ = await lockLab(lab);
  return takeDownHeld(lab);
}

/** The same for a caller that holds the lab's lock. */
export async function takeDownHeld(lab: string): Promise<boolean> {
  const nodes = await runningNodes(lab);
  await endNodes(nodes);
  const { directory } = labPaths(lab);
  const hadFiles = existsSync(directory);
  await rm(directory, { recursive: true, force: true });
  return nodes.length > 0 || hadFiles;
}

/** Kills nodes and waits until the kernel has ended everything in them. */
export async function endNodes(nodes: readonly RunningNode[]): Promise<void> {
  for (const { pid } of nodes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  const deadline = Date.now() + END_DEADLINE_MS;
  // PID 1 is gone only after every other process of its namespace is.
  while (nodes.some(({ pid }) => existsSync(`/proc/${pid}`)) && Date.now() < deadline) {
    await pause(10);
  }
}
