import type { GraphLink, GraphModel, GraphNode } from './graph-model.ts';

const CLASSES = [
  'classDef frr fill:#e8f0fe,stroke:#3b6fd4,color:#16243d',
  'classDef bird fill:#fdf0e1,stroke:#d07a1f,color:#3d2a12',
  'classDef overland fill:#e3f5ec,stroke:#1f9d63,color:#0f3524',
  'classDef userland fill:#eef0f3,stroke:#7a8494,color:#22272f',
  'classDef gone fill:#fde8e8,stroke:#d23b3b,color:#5c1212,stroke-dasharray:4 3',
];
const BROKEN = { up: undefined, down: '#d23b3b', missing: '#d23b3b', silent: '#d99a1c' } as const;

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
  const broken = links.flatMap(({ condition }, index) => {
    const colour = BROKEN[condition];
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
  const states = Object.values(sessions);
  const isUp = condition === 'up' && states.every((state) => state === 'Established');
  const down = states.find((state) => state !== 'Established');
  const label = condition === 'up' ? down : condition;
  const text = isUp || label === undefined ? '' : `|${label}|`;
  return `${identifier(a.node)} ---${text} ${identifier(b.node)}`;
}

/** Mermaid's identifiers are letters, digits and underscores; `end` alone would close a subgraph. */
function identifier(name: string): string {
  return `n_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
}
