import { silencedInterfaces } from '../faults/silence.ts';
import { runningTopology } from '../runner/bring-up.ts';
import { enterNode, nodeEnvironment } from '../runner/enter-node.ts';
import { runProgram } from '../runner/run-program.ts';
import { runningNodes } from '../runner/running-nodes.ts';
import type { Endpoint, Link, Node, Topology } from '../topology/topology.ts';
import type { BgpSession, ReportedSession } from './bgp-session.ts';
import { type NodeInterface, nodeInterfaces } from './interfaces.ts';
import { askOverland } from './overland-summary.ts';
import { parseBirdProtocols } from './parse-bird-protocols.ts';
import { parseFrrSummary } from './parse-frr-summary.ts';

/** There is no such lab, or what is left of it cannot be read. */
export class NoLabError extends Error {
  override readonly name = 'NoLabError';
}

/** A lab as it is now. */
export interface LabState {
  readonly topology: Topology;
  readonly nodes: readonly NodeState[];
  readonly links: readonly LinkState[];
  readonly sessions: readonly BgpSession[];
}

export interface NodeState {
  readonly node: Node;
  /** PID 1; `undefined` if the node does not run. */
  readonly pid: number | undefined;
  readonly interfaces: readonly NodeInterface[];
  /** Why the node's sessions could not be read; `undefined` if they could, or if it has none. */
  readonly complaint: string | undefined;
}

/** `silent`: up, but drops everything. */
type LinkCondition = 'up' | 'down' | 'silent' | 'missing';

export interface LinkState {
  readonly link: Link;
  readonly condition: LinkCondition;
}

/** Reads what the kernel and the routers say. @throws {NoLabError} */
export async function observeLab(lab: string): Promise<LabState> {
  const topology = await runningTopology(lab);
  if (!topology) throw new NoLabError(`lab '${lab}' does not run`);
  const pids = new Map((await runningNodes(lab)).map(({ node, pid }) => [node, pid]));
  const observed = await Promise.all(
    topology.nodes.map((node) => observeNode(node, pids.get(node.name))),
  );
  const owners = new Map(
    observed.flatMap(({ state }) =>
      state.interfaces.flatMap(({ addresses }) =>
        addresses.map((address) => [address, state.node.name] as const),
      ),
    ),
  );
  return {
    topology,
    nodes: observed.map(({ state }) => state),
    links: topology.links.map((link) => ({ link, condition: conditionOf(link, observed) })),
    sessions: observed.flatMap(({ state, sessions }) =>
      sessions.map((session) => ({
        ...session,
        node: state.node.name,
        peer: owners.get(session.peerAddress),
      })),
    ),
  };
}

interface ObservedNode {
  readonly state: NodeState;
  readonly sessions: readonly ReportedSession[];
  /** Interfaces that drop everything. */
  readonly silenced: ReadonlySet<string>;
}

async function observeNode(node: Node, pid: number | undefined): Promise<ObservedNode> {
  if (pid === undefined) {
    const state = { node, pid, interfaces: [], complaint: undefined };
    return { state, sessions: [], silenced: new Set() };
  }
  const [interfaces, silenced, { sessions, complaint }] = await Promise.all([
    nodeInterfaces(pid),
    silencedInterfaces(pid),
    readSessions(node, pid),
  ]);
  return { state: { node, pid, interfaces, complaint }, sessions, silenced };
}

type SessionReader = (node: Node, pid: number) => Promise<ReportedSession[]>;

const READERS: Readonly<Record<string, SessionReader>> = {
  frr: async (node, pid) =>
    parseFrrSummary(await ask(node, pid, ['vtysh', '-c', 'show bgp summary json'])),
  bird: async (node, pid) =>
    parseBirdProtocols(await ask(node, pid, ['birdc', 'show', 'protocols', 'all']), new Date()),
  overland: (_node, pid) => askOverland(pid),
};

async function ask(node: Node, pid: number, argv: readonly string[]): Promise<string> {
  const env = nodeEnvironment(node.environment);
  return (await runProgram(enterNode(pid, argv), { env })).stdout;
}

async function readSessions(
  node: Node,
  pid: number,
): Promise<{ sessions: ReportedSession[]; complaint: string | undefined }> {
  const read = READERS[node.recipe];
  if (!read || node.kind === 'bridge') return { sessions: [], complaint: undefined };
  try {
    return { sessions: await read(node, pid), complaint: undefined };
  } catch (error) {
    // A node that starts or stops answers with an error, or with half an answer.
    const [first] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { sessions: [], complaint: first || 'no answer' };
  }
}

function conditionOf({ endpoints }: Link, observed: readonly ObservedNode[]): LinkCondition {
  const conditions = endpoints.map((end) => endCondition(end, observed));
  for (const condition of ['missing', 'down', 'silent'] as const) {
    if (conditions.includes(condition)) return condition;
  }
  return 'up';
}

function endCondition(end: Endpoint, observed: readonly ObservedNode[]): LinkCondition {
  const at = observed.find(({ state }) => state.node.name === end.node);
  const device = at?.state.interfaces.find(({ name }) => name === end.interface);
  if (!device) return 'missing';
  if (!device.up || !device.carrier) return 'down';
  return at?.silenced.has(end.interface) ? 'silent' : 'up';
}
