import type { Path } from './fault.ts';
import {
  ANYCAST_LABEL,
  type ExecLine,
  findDuplicateAddresses,
} from './find-duplicate-addresses.ts';
import { mergeNode } from './merge-node.ts';
import { NAME } from './name.ts';
import { type NodeSettings, parseNode, type TopologyFiles } from './parse-node.ts';
import { isRecord, type Notes, readMap, readSection } from './read-section.ts';
import { NODE_SCHEMA, type NodeKeys } from './schema.ts';

export interface NodesContext {
  /** Of the lab. */
  readonly name: string;
  readonly directory: string;
  readonly labDirectory: string;
  readonly files: TopologyFiles;
  readonly notes: Notes;
}

/** A node and the merged keys that it was read from. */
export type NodeWithKeys = NodeSettings & { readonly keys: NodeKeys };

/** The node levels of the file in order of precedence, lowest first. */
interface Levels {
  readonly defaults: NodeKeys | undefined;
  readonly kinds: ReadonlyMap<string, NodeKeys>;
  readonly groups: ReadonlyMap<string, NodeKeys>;
  readonly nodes: ReadonlyMap<string, NodeKeys>;
}

/** Reads the nodes: merges the levels, checks each node, then what concerns them all. */
export function readNodes(
  body: Readonly<Record<string, unknown>>,
  context: NodesContext,
): NodeWithKeys[] {
  const { notes } = context;
  const levels: Levels = {
    defaults: body.defaults
      ? readSection<NodeKeys>(NODE_SCHEMA, body.defaults, ['topology', 'defaults'], notes)
      : undefined,
    kinds: readLevel(body, 'kinds', notes),
    groups: readLevel(body, 'groups', notes),
    nodes: readLevel(body, 'nodes', notes),
  };
  if (levels.nodes.size === 0 && Object.keys(isRecord(body.nodes) ? body.nodes : {}).length === 0) {
    notes.report(['topology', 'nodes'], 'there are no nodes');
  }
  const lines: ExecLine[] = [];
  const anycast = new Set<string>();
  const nodes = [...levels.nodes].flatMap(([name, own]) => {
    const node = readNode(name, own, levels, context);
    if (!node) return [];
    for (const address of (node.labels[ANYCAST_LABEL] ?? '').split(','))
      anycast.add(address.trim());
    for (const [i, argv] of node.exec.entries()) {
      const line = node.keys.exec?.[i] ?? '';
      lines.push({ node: name, argv, path: levelPath(name, levels, node.keys)('exec', line) });
    }
    return [node];
  });
  findDuplicateAddresses(lines, anycast, notes.report);
  return nodes;
}

function readNode(
  name: string,
  own: NodeKeys,
  levels: Levels,
  { name: labName, directory, labDirectory, files, notes }: NodesContext,
): NodeWithKeys | undefined {
  const { defaults, kinds, groups } = levels;
  const groupName = own.group ?? defaults?.group;
  const group = groupName === undefined ? undefined : groups.get(groupName);
  if (own.group !== undefined && !group && groups.size > 0) {
    // To containerlab such a group is a mere label.
    const path = ['topology', 'nodes', name, 'group'];
    notes.warn(path, `node ${name}: there is no group '${own.group}' to take settings from`);
  }
  const kind = own.kind ?? group?.kind ?? defaults?.kind;
  const merged = mergeNode([
    defaults,
    kind === undefined ? undefined : kinds.get(kind),
    group,
    own,
  ]);
  const keys = { ...merged, ...(kind !== undefined && { kind }) };
  const node = parseNode(name, keys, {
    labName,
    directory,
    labDirectory,
    files,
    notes,
    pathOf: levelPath(name, levels, keys),
  });
  if (!NAME.test(name)) notes.report(['topology', 'nodes', name], `'${name}' is not a node name`);
  return node && { ...node, keys };
}

/** Finds where a key of a merged node was set, so that a fault is reported at the line to change. */
function levelPath(
  name: string,
  { defaults, kinds, groups, nodes }: Levels,
  merged: NodeKeys,
): (key: string, item?: string | number) => Path {
  const candidates: readonly (readonly [Path, NodeKeys | undefined])[] = [
    [['topology', 'nodes', name], nodes.get(name)],
    [['topology', 'groups', merged.group ?? ''], groups.get(merged.group ?? '')],
    [['topology', 'kinds', merged.kind ?? ''], kinds.get(merged.kind ?? '')],
    [['topology', 'defaults'], defaults],
  ];
  return (key, item) => {
    for (const [path, keys] of candidates) {
      const value: unknown = keys?.[key as keyof NodeKeys];
      if (value === undefined) continue;
      if (!Array.isArray(value)) return [...path, key];
      const index = value.indexOf(item);
      if (index >= 0) return [...path, key, index];
    }
    return ['topology', 'nodes', name];
  };
}

function readLevel(
  body: Readonly<Record<string, unknown>>,
  level: 'kinds' | 'groups' | 'nodes',
  notes: Notes,
): Map<string, NodeKeys> {
  const entries = new Map<string, NodeKeys>();
  const path = ['topology', level];
  if (body[level] === undefined || body[level] === null) return entries;
  for (const [name, value] of Object.entries(readMap(body[level], path, notes, `'${level}'`))) {
    const keys = readSection<NodeKeys>(NODE_SCHEMA, value ?? {}, [...path, name], notes);
    if (keys) entries.set(name, keys);
  }
  return entries;
}
