import type { BgpSession } from '../observe/bgp-session.ts';
import type { LabState, LinkState } from '../observe/observe-lab.ts';
import type { PingEndpoint } from '../observe/workloads.ts';
import type { Node, Topology } from '../topology/topology.ts';

/** What a drawing of a lab shows, whatever it is drawn with. */
export interface GraphModel {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly links: readonly GraphLink[];
}

export interface GraphNode {
  readonly name: string;
  /** From the top, from 0. */
  readonly level: number;
  /** Nodes of one group belong together: the label `rack`. */
  readonly group: string | undefined;
  /** What runs it: `frr`, `bird`, `overland`, … */
  readonly recipe: string;
  readonly running: boolean;
  /** `AS 65011`, if it speaks BGP. */
  readonly asNumber: number | undefined;
  readonly loopback: string | undefined;
  /** Names of its containers. */
  readonly workloads: readonly string[];
}

export interface GraphLink {
  readonly a: { readonly node: string; readonly interface: string };
  readonly b: { readonly node: string; readonly interface: string };
  readonly condition: LinkState['condition'];
  /** State of the sessions between its ends, if there are any: the worse of the two ends. */
  readonly sessions: { readonly ipv4?: string; readonly ipv6?: string };
}

/** Labels of a node: containerlab's own for the level, from 1, and ours for the rack. */
const LEVEL_LABEL = 'graph-level';
const GROUP_LABEL = 'rack';

export function graphModel(state: LabState, workloads: readonly PingEndpoint[]): GraphModel {
  const levels = levelsOf(state.topology);
  return {
    name: state.topology.name,
    nodes: state.nodes.map(({ node, pid, interfaces }) => ({
      name: node.name,
      level: levels.get(node.name) ?? 0,
      group: node.labels[GROUP_LABEL],
      recipe: node.recipe,
      running: pid !== undefined,
      asNumber: state.sessions.find((session) => session.node === node.name)?.localAs,
      loopback: interfaces.find(({ name }) => name === 'lo')?.addresses[0],
      workloads: workloads.filter((one) => one.node === node.name).map(({ name }) => name),
    })),
    links: state.links.map(({ link, condition }) => {
      const [a, b] = link.endpoints;
      return { a, b, condition, sessions: sessionsBetween(a.node, b.node, state.sessions) };
    }),
  };
}

function sessionsBetween(
  a: string,
  b: string,
  sessions: readonly BgpSession[],
): GraphLink['sessions'] {
  const between = sessions.filter(
    ({ node, peer }) => (node === a && peer === b) || (node === b && peer === a),
  );
  const worst = (family: 'ipv4' | 'ipv6'): string | undefined => {
    const states = between.filter((one) => one.family === family).map(({ state }) => state);
    return states.find((state) => state !== 'Established') ?? states[0];
  };
  const [ipv4, ipv6] = [worst('ipv4'), worst('ipv6')];
  return { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) };
}

/** Levels from the label; without any, by distance from the best connected node, which is at the top. */
function levelsOf({ nodes, links }: Topology): Map<string, number> {
  const labelled = nodes.map((node): [string, number] => [node.name, labelledLevel(node)]);
  if (labelled.some(([, level]) => !Number.isNaN(level))) {
    const known = labelled.map(([, level]) => level).filter((level) => !Number.isNaN(level));
    const lowest = Math.max(...known) + 1;
    const ordered = [...new Set([...known, lowest])].toSorted((a, b) => a - b);
    return new Map(
      labelled.map(([name, level]) => [
        name,
        ordered.indexOf(Number.isNaN(level) ? lowest : level),
      ]),
    );
  }
  const neighbours = new Map(nodes.map(({ name }) => [name, new Set<string>()]));
  for (const { endpoints } of links) {
    const [a, b] = endpoints;
    neighbours.get(a.node)?.add(b.node);
    neighbours.get(b.node)?.add(a.node);
  }
  return distances(neighbours);
}

function distances(neighbours: ReadonlyMap<string, ReadonlySet<string>>): Map<string, number> {
  const degree = (name: string): number => neighbours.get(name)?.size ?? 0;
  const most = Math.max(0, ...[...neighbours.keys()].map(degree));
  const levels = new Map<string, number>();
  let frontier = [...neighbours.keys()].filter((name) => degree(name) === most);
  for (let level = 0; frontier.length > 0; level++) {
    for (const name of frontier) levels.set(name, level);
    const next = new Set(frontier.flatMap((name) => [...(neighbours.get(name) ?? [])]));
    frontier = [...next].filter((name) => !levels.has(name));
  }
  return levels;
}

function labelledLevel({ labels }: Node): number {
  return Number.parseInt(labels[LEVEL_LABEL] ?? '', 10);
}
