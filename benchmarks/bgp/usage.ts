import { readdir, readFile, stat } from 'node:fs/promises';
import type { TestNamespace } from '@overland/linux/testing';

/** What a router has used so far. */
export interface Usage {
  /** User and system time of all its processes, milliseconds. */
  readonly cpuMs: number;
  /** Sum of the most memory that each has had resident, MB of 10^6 octets. */
  readonly peakMb: number;
}

/** Clock ticks of /proc: a constant of the Linux ABI. */
const TICK_MS = 10;

/** Of every process in a network namespace: all that belongs to the router, and nothing else. */
export async function usageIn({ path }: TestNamespace): Promise<Usage> {
  const { ino, dev } = await stat(path);
  let [cpuMs, peakMb] = [0, 0];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // A process may end between two of these lines.
    const own = await stat(`/proc/${pid}/ns/net`).catch(() => undefined);
    if (own?.ino !== ino || own.dev !== dev) continue;
    const fields = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    // Fields 14 to 17 of proc(5): its own and its children's time.
    const times = fields
      .slice(fields.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15);
    cpuMs += times.reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
    peakMb += (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024) / 1e6;
  }
  return { cpuMs, peakMb };
}
