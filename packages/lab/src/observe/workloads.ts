import { readdir } from 'node:fs/promises';
import { enterNode } from '../runner/enter-node.ts';
import { interfacesBy } from './interfaces.ts';
import type { LabState } from './observe-lab.ts';

/** A place in the lab that can be pinged and can ping. */
export interface PingEndpoint {
  /** Of the workload, or of the node if it has none. */
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
      return Promise.all(
        namespaces.map(async (namespace): Promise<PingEndpoint> => {
          const inside = enterNode(pid, ['nsenter', `--net=/run/netns/${namespace}`, '--']);
          const interfaces = await interfacesBy(inside).catch(() => []);
          const addresses = interfaces.flatMap((one) => one.addresses);
          return { name: namespace, node: node.name, pid, namespace, addresses };
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

/**
 * The workloads that the topology's `exec` lines make: `overland workload run NAME`.
 *
 * @returns names of nodes and workloads.
 */
export function expectedWorkloads({ topology }: LabState): { node: string; name: string }[] {
  return topology.nodes.flatMap(({ name: node, exec }) =>
    exec.flatMap(([program, noun, verb, ...rest]) => {
      if (program !== 'overland' || noun !== 'workload' || verb !== 'run') return [];
      const name = rest.find((word) => !word.startsWith('-'));
      return name === undefined ? [] : [{ node, name }];
    }),
  );
}

async function readNamespaces(pid: number): Promise<string[]> {
  try {
    return (await readdir(`/proc/${pid}/root/run/netns`)).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
