import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Link, Node, Topology } from '../topology/topology.ts';
import { enterNode, nodeEnvironment } from './enter-node.ts';
import { lockLab } from './lab-lock.ts';
import { LABS_DIRECTORY, labPaths, MANAGEMENT_NODE, packagedProgram } from './lab-paths.ts';
import {
  type ExecFailure,
  forgetProvisioning,
  isProvisioned,
  runCommands,
  startPrograms,
} from './provision-node.ts';
import { runProgram } from './run-program.ts';
import { type RunningNode, runningNodes } from './running-nodes.ts';
import { startNode } from './start-node.ts';
import { endNodes, takeDownHeld } from './take-down.ts';
import {
  bridgeLines,
  interfacesOf,
  linkLines,
  MANAGEMENT_BRIDGE,
  managementLines,
  managementPid,
  nodeLines,
  type Pids,
  pidOf,
  runBatch,
} from './wire-links.ts';

/** A lab runs under this name already, and it is not the one that is to come up. */
export class NameInUseError extends Error {
  override readonly name = 'NameInUseError';
}

export interface BringUpOptions {
  /** Folder of the running Overland. */
  readonly checkout: string;
  /** Command line of this Overland's CLI, for use inside nodes. */
  readonly overland: readonly string[];
  readonly signal: AbortSignal;
  /** Told what is being done, in a few words. */
  readonly progress: (what: string) => void;
}

/**
 * Makes the lab run as the topology says: what runs already stays as it is, what is missing is made. If it did not run before
 * and cannot be brought up, nothing of it is left.
 *
 * @returns the `exec` commands that failed.
 * @throws {NameInUseError} If a lab of another file, or with other settings, has the name. @throws {LabBusyError}
 * @throws {NodeStartError} @throws {ProgramError} If a node or its programs do not start.
 */
export async function bringUp(topology: Topology, options: BringUpOptions): Promise<ExecFailure[]> {
  await using _ = await lockLab(topology.name);
  const before = await runningNodes(topology.name);
  await refuseOther(topology, before);
  try {
    return await complete(topology, before, options);
  } catch (error) {
    if (before.length === 0) await takeDownHeld(topology.name);
    throw error;
  }
}

async function refuseOther(topology: Topology, before: readonly RunningNode[]): Promise<void> {
  const advice = 'take it down first or give this one another --name';
  const other = before.find(({ file }) => file !== topology.file);
  if (other) {
    throw new NameInUseError(`lab '${topology.name}' runs already, from ${other.file}; ${advice}`);
  }
  // A node that runs cannot be changed, only made anew.
  const running = new Set(before.map(({ node }) => node));
  const current = (await runningTopology(topology.name))?.nodes ?? [];
  const changed = topology.nodes.filter((node) => {
    const now = current.find(({ name }) => name === node.name);
    return running.has(node.name) && now && JSON.stringify(now) !== JSON.stringify(node);
  });
  if (changed.length > 0) {
    const names = changed.map(({ name }) => name).join(', ');
    throw new NameInUseError(
      `lab '${topology.name}' runs already, with other settings of ${names}; ${advice}`,
    );
  }
}

async function complete(
  topology: Topology,
  before: readonly RunningNode[],
  options: BringUpOptions,
): Promise<ExecFailure[]> {
  const { signal, progress } = options;
  await writeFiles(topology, options);
  const wanted = new Set([MANAGEMENT_NODE, ...topology.nodes.map(({ name }) => name)]);
  await endNodes(before.filter(({ node }) => !wanted.has(node)));

  progress('making nodes');
  const fresh = await startMissing(topology, before, options);
  signal.throwIfAborted();
  const running = await runningNodes(topology.name);
  const pids: Pids = new Map(running.map(({ node, pid }) => [node, pid]));
  progress('making links');
  const wired = await wire(topology, pids, fresh);
  for (const name of wired) await forgetProvisioning(pidOf(pids, name));
  signal.throwIfAborted();

  if (topology.datastore === 'etcd') {
    progress('starting etcd');
    await startEtcd(topology, managementPid(pids));
  }
  return startNodes(topology.nodes, pids, options);
}

/** Starts the programs of all nodes, and runs their commands; nodes do not wait for each other. */
async function startNodes(
  nodes: readonly Node[],
  pids: Pids,
  { signal, progress }: BringUpOptions,
): Promise<ExecFailure[]> {
  let ready = 0;
  const sayReady = () => progress(`starting programs: ${ready} of ${nodes.length} nodes are ready`);
  sayReady();
  const work = nodes.map(async (node) => {
    const pid = pidOf(pids, node.name);
    await startPrograms(node, pid, signal);
    const failures = isProvisioned(pid) ? [] : await runCommands(node, pid, signal);
    ready += 1;
    sayReady();
    return failures;
  });
  return (await Promise.all(work)).flat();
}

async function startEtcd({ management }: Topology, pid: number): Promise<void> {
  const recipe = packagedProgram('recipes/etcd');
  const env = nodeEnvironment({});
  await runProgram(enterNode(pid, [recipe, management.ipv4Gateway]), { env });
}

async function writeFiles(
  topology: Topology,
  { overland }: Pick<BringUpOptions, 'overland'>,
): Promise<void> {
  const paths = labPaths(topology.name);
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  await chmod(LABS_DIRECTORY, 0o700);
  await writeFile(paths.topology, JSON.stringify(topology));
  await writeFile(paths.resolver, '');
  const command = overland.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  await writeFile(paths.command, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  const hosts = topology.nodes.flatMap(({ name, managementAddresses: own }) =>
    own ? [`${own.ipv4.address}\t${name}`, `${own.ipv6.address}\t${name}`] : [],
  );
  const local = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback'];
  await writeFile(paths.hosts, `${[...local, ...hosts].join('\n')}\n`);
}

/** The topology of a lab that runs, as it was brought up; `undefined` if its files are gone. */
export async function runningTopology(lab: string): Promise<Topology | undefined> {
  try {
    return JSON.parse(await readFile(labPaths(lab).topology, 'utf8')) as Topology;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns names of the nodes that were made. */
async function startMissing(
  topology: Topology,
  before: readonly RunningNode[],
  { checkout }: BringUpOptions,
): Promise<Set<string>> {
  const present = new Map(before.map(({ node, pid }) => [node, pid]));
  const paths = labPaths(topology.name);
  const base = { lab: topology.name, file: topology.file, paths, checkout };
  const missing = topology.nodes.filter(({ name }) => !present.has(name));
  const independent = missing.filter(({ sharesNetworkOf }) => sharesNetworkOf === undefined);
  const management = { name: MANAGEMENT_NODE, binds: [], sysctls: {} };
  const first = present.has(MANAGEMENT_NODE) ? independent : [management, ...independent];
  await Promise.all(first.map((node) => startNode(node, base)));

  const dependent = missing.filter(({ sharesNetworkOf }) => sharesNetworkOf !== undefined);
  if (dependent.length > 0) {
    const now = new Map((await runningNodes(topology.name)).map(({ node, pid }) => [node, pid]));
    const start = (node: Node): Promise<void> => {
      const networkOf = pidOf(now, node.sharesNetworkOf ?? '');
      return startNode(node, { ...base, networkOf });
    };
    await Promise.all(dependent.map(start));
  }
  return new Set([...first, ...dependent].map(({ name }) => name));
}

/**
 * Makes the links that are missing.
 *
 * @returns the nodes that got a link: what `exec` did to the old interface is gone with it.
 */
async function wire(
  topology: Topology,
  pids: Pids,
  fresh: ReadonlySet<string>,
): Promise<Set<string>> {
  const { management, nodes, links } = topology;
  const present = new Map<string, ReadonlySet<string>>();
  for (const [name, pid] of pids) {
    present.set(name, fresh.has(name) ? new Set() : await interfacesOf(pid));
  }
  const has = (node: string, name: string): boolean => present.get(node)?.has(name) ?? false;
  const missing = links.filter(
    ({ endpoints }) => !endpoints.every((end) => has(end.node, end.interface)),
  );
  const managed = nodes.filter(
    (node) => node.managementAddresses !== undefined && !has(node.name, 'eth0'),
  );
  const bridge = has(MANAGEMENT_NODE, MANAGEMENT_BRIDGE) ? [] : bridgeLines(management);
  await runBatch(managementPid(pids), [
    ...bridge,
    ...missing.flatMap((link) => linkLines(link, links.indexOf(link), pids)),
    ...managed.flatMap((node) =>
      managementLines(
        { node, mac: macOf(topology.name, node.name, 'eth0'), port: nodes.indexOf(node) + 1 },
        management.mtu,
        pids,
      ),
    ),
  ]);
  const added = addedInterfaces(missing, managed);
  const raise = nodes.map(async (node) => {
    const names = added.get(node.name) ?? [];
    const device = node.kind === 'bridge' && fresh.has(node.name) ? bridgeNodeLines(node) : [];
    await runBatch(pidOf(pids, node.name), [...device, ...nodeLines(node, names, management)]);
  });
  await Promise.all(raise);
  return new Set(added.keys());
}

function bridgeNodeLines({ name }: Node): string[] {
  return [`link add name ${name} type bridge`, `link set ${name} up`];
}

function addedInterfaces(links: readonly Link[], managed: readonly Node[]): Map<string, string[]> {
  const added = new Map<string, string[]>();
  const add = (node: string, name: string): void =>
    void added.set(node, [...(added.get(node) ?? []), name]);
  for (const { name } of managed) add(name, 'eth0');
  for (const end of links.flatMap(({ endpoints }) => endpoints)) add(end.node, end.interface);
  return added;
}

/** A MAC address of containerlab's range that is always the same for the same interface. */
export function macOf(lab: string, node: string, name: string): string {
  const digest = createHash('sha256').update(`${lab}/${node}/${name}`).digest('hex');
  return `aa:c1:ab:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`;
}
