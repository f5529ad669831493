import type { GraphModel, GraphNode } from './graph-model.ts';

/** Where everything is, in pixels of the drawing. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly groups: readonly { readonly name: string; readonly box: Box }[];
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const NODE = { width: 148, height: 66 };
/** A row of containers under a node. */
const CHIP_HEIGHT = 22;
const GAP = 36;
const LEVEL_GAP = 112;
const MARGIN = { side: 48, top: 104, bottom: 92 };
const GROUP_PADDING = { side: 20, top: 20, bottom: 32 };

/** Lays a lab out in levels, each centred; nodes of a group keep together, in the order of the file. */
export function layoutGraph({ nodes }: GraphModel): GraphLayout {
  const depth = Math.max(0, ...nodes.map(({ level }) => level)) + 1;
  const levels = Array.from({ length: depth }, (_, level) =>
    byGroup(nodes.filter((node) => node.level === level)),
  );
  const widest = Math.max(1, ...levels.map(levelWidth));
  const width = Math.max(720, widest + 2 * (MARGIN.side + GROUP_PADDING.side));
  const boxes = new Map<string, Box>();
  let y = MARGIN.top;
  for (const level of levels) {
    let x = (width - levelWidth(level)) / 2;
    for (const [i, node] of level.entries()) {
      const previous = level[i - 1];
      if (previous) x += gapBetween(previous, node);
      boxes.set(node.name, { x, y, width: NODE.width, height: heightOf(node) });
      x += NODE.width;
    }
    y += Math.max(NODE.height, ...level.map(heightOf)) + LEVEL_GAP;
  }
  return { width, height: y - LEVEL_GAP + MARGIN.bottom, boxes, groups: groupBoxes(nodes, boxes) };
}

function byGroup(nodes: readonly GraphNode[]): GraphNode[] {
  const groups = [...new Set(nodes.map(({ group }) => group))];
  return groups.flatMap((group) => nodes.filter((node) => node.group === group));
}

function levelWidth(level: readonly GraphNode[]): number {
  const gaps = level.slice(1).map((node, i) => gapBetween(level[i] ?? node, node));
  return level.length * NODE.width + gaps.reduce((sum, gap) => sum + gap, 0);
}

function gapBetween(a: GraphNode, b: GraphNode): number {
  return a.group === b.group ? GAP : GAP + 2 * GROUP_PADDING.side;
}

function heightOf({ workloads }: GraphNode): number {
  return NODE.height + (workloads.length > 0 ? CHIP_HEIGHT + 6 : 0);
}

function groupBoxes(
  nodes: readonly GraphNode[],
  boxes: ReadonlyMap<string, Box>,
): { name: string; box: Box }[] {
  const names = new Set(nodes.flatMap(({ group }) => group ?? []));
  return [...names].map((name) => {
    const members = nodes
      .filter(({ group }) => group === name)
      .flatMap((node) => boxes.get(node.name) ?? []);
    const left = Math.min(...members.map(({ x }) => x)) - GROUP_PADDING.side;
    const right = Math.max(...members.map((box) => box.x + box.width)) + GROUP_PADDING.side;
    const top = Math.min(...members.map(({ y }) => y)) - GROUP_PADDING.top;
    const bottom = Math.max(...members.map((box) => box.y + box.height)) + GROUP_PADDING.bottom;
    return { name, box: { x: left, y: top, width: right - left, height: bottom - top } };
  });
}
