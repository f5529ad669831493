import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { enterNode } from '../runner/enter-node.ts';
import { askNode } from './ask-node.ts';
import { interfacesBy } from './interfaces.ts';
import type { LabState } from './observe-lab.ts';

/** A place in the lab that can be pinged and can ping. */
export interface PingEndpoint {
  /** Of the workload, as its agent or its namespace is called; or of the node if it has none. */
  readonly name: string;
  readonly node: string;
  readonly pid: number;
  /** The workload's namespace within the node; `undefined` for the node itself. */
  readonly namespace: string | undefined;
  readonly addresses: readonly string[];
}

/** Every workload of the lab: the named network namespaces within its nodes. */
export async function findWorkloads({ nodes }: LabState): Promise<PingEndpoint[]> {
  const found = await Promise.all(
    nodes.map(async ({ node, pid }) => {
      if (pid === undefined) return [];
      const namespaces = await readNamespaces(pid);
      const names = namespaces.some(isOfRuntime) ? await namesByNamespace(pid) : new Map();
      return Promise.all(
        namespaces.map(async (namespace): Promise<PingEndpoint> => {
          const inside = enterNode(pid, ['nsenter', `--net=/run/netns/${namespace}`, '--']);
          const interfaces = await interfacesBy(inside).catch(() => []);
          const addresses = interfaces.flatMap((one) => one.addresses);
          const name = names.get(namespace) ?? namespace;
          return { name, node: node.name, pid, namespace, addresses };
        }),
      );
    }),
  );
  return found.flat();
}

/** The nodes themselves, by the addresses of their loopbacks: for labs without workloads. */
export function nodeEndpoints({ nodes }: LabState): PingEndpoint[] {
  return nodes.flatMap(({ node, pid, interfaces }) => {
    const loopback = interfaces.find(({ name }) => name === 'lo');
    if (pid === undefined || !loopback || loopback.addresses.length === 0) return [];
    const { addresses } = loopback;
    return [{ name: node.name, node: node.name, pid, namespace: undefined, addresses }];
  });
}

/** Container runtimes name namespaces by numbers: `netns-7e2ba5eb-…` (podman), `cni-7e2ba5eb-…` (containerd). */
function isOfRuntime(namespace: string): boolean {
  return /^(?:netns|cni)-[0-9a-f-]+$/.test(namespace);
}

const Workloads = z.array(z.object({ name: z.string(), namespacePath: z.string() }));

/** How the node's agent calls what is in them; nothing while it does not answer. */
async function namesByNamespace(pid: number): Promise<Map<string, string>> {
  try {
    const workloads = Workloads.parse(JSON.parse(await askNode(pid, '/v1/workloads')));
    return new Map(workloads.map(({ name, namespacePath }) => [basename(namespacePath), name]));
  } catch {
    return new Map();
  }
}

/**
 * The workloads that the topology's `exec` lines make: `overland workload run NAME`, `podman run --name NAME`.
 *
 * @returns names of nodes and workloads.
 */
export function expectedWorkloads({ topology }: LabState): { node: string; name: string }[] {
  return topology.nodes.flatMap(({ name: node, exec }) =>
    exec.flatMap((argv) => {
      const name = workloadRunBy(argv);
      return name === undefined ? [] : [{ node, name }];
    }),
  );
}

function workloadRunBy([program, ...words]: readonly string[]): string | undefined {
  if (program === 'podman' && words[0] === 'run') {
    const at = words.indexOf('--name');
    return at < 0 ? undefined : words[at + 1];
  }
  if (program !== 'overland' || words[0] !== 'workload' || words[1] !== 'run') return undefined;
  return words.slice(2).find((word) => !word.startsWith('-'));
}

async function readNamespaces(pid: number): Promise<string[]> {
  try {
    return (await readdir(`/proc/${pid}/root/run/netns`)).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
