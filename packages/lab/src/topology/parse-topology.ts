import { posix } from 'node:path';
import { allotManagement } from './allot-management.ts';
import { parseTopologyDocument } from './document.ts';
import { TopologyError, type TopologyFault } from './fault.ts';
import { NAME, NAME_RULE } from './name.ts';
import { parseLinks } from './parse-links.ts';
import { parseManagement } from './parse-management.ts';
import type { TopologyFiles } from './parse-node.ts';
import { readNodes } from './read-nodes.ts';
import { checkKeys, isRecord, type Notes, readMap } from './read-section.ts';
import { TOP_KEYS, TOPOLOGY_KEYS } from './schema.ts';
import type { Topology } from './topology.ts';

export interface TopologySource {
  /** Absolute path; binds are relative to its folder. */
  readonly file: string;
  readonly text: string;
  /** For `${VAR}`. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly files: TopologyFiles;
  /** Name of the lab instead of the file's. */
  readonly name?: string;
  /** The lab's own folder, `__clabDir__`, from its name. */
  readonly labDirectory: (name: string) => string;
  readonly macOf: (lab: string, node: string, name: string) => string;
}

/**
 * Reads a containerlab topology.
 *
 * @throws {TopologyError} With every fault there is, unless the YAML itself is broken.
 */
export function parseTopology(source: TopologySource): Topology {
  const document = parseTopologyDocument(source.text, source.variables);
  const shown = posix.basename(source.file);
  if (document.faults.length > 0) throw new TopologyError(shown, document.faults);

  const faults: TopologyFault[] = [];
  const warnings = new Set<string>();
  const notes: Notes = {
    report: (path, message) => void faults.push({ ...document.position(path), message }),
    warn(path, message) {
      const { line } = document.position(path);
      warnings.add(`${shown}:${line}: ${message}`);
    },
  };
  // Nothing else can be said of a file that is no map at all.
  if (!isRecord(document.value)) {
    readMap(document.value, [], notes, 'a topology');
    throw new TopologyError(shown, faults);
  }
  const topology = readTopology(document.value, source, notes);
  if (faults.length > 0) throw new TopologyError(shown, faults);
  return { ...topology, warnings: [...warnings] };
}

function readTopology(
  top: Readonly<Record<string, unknown>>,
  source: TopologySource,
  notes: Notes,
): Omit<Topology, 'warnings'> {
  checkKeys(top, TOP_KEYS, [], notes.report);
  for (const key of ['settings', 'debug'] as const) {
    if (top[key] !== undefined)
      notes.warn([key], `'${key}' is left out: it is not about the lab itself`);
  }
  const name = source.name ?? (typeof top.name === 'string' ? top.name : '');
  if (!NAME.test(name)) {
    const problem =
      top.name === undefined
        ? "'name' is missing: the lab needs one"
        : `'${name}' is not a lab name`;
    notes.report(['name'], `${problem}; ${NAME_RULE}`);
  }
  const management = parseManagement(top.mgmt, notes);
  const body = readMap(top.topology, ['topology'], notes, "'topology'");
  checkKeys(body, TOPOLOGY_KEYS, ['topology'], notes.report);
  const settings = readNodes(body, {
    name,
    directory: posix.dirname(source.file),
    labDirectory: source.labDirectory(name),
    files: source.files,
    notes,
  });
  const names = new Set(Object.keys(isRecord(body.nodes) ? body.nodes : {}));
  const macOf = (node: string, device: string): string => source.macOf(name, node, device);
  const links = parseLinks(body.links, { nodes: names, macOf, notes });
  return {
    name,
    file: source.file,
    management,
    datastore: 'sqlite',
    nodes: allotManagement(settings, management, notes),
    links,
  };
}
