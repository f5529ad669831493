import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** A node that runs now: its PID 1, seen from here. */
export interface RunningNode {
  readonly lab: string;
  readonly node: string;
  readonly pid: number;
  /** The topology file it was started from. */
  readonly file: string;
}

/** How a node's PID 1 is known: by its environment, which lives exactly as long as it does. */
export const MARKER = { lab: 'LAB_NAME', node: 'LAB_NODE', file: 'LAB_FILE' } as const;

/**
 * Finds the running nodes, of one lab or of all, by reading /proc: nothing is remembered, so nothing can be forgotten in a crash.
 * Only processes of root in our own user namespace count.
 */
export async function runningNodes(lab?: string): Promise<RunningNode[]> {
  const ourUsers = await readlink('/proc/self/ns/user');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => readNode(pid, ourUsers)));
  return found.filter(
    (node) => node !== undefined && (lab === undefined || node.lab === lab),
  ) as RunningNode[];
}

async function readNode(pid: string, ourUsers: string): Promise<RunningNode | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    // PID 1 of a namespace that is a child of ours, and root's.
    if (!/^NSpid:\t\d+\t1$/m.test(status) || !/^Uid:\t0\t/m.test(status)) return undefined;
    if (/^State:\tZ/m.test(status)) return undefined;
    if ((await readlink(`/proc/${pid}/ns/user`)) !== ourUsers) return undefined;
    const environment = parseEnvironment(await readEnvironment(pid));
    const lab = environment.get(MARKER.lab);
    const node = environment.get(MARKER.node);
    if (lab === undefined || node === undefined) return undefined;
    return { lab, node, pid: Number(pid), file: environment.get(MARKER.file) ?? '' };
  } catch (error) {
    if (isGoneOrForbidden(error)) return undefined;
    throw error;
  }
}

const EMPTY_READS = 50;

/** A process has no environment for a moment while it becomes another program; node-init does so twice. */
async function readEnvironment(pid: string): Promise<string> {
  for (let i = 0; i < EMPTY_READS; i++) {
    const text = await readFile(`/proc/${pid}/environ`, 'utf8');
    if (text !== '') return text;
    await pause(2);
  }
  return '';
}

function parseEnvironment(text: string): Map<string, string> {
  return new Map(
    text.split('\0').map((entry): [string, string] => {
      const at = entry.indexOf('=');
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

/** The process ended while we read, or is not ours to read. */
function isGoneOrForbidden(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code);
}
