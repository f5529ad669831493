import { readdir } from 'node:fs/promises';
import { LABS_DIRECTORY } from './lab-paths.ts';
import { runningNodes } from './running-nodes.ts';

/** Names of the labs that run, or of which files are left. */
export async function knownLabs(): Promise<string[]> {
  const running = (await runningNodes()).map(({ lab }) => lab);
  return [...new Set([...running, ...(await filesLeft())])].toSorted();
}

async function filesLeft(): Promise<string[]> {
  try {
    return await readdir(LABS_DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
