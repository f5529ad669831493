import {
  extensionKey,
  hasExtensions,
  isJsonObject,
  joinExtensions,
  type Kind,
  NoYamlError,
  parseJson,
  parseResourceKey,
  printYaml,
  type ResourceName,
  sameJson,
  splitExtensions,
  stringifyJson,
} from '@overland/model';
import { RESOURCES_PREFIX } from './key-ranges.ts';
import type { KeyValue } from './source.ts';

/** One object as a manifest in a file of its own. */
export interface ObjectFile {
  /** In the directory: `resources/bgppeers/leaf11.yaml`. */
  readonly path: string;
  readonly text: string;
  /** Whether the fields that Calico lacks are in it, which are stored under a key of their own. */
  readonly hasExtension: boolean;
}

/** `readYaml`, handed in: its parser is loaded only by who moves a directory. */
export type ReadYaml = (text: string) => { readonly [key: string]: unknown };

/** Longest file to read back. */
export const MAX_FILE_OCTETS = 4 * 1024 * 1024;

/** Longer files are read back before they are relied on: readers of YAML have limits of many kinds. */
const RELIABLE_CHARACTERS = 64 * 1024;

const FOLDER = 'resources/';
const SEGMENT = '[a-z0-9](?:[a-z0-9.-]{0,238}[a-z0-9])?';
/** Of keys after the prefix: `<plural>/[<namespace>/]<name>`, every part fit for a file name. */
const NAME = new RegExp(`^${SEGMENT}(?:/${SEGMENT}){1,2}$`);

/** Where the fields that Calico lacks are stored, of an object of a kind that has some. */
export function extensionKeyFor(key: string): string | undefined {
  const parsed = parseResourceKey(key);
  if (!parsed || !hasExtensions(parsed.kind)) return undefined;
  return extensionKey(parsed.kind, parsed.name);
}

/** Whether a path is one of an {@link ObjectFile}. */
export function isObjectPath(path: string): boolean {
  return path.startsWith(FOLDER) && path.endsWith('.yaml') && NAME.test(nameOf(path));
}

/**
 * An object as a manifest, with the fields that Calico lacks if that can be undone.
 *
 * @param extension The entry of those fields, if there is one.
 * @returns `undefined` if a file would not give back what is stored: it is then kept as it is.
 */
export function objectFileOf(
  entry: KeyValue,
  extension: KeyValue | undefined,
  readYaml: ReadYaml,
): ObjectFile | undefined {
  const name = entry.key.startsWith(RESOURCES_PREFIX) && entry.key.slice(RESOURCES_PREFIX.length);
  if (!name || !NAME.test(name)) return undefined;
  const path = `${FOLDER}${name}.yaml`;
  const base = parsedObject(entry);
  if (!base || describesOther(path, base)) return undefined;
  const apart = extension && parsedObject(extension);
  const kind = parseResourceKey(entry.key)?.kind;
  const joined = apart && joinExtensions(base, apart);
  for (const [document, wanted] of [[joined, apart] as const, [base, undefined] as const]) {
    // Printed first: what is too deep to print is too deep to compare.
    const text = isJsonObject(document) ? printed(document) : undefined;
    if (!isJsonObject(document) || text === undefined || !isReadBack(text, document, readYaml))
      continue;
    const found = split(kind, document);
    if (!sameJson(found.base, base) || !sameJson(found.extension, wanted)) continue;
    return { path, text, hasExtension: wanted !== undefined };
  }
  return undefined;
}

/**
 * What is stored of the object in a file, which `readYaml` has read. The inverse of {@link objectFileOf}, as data.
 *
 * @throws {SyntaxError} If it is not the manifest of what the path says.
 */
export function entriesOfFile(
  path: string,
  document: { readonly [key: string]: unknown },
): KeyValue[] {
  const other = describesOther(path, document);
  if (other) throw new SyntaxError(other);
  const key = RESOURCES_PREFIX + nameOf(path);
  const parsed = parseResourceKey(key);
  const { base, extension } = split(parsed?.kind, document);
  const entries = [{ key, value: stringifyJson(base) }];
  if (parsed && extension) {
    const { kind, name } = parsed as { kind: Kind; name: ResourceName };
    entries.push({ key: extensionKey(kind, name), value: stringifyJson(extension) });
  }
  return entries;
}

function split(kind: Kind | undefined, document: object) {
  if (kind && hasExtensions(kind)) return splitExtensions(kind, document);
  return { base: document, extension: undefined };
}

function printed(document: { readonly [key: string]: unknown }): string | undefined {
  try {
    const text = printYaml(document);
    return Buffer.byteLength(text) > MAX_FILE_OCTETS ? undefined : text;
  } catch (error) {
    if (error instanceof NoYamlError) return undefined;
    throw error;
  }
}

function isReadBack(
  text: string,
  document: { readonly [key: string]: unknown },
  readYaml: ReadYaml,
): boolean {
  // A reader of manifests takes a list apart.
  const isList = typeof document.kind === 'string' && document.kind.endsWith('List');
  if (isList || text.length <= RELIABLE_CHARACTERS) return !isList;
  try {
    return sameJson(readYaml(text), document);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function nameOf(path: string): string {
  return path.slice(FOLDER.length, -'.yaml'.length);
}

/** What is wrong if the manifest is not of the object that the path names. */
function describesOther(path: string, document: object): string | undefined {
  const parts = nameOf(path).split('/');
  const { metadata } = document as { metadata?: unknown };
  const given = isJsonObject(metadata) ? metadata : {};
  const namespace = parts.length === 3 ? parts[1] : undefined;
  if (given.name !== parts.at(-1)) return `metadata.name is not ${parts.at(-1)}, as its file`;
  if ((given.namespace || undefined) === namespace) return undefined;
  return `metadata.namespace is not ${namespace ?? 'empty'}, as its folder`;
}

function parsedObject({ value }: KeyValue): { readonly [key: string]: unknown } | undefined {
  try {
    const parsed = parseJson(value);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch (error) {
    // A RangeError: nested deeper than the stack is.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}
