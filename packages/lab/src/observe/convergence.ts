import { setTimeout as pause } from 'node:timers/promises';
import type { LabState } from './observe-lab.ts';
import { type PingResult, pingAll } from './ping.ts';
import { expectedWorkloads, findWorkloads, type PingEndpoint } from './workloads.ts';

/** What a lab looks like when it is asked whether it is ready. */
export interface Convergence {
  /** What is missing, one line each; empty when the lab has converged. */
  readonly missing: readonly string[];
  /** The workloads. */
  readonly endpoints: readonly PingEndpoint[];
  /** Empty as long as something else is missing. */
  readonly pings: readonly PingResult[];
}

const WAIT_FOR_ECHO_SECONDS = 1;

/** Checks everything that a lab should have: running nodes, links, sessions, workloads, and echoes between all of them. */
export async function checkConvergence(state: LabState): Promise<Convergence> {
  const workloads = await findWorkloads(state);
  const missing = [
    ...missingNodes(state),
    ...missingSessions(state),
    ...missingWorkloads(state, workloads),
  ];
  if (missing.length > 0) return { missing, endpoints: workloads, pings: [] };
  const pings = await pingAll(workloads, WAIT_FOR_ECHO_SECONDS);
  return { missing: lostPings(pings), endpoints: workloads, pings };
}

/** Waits until a lab has converged, or until the deadline. */
export async function waitForConvergence(
  observe: () => Promise<LabState>,
  {
    deadlineMs,
    signal,
    progress,
  }: {
    /** From now. */
    readonly deadlineMs: number;
    readonly signal: AbortSignal;
    /** Told how many things are missing, and one of them. */
    readonly progress: (missing: readonly string[]) => void;
  },
): Promise<{ state: LabState; convergence: Convergence }> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const state = await observe();
    const convergence = await checkConvergence(state);
    if (convergence.missing.length === 0 || performance.now() > end) return { state, convergence };
    progress(convergence.missing);
    await pause(200, undefined, { signal });
  }
}

function missingNodes({ nodes, links }: LabState): string[] {
  return [
    ...nodes
      .filter(({ pid }) => pid === undefined)
      .map(({ node }) => `node ${node.name} does not run`),
    ...links
      .filter(({ condition }) => condition !== 'up')
      .map(({ link, condition }) => {
        const [a, b] = link.endpoints.map((end) => `${end.node}:${end.interface}`);
        return `link ${a} – ${b} is ${condition}`;
      }),
  ];
}

function missingSessions({ nodes, sessions }: LabState): string[] {
  return [
    ...nodes.flatMap(({ node, complaint }) =>
      complaint === undefined ? [] : [`${node.name}: no answer about its sessions: ${complaint}`],
    ),
    ...sessions
      .filter(({ state }) => state !== 'Established')
      .map(
        ({ node, peer, peerAddress, state, family }) =>
          `session ${node} → ${peer ?? peerAddress} (${family}) is ${state}`,
      ),
  ];
}

function missingWorkloads(state: LabState, found: readonly PingEndpoint[]): string[] {
  return expectedWorkloads(state)
    .filter(
      ({ node, name }) =>
        !found.some((one) => one.node === node && one.name === name && one.addresses.length > 0),
    )
    .map(({ node, name }) => `workload ${name} on ${node} is not there`);
}

function lostPings(pings: readonly PingResult[]): string[] {
  const lost = pings.filter(({ roundTripMs }) => roundTripMs === undefined);
  return lost.map(({ from, to, family }) => `no echo from ${to.name} to ${from.name} (${family})`);
}
