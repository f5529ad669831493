import type { GraphLink, GraphModel, GraphNode } from './graph-model.ts';

const CLASSES = [
  'classDef frr fill:#e8f0fe,stroke:#3b6fd4,color:#16243d',
  'classDef bird fill:#fdf0e1,stroke:#d07a1f,color:#3d2a12',
  'classDef overland fill:#e3f5ec,stroke:#1f9d63,color:#0f3524',
  'classDef userland fill:#eef0f3,stroke:#7a8494,color:#22272f',
  'classDef gone fill:#fde8e8,stroke:#d23b3b,color:#5c1212,stroke-dasharray:4 3',
];
const BROKEN = { up: undefined, down: '#d23b3b', missing: '#d23b3b', silent: '#d99a1c' } as const;
const NO_SESSION = '#d23b3b';

/** Draws a lab as a Mermaid flowchart: GitHub and most wikis show it as a picture. */
export function toMermaid({ nodes, links }: GraphModel): string {
  const groups = [...new Set(nodes.map(({ group }) => group))];
  const body = groups.flatMap((group) => {
    const members = nodes.filter((node) => node.group === group).map(nodeLine);
    if (group === undefined) return members;
    return [
      `subgraph rack${identifier(group)} ["rack ${group}"]`,
      ...members.map((line) => `  ${line}`),
      'end',
    ];
  });
  const broken = links.flatMap(({ condition, sessions }, index) => {
    const colour =
      BROKEN[condition] ?? (sessionFaults(sessions).length > 0 ? NO_SESSION : undefined);
    return colour === undefined ? [] : [`linkStyle ${index} stroke:${colour},stroke-dasharray:5 4`];
  });
  const lines = [...body, ...links.map(linkLine), ...CLASSES, ...broken];
  return `flowchart TB\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function nodeLine(node: GraphNode): string {
  const parts = [
    `<b>${node.name}</b>`,
    ...(node.asNumber === undefined ? [] : [`AS ${node.asNumber}`]),
    ...(node.loopback === undefined ? [] : [node.loopback]),
    ...(node.workloads.length === 0 ? [] : [node.workloads.join(' · ')]),
  ];
  const style = node.running ? node.recipe : 'gone';
  return `${identifier(node.name)}["${parts.join('<br/>')}"]:::${style}`;
}

function linkLine({ a, b, condition, sessions }: GraphLink): string {
  const faults = [...(condition === 'up' ? [] : [condition]), ...sessionFaults(sessions)];
  // In quotes: the parentheses of FRR's `Idle (Admin)` would be a shape to Mermaid.
  const label = faults.length === 0 ? '' : `|"${faults.join('<br/>')}"|`;
  return `${identifier(a.node)} ---${label} ${identifier(b.node)}`;
}

/** What is wrong with the sessions of a link; both families in one word if the same. */
function sessionFaults({ ipv4, ipv6 }: GraphLink['sessions']): string[] {
  if (ipv4 === ipv6) return isDown(ipv4) ? [`BGP ${ipv4}`] : [];
  return [
    ...(isDown(ipv4) ? [`BGP IPv4 ${ipv4}`] : []),
    ...(isDown(ipv6) ? [`BGP IPv6 ${ipv6}`] : []),
  ];
}

function isDown(state: string | undefined): state is string {
  return state !== undefined && state !== 'Established';
}

/** Mermaid's identifiers are letters, digits and underscores; `end` alone would close a subgraph. */
function identifier(name: string): string {
  return `n_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
}
