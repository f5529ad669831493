import { silencedInterfaces } from '../faults/silence.ts';
import { runningTopology } from '../runner/bring-up.ts';
import { enterNode, nodeEnvironment } from '../runner/enter-node.ts';
import { ProgramError, runProgram } from '../runner/run-program.ts';
import { runningNodes } from '../runner/running-nodes.ts';
import type { Endpoint, Link, Node, Topology } from '../topology/topology.ts';
import type { BgpSession, ReportedSession } from './bgp-session.ts';
import { type NodeInterface, nodeInterfaces } from './interfaces.ts';
import { parseBirdProtocols } from './parse-bird-protocols.ts';
import { parseFrrSummary } from './parse-frr-summary.ts';
import { parseOverlandSummary } from './parse-overland-summary.ts';

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

interface SessionReader {
  readonly argv: readonly string[];
  parse(text: string): ReportedSession[];
}

const READERS: Readonly<Record<string, SessionReader>> = {
  frr: { argv: ['vtysh', '-c', 'show bgp summary json'], parse: parseFrrSummary },
  bird: {
    argv: ['birdc', 'show', 'protocols', 'all'],
    parse: (text) => parseBirdProtocols(text, new Date()),
  },
  overland: { argv: ['overland', 'bgp', 'summary', '-o', 'json'], parse: parseOverlandSummary },
};

async function readSessions(
  node: Node,
  pid: number,
): Promise<{ sessions: ReportedSession[]; complaint: string | undefined }> {
  const reader = READERS[node.recipe];
  if (!reader || node.kind === 'bridge') return { sessions: [], complaint: undefined };
  try {
    const env = nodeEnvironment(node.environment);
    const { stdout } = await runProgram(enterNode(pid, reader.argv), { env });
    return { sessions: reader.parse(stdout), complaint: undefined };
  } catch (error) {
    // A node that starts or stops answers with an error, or with half an answer.
    const reason = error instanceof ProgramError ? error.stderr.trim() : String(error);
    return { sessions: [], complaint: reason.split('\n').at(-1) || 'no answer' };
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
