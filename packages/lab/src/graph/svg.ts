import { type Box, type GraphLayout, layoutGraph } from './graph-layout.ts';
import type { GraphLink, GraphModel, GraphNode } from './graph-model.ts';

const INK = '#1b2430';
const FAINT = '#66717f';
const FONT = "'Inter', 'DejaVu Sans', 'Liberation Sans', sans-serif";

/** Accent of a node's card, by what runs it. */
const ACCENTS: Readonly<Record<string, { colour: string; label: string }>> = {
  frr: { colour: '#3b6fd4', label: 'FRR' },
  bird: { colour: '#d07a1f', label: 'BIRD' },
  overland: { colour: '#1f9d63', label: 'Overland' },
  userland: { colour: '#7a8494', label: 'host programs' },
};
const GONE = '#d23b3b';
const LINES = {
  up: { stroke: '#93a4b8', dash: '' },
  silent: { stroke: '#d99a1c', dash: '7 5' },
  down: { stroke: GONE, dash: '7 5' },
  missing: { stroke: GONE, dash: '2 5' },
} as const;
const SESSION = { up: '#1f9d63', down: GONE } as const;

/** Draws a lab as an SVG picture that needs nothing else: links by state, and on each the sessions of both families. */
export function toSvg(model: GraphModel): string {
  const layout = layoutGraph(model);
  const { width, height } = layout;
  const parts = [
    `<rect width="${width}" height="${height}" fill="#f6f8fa"/>`,
    title(model),
    ...layout.groups.map(({ name, box }) => groupShape(name, box)),
    ...model.links.map((link) => linkShape(link, layout)),
    ...model.links.map((link) => sessionShape(link, layout)),
    ...model.nodes.map((node) => nodeShape(node, layout)),
    legend(model, layout),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">
<title>${escapeXml(model.name)}</title>
${parts.join('\n')}
</svg>
`;
}

function title({ name, nodes, links }: GraphModel): string {
  const sessions = links.flatMap((link) => Object.values(link.sessions));
  const up = sessions.filter((state) => state === 'Established').length;
  const healthy = links.filter(({ condition }) => condition === 'up').length;
  const containers = nodes.reduce((sum, { workloads }) => sum + workloads.length, 0);
  const facts = [
    `${nodes.filter(({ running }) => running).length} of ${nodes.length} nodes`,
    `${healthy} of ${links.length} links up`,
    `${up} of ${sessions.length} sessions up`,
    ...(containers > 0 ? [`${containers} containers`] : []),
  ];
  return `<text x="40" y="46" font-size="22" font-weight="700" fill="${INK}">${escapeXml(name)}</text>
<text x="40" y="68" font-size="13" fill="${FAINT}">${escapeXml(facts.join('  ·  '))}</text>`;
}

function groupShape(name: string, { x, y, width, height }: Box): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="16" fill="#eaeef3" stroke="#d8dfe7"/>
<text x="${x + 18}" y="${y + height - 11}" font-size="12" font-weight="600" fill="${FAINT}">rack ${escapeXml(name)}</text>`;
}

function nodeShape(node: GraphNode, { boxes }: GraphLayout): string {
  const box = boxes.get(node.name);
  if (!box) return '';
  const { x, y, width } = box;
  const accent = node.running ? (ACCENTS[node.recipe]?.colour ?? FAINT) : GONE;
  const asNumber = node.asNumber === undefined ? '' : `AS ${node.asNumber}`;
  const state = node.running ? (node.loopback ?? '') : 'does not run';
  const chips = node.workloads.length > 0 ? chipShapes(node.workloads, box, accent) : '';
  return `<g>
<rect x="${x}" y="${y}" width="${width}" height="${box.height}" rx="10" fill="#ffffff" stroke="${accent}" stroke-opacity="0.55"/>
<path d="M ${x + 10} ${y} h ${width - 20} a 10 10 0 0 1 10 10 h ${-width} a 10 10 0 0 1 10 -10 z" fill="${accent}" fill-opacity="0.9"/>
<text x="${x + 14}" y="${y + 32}" font-size="15" font-weight="700" fill="${INK}">${escapeXml(node.name)}</text>
<text x="${x + width - 14}" y="${y + 32}" font-size="11" text-anchor="end" fill="${FAINT}">${asNumber}</text>
<text x="${x + 14}" y="${y + 51}" font-size="12" fill="${node.running ? FAINT : GONE}">${escapeXml(state)}</text>
${chips}</g>`;
}

function chipShapes(names: readonly string[], box: Box, accent: string): string {
  const gap = 5;
  const width = (box.width - 24 - gap * (names.length - 1)) / names.length;
  const y = box.y + box.height - 31;
  const longest = Math.max(1, Math.floor(width / 5.6));
  return names
    .map((name, i) => {
      const x = box.x + 12 + i * (width + gap);
      const text = name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
      return `<rect x="${x}" y="${y}" width="${width}" height="20" rx="6" fill="${accent}" fill-opacity="0.13"/>
<text x="${x + width / 2}" y="${y + 13.5}" font-size="9.5" text-anchor="middle" fill="${INK}">${escapeXml(text)}<title>${escapeXml(name)}</title></text>
`;
    })
    .join('');
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Both ends of a link, the upper one first: fanned out along the edges of the cards, so that lines keep apart. */
function endsOf(link: GraphLink, { boxes }: GraphLayout): [Point, Point] | undefined {
  const a = boxes.get(link.a.node);
  const b = boxes.get(link.b.node);
  if (!a || !b) return undefined;
  const [upper, lower] = a.y <= b.y ? [a, b] : [b, a];
  const centre = ({ x, width }: Box): number => x + width / 2;
  const lean = (from: Box, to: Box): number =>
    Math.max(-0.36, Math.min(0.36, (centre(to) - centre(from)) / 900)) * from.width;
  if (upper.y === lower.y) {
    const [left, right] = upper.x <= lower.x ? [upper, lower] : [lower, upper];
    const y = left.y + 33;
    return [
      { x: left.x + left.width, y },
      { x: right.x, y },
    ];
  }
  return [
    { x: centre(upper) + lean(upper, lower), y: upper.y + upper.height },
    { x: centre(lower) + lean(lower, upper), y: lower.y },
  ];
}

function linkShape(link: GraphLink, layout: GraphLayout): string {
  const ends = endsOf(link, layout);
  if (!ends) return '';
  const [from, to] = ends;
  const { stroke, dash } = LINES[link.condition];
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  const name = `${link.a.node}:${link.a.interface} – ${link.b.node}:${link.b.interface}`;
  return `<line x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}" stroke="${stroke}" stroke-width="2.2"${dashes}><title>${escapeXml(name)}: ${link.condition}</title></line>`;
}

/**
 * A small pill: `4` and `6` in the colour of their session. Near the lower end of the link, where lines are furthest apart; between
 * nodes side by side in the middle, because there is just room for it.
 */
function sessionShape(link: GraphLink, layout: GraphLayout): string {
  const ends = endsOf(link, layout);
  const families = (['ipv4', 'ipv6'] as const).filter((family) => link.sessions[family]);
  if (!ends || families.length === 0) return '';
  const [from, to] = ends;
  const share = from.y === to.y ? 0.5 : 0.66;
  const x = from.x + (to.x - from.x) * share;
  const y = from.y + (to.y - from.y) * share;
  const half = families.length * 8;
  const digits = families.map((family, i) => {
    const state = link.sessions[family] ?? '';
    const look = sessionLook(state === 'Established' ? 'up' : 'down');
    const at = x - half + 8 + i * 16;
    return `<text x="${at}" y="${y + 4}" font-size="11" font-weight="700" text-anchor="middle" ${look}>${family === 'ipv4' ? '4' : '6'}<title>${family} session: ${escapeXml(state)}</title></text>`;
  });
  return `<rect x="${x - half}" y="${y - 9}" width="${2 * half}" height="18" rx="9" fill="#ffffff" stroke="#d8dfe7"/>${digits.join('')}`;
}

/** A session that is down is struck through as well, for eyes that see no red. */
function sessionLook(state: 'up' | 'down'): string {
  const strike = state === 'down' ? ' text-decoration="line-through"' : '';
  return `fill="${SESSION[state]}"${strike}`;
}

function legend({ nodes }: GraphModel, { height }: GraphLayout): string {
  const recipes = [...new Set(nodes.map(({ recipe }) => recipe))];
  const y = height - 28;
  let x = 40;
  const items: string[] = [];
  const add = (mark: string, text: string): void => {
    items.push(
      `<g transform="translate(${x} ${y})">${mark}<text x="28" y="4" font-size="12" fill="${FAINT}">${text}</text></g>`,
    );
    x += 28 + text.length * 6.6 + 22;
  };
  for (const recipe of recipes) {
    const { colour, label } = ACCENTS[recipe] ?? { colour: FAINT, label: recipe };
    add(`<rect y="-6" width="16" height="12" rx="3" fill="${colour}" fill-opacity="0.9"/>`, label);
  }
  for (const [condition, { stroke, dash }] of Object.entries(LINES)) {
    if (condition === 'missing') continue;
    const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
    add(`<line x2="18" stroke="${stroke}" stroke-width="2.2"${dashes}/>`, `link ${condition}`);
  }
  for (const state of ['up', 'down'] as const) {
    const digits = `<text x="4" y="4" font-size="12" font-weight="700" ${sessionLook(state)}>4 6</text>`;
    add(digits, `session ${state}`);
  }
  return items.join('\n');
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
