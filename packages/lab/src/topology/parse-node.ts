import { posix } from 'node:path';
import { parseEnvFile } from './env-file.ts';
import type { Path } from './fault.ts';
import type { Notes } from './read-section.ts';
import { FOREIGN_KINDS, RUNNABLE_IMAGES, recipeFor } from './recipe-names.ts';
import type { NodeKeys } from './schema.ts';
import { QuoteError, splitArgv } from './split-argv.ts';
import type { Bind, Node } from './topology.ts';

/** The files beside the topology; a port, so that parsing is pure. */
export interface TopologyFiles {
  exists(path: string): boolean;
  /** @returns `undefined` if it cannot be read. */
  read(path: string): string | undefined;
}

export interface NodeSurroundings {
  /** Of the lab. */
  readonly labName: string;
  /** Absolute path of the topology's folder. */
  readonly directory: string;
  /** Absolute path of the lab's own folder, `__clabDir__`. */
  readonly labDirectory: string;
  readonly files: TopologyFiles;
  readonly notes: Notes;
  /** Path of one of the node's keys, at the level (node, group, kind, defaults) that set it. */
  readonly pathOf: (key: string, item?: string | number) => Path;
}

/** Everything of a node but its management addresses, which need all nodes. */
export type NodeSettings = Omit<Node, 'managementAddresses' | 'sharesNetworkOf'> & {
  readonly networkMode: NetworkMode;
};

type NetworkMode =
  | { readonly type: 'managed' }
  | { readonly type: 'none' }
  | { readonly type: 'shared'; readonly node: string };

/** Checks the merged keys of one node. @returns `undefined` if it cannot be run at all; the faults are reported. */
export function parseNode(
  name: string,
  keys: NodeKeys,
  surroundings: NodeSurroundings,
): NodeSettings | undefined {
  const { notes, pathOf } = surroundings;
  const kind = parseKind(name, keys, surroundings);
  if (kind === undefined) return undefined;
  const recipe = kind === 'bridge' ? 'userland' : parseRecipe(name, keys, surroundings);
  const magic = magicVariables(name, surroundings);
  const binds = (keys.binds ?? []).flatMap(
    (text) => parseBind(magic(text), pathOf('binds', text), surroundings) ?? [],
  );
  const argv = (key: 'exec' | 'entrypoint' | 'cmd', line: string): string[][] =>
    parseArgv(magic(line), pathOf(key, line), notes);
  const command = [keys.entrypoint, keys.cmd].flatMap((line, i) =>
    line === undefined ? [] : argv(i === 0 ? 'entrypoint' : 'cmd', line).flat(),
  );
  if (recipe === undefined) return undefined;
  return {
    name,
    kind,
    image: keys.image ?? '',
    recipe,
    networkMode: parseNetworkMode(keys['network-mode'], surroundings),
    binds,
    environment: parseEnvironment(keys, magic, surroundings),
    sysctls: keys.sysctls ?? {},
    labels: keys.labels ?? {},
    startupDelaySeconds: keys['startup-delay'] ?? 0,
    command,
    exec: (keys.exec ?? []).flatMap((line) => argv('exec', line)),
  };
}

/** Names the node unless all nodes have the value from one place: then it is one fault, however many they are. */
function ofNode(name: string, [, level]: Path): string {
  return level === 'nodes' ? `node ${name}: ` : '';
}

function parseKind(
  name: string,
  { kind }: NodeKeys,
  { notes: { report }, pathOf }: NodeSurroundings,
): Node['kind'] | undefined {
  if (kind === 'linux' || kind === 'bridge') return kind;
  const path = pathOf('kind');
  if (kind === undefined) report(path, `node ${name} has no kind`);
  else {
    const reason = FOREIGN_KINDS[kind] ?? 'only linux and bridge run as namespaces';
    report(path, `${ofNode(name, path)}kind '${kind}' cannot be run: ${reason}`);
  }
  return undefined;
}

function parseRecipe(
  name: string,
  { image }: NodeKeys,
  { notes: { report }, pathOf }: NodeSurroundings,
): string | undefined {
  if (image === undefined || image === '') {
    report(pathOf('image'), `node ${name} has no image`);
    return undefined;
  }
  const recipe = recipeFor(image);
  if (recipe === undefined) {
    const path = pathOf('image');
    report(
      path,
      `${ofNode(name, path)}no recipe for image '${image}'; there are recipes for ${RUNNABLE_IMAGES}`,
    );
  }
  return recipe;
}

function parseNetworkMode(
  mode: string | undefined,
  { notes: { report }, pathOf }: NodeSurroundings,
): NetworkMode {
  if (mode === undefined || mode === 'bridge') return { type: 'managed' };
  if (mode === 'none') return { type: 'none' };
  if (mode.startsWith('container:'))
    return { type: 'shared', node: mode.slice('container:'.length) };
  const reason =
    mode === 'host'
      ? ': nothing of a lab is in the root network namespace'
      : '; expected none or container:NODE';
  report(pathOf('network-mode'), `network-mode '${mode}' is not supported${reason}`);
  return { type: 'none' };
}

type Magic = (text: string) => string;

function magicVariables(
  name: string,
  { labName, labDirectory }: Pick<NodeSurroundings, 'labName' | 'labDirectory'>,
): Magic {
  const values: Readonly<Record<string, string>> = {
    __clabNodeName__: name,
    __clabLabName__: labName,
    __clabNodeDir__: `${labDirectory}/${name}`,
    __clabDir__: labDirectory,
  };
  return (text) => text.replaceAll(/__clab[A-Za-z]+__/g, (word) => values[word] ?? word);
}

function parseBind(
  text: string,
  path: Path,
  { directory, labDirectory, files, notes: { report } }: NodeSurroundings,
): Bind | undefined {
  const [from = '', target, ...options] = text.split(':');
  if (from === '' || target === undefined || !target.startsWith('/')) {
    report(
      path,
      `bind '${text}' is not SOURCE:TARGET or SOURCE:TARGET:MODE with an absolute target`,
    );
    return undefined;
  }
  const source = posix.resolve(directory, from);
  // Folders of the lab itself are made when they are needed.
  if (!files.exists(source) && !source.startsWith(`${labDirectory}/`)) {
    report(path, `bind '${text}': ${source} does not exist`);
    return undefined;
  }
  const mode = options.join(',').split(',').includes('ro') ? 'ro' : 'rw';
  return { source, target: posix.normalize(target), mode };
}

function parseEnvironment(
  keys: NodeKeys,
  magic: Magic,
  { directory, files, notes: { report }, pathOf }: NodeSurroundings,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of keys['env-files'] ?? []) {
    const text = files.read(posix.resolve(directory, magic(name)));
    if (text === undefined) report(pathOf('env-files', name), `env-file '${name}' cannot be read`);
    else Object.assign(environment, parseEnvFile(text));
  }
  for (const [key, value] of Object.entries(keys.env ?? {})) environment[key] = magic(value);
  return environment;
}

function parseArgv(line: string, path: Path, { report }: Notes): string[][] {
  try {
    const argv = splitArgv(line);
    if (argv.length > 0) return [argv];
    report(path, 'empty command');
  } catch (error) {
    if (!(error instanceof QuoteError)) throw error;
    report(path, `command '${line}': ${error.message}`);
  }
  return [];
}
