import { readdir, readFile, readlink } from 'node:fs/promises';
import type { RunningNode } from '../runner/running-nodes.ts';

/** Proportional set size of a node's processes: what it costs, with shared pages divided among those who share them. */
export interface NodeMemory {
  readonly node: string;
  readonly processes: readonly { readonly command: string; readonly pssBytes: number }[];
}

/** Reads the memory of nodes. Slow for large processes: the kernel walks their page tables. */
export async function readMemory(nodes: readonly RunningNode[]): Promise<NodeMemory[]> {
  const namespaces = new Map<string, RunningNode>();
  for (const node of nodes) {
    const namespace = await linkTarget(`/proc/${node.pid}/ns/pid`);
    if (namespace !== undefined) namespaces.set(namespace, node);
  }
  const found = new Map<RunningNode, { command: string; pssBytes: number }[]>();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const node = namespaces.get((await linkTarget(`/proc/${pid}/ns/pid`)) ?? '');
    if (!node) continue;
    const [command, rollup] = await Promise.all([
      readOrEmpty(`/proc/${pid}/comm`),
      readOrEmpty(`/proc/${pid}/smaps_rollup`),
    ]);
    const kilobytes = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
    const processes = found.get(node) ?? [];
    found.set(node, [...processes, { command: command.trim(), pssBytes: kilobytes * 1024 }]);
  }
  return nodes.map((node) => ({ node: node.node, processes: found.get(node) ?? [] }));
}

/** Processes end while we look. */
async function linkTarget(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}

async function readOrEmpty(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
