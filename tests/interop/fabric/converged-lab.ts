import {
  findWorkloads,
  loadTopology,
  type Topology,
  waitForConvergence,
  withEtcd,
} from '@overland/lab';
import { eventually, ROOT, type RunningLab, startLab } from '../running-lab.ts';
import type { StreamEnd } from './ping-streams.ts';

export type DatastoreKind = 'sqlite' | 'etcd';

/** The leaf-spine lab with all its containers, converged. */
export interface ConvergedLab extends RunningLab {
  readonly topology: Topology;
  readonly workloads: ReadonlyMap<string, StreamEnd>;
}

/** Brings up `lab/leaf-spine.clab.yml` under a name of its own and waits until every ping is answered. */
export async function startConvergedLab(
  name: string,
  datastore: DatastoreKind,
): Promise<ConvergedLab> {
  const read = loadTopology(`${ROOT}/lab/leaf-spine.clab.yml`, process.env, name);
  const topology = datastore === 'etcd' ? withEtcd(read) : read;
  const lab = await startLab(topology);
  try {
    const [failure] = lab.failures;
    if (failure) throw new Error(`${failure.node}: ${failure.command}: ${failure.reason}`);
    await converged(lab);
    const found = await findWorkloads(await lab.observe());
    return { ...lab, topology, workloads: new Map(found.map((one) => [one.name, one])) };
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

/** Pairs of containers, both ways each: same host, same rack, across racks. */
export function typicalPairs({ workloads }: ConvergedLab): [StreamEnd, StreamEnd][] {
  const names = [
    ['web-11', 'app-11'],
    ['web-11', 'web-12'],
    ['web-11', 'web-21'],
    ['app-11', 'app-22'],
    ['db-12', 'db-21'],
  ] as const;
  return names.flatMap(([a, b]): [StreamEnd, StreamEnd][] => {
    const [one, other] = [workloads.get(a), workloads.get(b)];
    if (!one || !other) throw new Error(`no workload ${a} or ${b}`);
    return [
      [one, other],
      [other, one],
    ];
  });
}

/** Process id of the agent of a host, as the host itself numbers it. */
function agentPid(lab: RunningLab, node: string): Promise<string> {
  return eventually(`an agent runs on ${node}`, 10_000, async () => {
    const text = await lab.run(node, 'pgrep', '-o', '-f', 'bin.js agent');
    return text.trim() || undefined;
  });
}

/** Kills the agent as a crash would. */
export async function killAgent(lab: RunningLab, node: string): Promise<void> {
  await lab.run(node, 'kill', '-KILL', await agentPid(lab, node));
}

/** Starts whatever does not run: the lab's `up` is idempotent. */
export async function startAgents({ topology }: ConvergedLab): Promise<void> {
  await startLab(topology);
}

/** Waits until all sessions are up and every echo is answered. @throws {Error} Saying what is missing after a minute. */
export async function converged(lab: RunningLab): Promise<void> {
  const { convergence } = await waitForConvergence(() => lab.observe(), {
    deadlineMs: 60_000,
    signal: new AbortController().signal,
    progress: () => {},
  });
  if (convergence.missing.length > 0) throw new Error(convergence.missing.join('; '));
}

/** Waits until all sessions of the lab are up. */
export async function allSessionsUp(lab: RunningLab, deadlineMs = 30_000): Promise<void> {
  await eventually('all sessions are up', deadlineMs, async () => {
    const { sessions, nodes } = await lab.observe();
    const healthy = nodes.every(({ complaint }) => complaint === undefined);
    const up = sessions.every(({ state }) => state === 'Established');
    return healthy && up && sessions.length > 0 ? true : undefined;
  });
}

/** Time passes while packets are counted, in state that must not change: there is no condition to wait for. */
export async function letPass(milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  await eventually('time', milliseconds + 1000, async () =>
    performance.now() >= end ? true : undefined,
  );
}
