import { type Document, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import { isJsonObject } from './json.ts';

/** Text that is not YAML, or more of it than anybody writes by hand. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;

  constructor(message: string, position: { readonly line: number; readonly col: number }) {
    super(`line ${position.line}, column ${position.col}: ${message}`);
    this.line = position.line;
    this.column = position.col;
  }
}

/** One document of a file; an item of a `List` counts as one. */
export type YamlDocument =
  | { readonly index: number; readonly line: number; readonly value: unknown }
  | { readonly index: number; readonly line: number; readonly error: YamlError };

/** Longest text, in characters: some ten thousand objects. The parser takes microseconds for each line and each key. */
export const MAX_YAML_LENGTH = 4 * 1024 * 1024;
const MAX_LINES = 200_000;
/** Most brackets open at once; indentation is bounded by the same number of levels. */
const MAX_DEPTH = 100;
/** How many values aliases may stand for, all told: keeps out alias bombs. */
const MAX_ALIASES = 100;

const START = { line: 1, col: 1 };

/**
 * Parses YAML or JSON: several documents, `List` kinds taken apart, empty documents left out. A document with a
 * mistake does not stop the others.
 */
export function parseYaml(text: string): YamlDocument[] {
  if (text.length > MAX_YAML_LENGTH) {
    return [failed(0, `${text.length} characters are more than ${MAX_YAML_LENGTH}`, START)];
  }
  const all = text.split('\n');
  if (all.length > MAX_LINES)
    return [failed(0, `${all.length} lines are more than ${MAX_LINES}`, START)];
  const deep = tooDeepAt(all);
  if (deep) return [failed(0, `more than ${MAX_DEPTH} levels`, deep)];
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    // The parser compares each key with every other one of its map; see duplicateKey.
    uniqueKeys: false,
  });
  if ('empty' in documents) return [];
  const found: YamlDocument[] = [];
  for (const document of documents) readDocument(document as Document, lines, found);
  return found;
}

function readDocument(document: Document, lines: LineCounter, found: YamlDocument[]): void {
  const [start] = document.contents?.range ?? document.range ?? [0];
  const position = lines.linePos(start);
  const [mistake] = document.errors;
  if (mistake) {
    found.push(failed(found.length, mistake.message, lines.linePos(mistake.pos[0])));
    return;
  }
  const duplicate = duplicateKey(document);
  if (duplicate) {
    found.push(failed(found.length, duplicate.message, lines.linePos(duplicate.offset)));
    return;
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    found.push(failed(found.length, message, position));
    return;
  }
  for (const item of itemsOf(value)) {
    found.push({ index: found.length, line: position.line, value: item });
  }
}

/** The first key that stands twice in one map. */
function duplicateKey(
  document: Document,
): { readonly message: string; readonly offset: number } | undefined {
  let duplicate: { readonly message: string; readonly offset: number } | undefined;
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value) && key.value !== '<<') {
          const message = `the key ${JSON.stringify(key.value)} stands twice`;
          duplicate = { message, offset: key.range?.[0] ?? 0 };
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return duplicate;
}

/** The objects in a document: none if it is empty, those of a `List` or `…List`, or itself. */
function itemsOf(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!isJsonObject(value)) return [value];
  const { kind, items } = value;
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)
    ? items
    : [value];
}

function failed(index: number, message: string, position: { line: number; col: number }) {
  return { index, line: position.line, error: new YamlError(message, position) };
}

/**
 * Where nesting passes the limit: more open brackets, or more levels of indentation. The parser recurses and
 * slows down with depth, so this comes first; it is linear. Brackets in quotes count, too: a hundred that are
 * never closed are not written by chance.
 */
function tooDeepAt(
  all: readonly string[],
): { readonly line: number; readonly col: number } | undefined {
  const indents: number[] = [];
  let open = 0;
  for (const [index, content] of all.entries()) {
    const lead = /^[ ]*(?:[-?:][ ]+)*/.exec(content)?.[0] ?? '';
    if (content.trim() === '' || content[lead.length] === '#') continue;
    while ((indents.at(-1) ?? -1) >= lead.length) indents.pop();
    indents.push(lead.length);
    const markers = lead.length - lead.replaceAll(/[-?:]/g, '').length;
    let depth = indents.length + markers;
    for (const [bracket] of content.matchAll(/[[\]{}]/g)) {
      open = bracket === '[' || bracket === '{' ? open + 1 : Math.max(0, open - 1);
      depth = Math.max(depth, open);
    }
    if (depth > MAX_DEPTH) return { line: index + 1, col: lead.length + 1 };
  }
  return undefined;
}
