import { parseEvents, YAMLException } from 'js-yaml';
import { isJsonObject } from '../json.ts';
import type { Path } from '../validation.ts';
import { type EventList, itemNodes, locate } from './find-node.ts';
import { ContentError, type DocumentValue, MAX_DEPTH, readEvents } from './read-events.ts';
import { type Piece, splitDocuments } from './split-documents.ts';
import { type Position, YamlError } from './yaml-error.ts';

export { YamlError } from './yaml-error.ts';

/** One document of a file; an item of a `List` counts as one. */
export type YamlDocument =
  | {
      readonly index: number;
      readonly line: number;
      readonly value: unknown;
      /** The line of what stands at `path`, or of what is nearest around it. */
      readonly lineOf: (path: Path) => number;
    }
  | { readonly index: number; readonly line: number; readonly error: YamlError };

/** Longest text, in characters: some ten thousand objects. */
export const MAX_YAML_LENGTH = 4 * 1024 * 1024;
/** Most lines, commas and brackets: each costs the parser about a microsecond. */
const MAX_PARTS = 200_000;
/** After so many documents with a mistake the rest is not read: it is not YAML at all. */
const MAX_MISTAKES = 100;

/**
 * Parses YAML or JSON: several documents, `List` kinds taken apart, empty documents left out. A document with a
 * mistake does not stop the others. The values are JSON data: what YAML can say beyond that is a mistake
 * (decision 0081).
 */
export function parseYaml(text: string): YamlDocument[] {
  const tooMuch = excess(text);
  if (tooMuch !== undefined) return [failed(0, tooMuch, { line: 1, column: 1 })];
  const found: YamlDocument[] = [];
  let mistakes = 0;
  for (const piece of splitDocuments(text.replace(/^\uFEFF/, ''))) {
    if (readPiece(piece, found)) continue;
    if (++mistakes === MAX_MISTAKES) {
      const rest = `the file is not read any further: ${MAX_MISTAKES} documents before this one are not YAML`;
      found.push(failed(found.length, rest, { line: piece.line, column: 1 }));
      break;
    }
  }
  return found;
}

/** Adds what a piece holds. @returns whether it is YAML. */
function readPiece({ text, line }: Piece, found: YamlDocument[]): boolean {
  const placeOf = positions(text, line);
  try {
    const list = { events: parseEvents(text, { maxDepth: MAX_DEPTH }), source: text };
    for (const document of readEvents(list)) {
      for (const { value, root } of itemsOf(document, list)) {
        const lineOf = (path: Path) => placeOf(locate(list, root, path)).line;
        found.push({ index: found.length, line: lineOf([]), value, lineOf });
      }
    }
    return true;
  } catch (error) {
    if (error instanceof ContentError) {
      found.push(failed(found.length, error.message, placeOf(error.offset)));
    } else if (error instanceof YAMLException) {
      const message = /maxDepth/.test(error.reason)
        ? `more than ${MAX_DEPTH} levels`
        : error.reason;
      found.push(failed(found.length, message, placeOf(error.mark?.position ?? 0)));
    } else {
      throw error;
    }
    return false;
  }
}

/** What of a text is more than anybody writes by hand. Linear, and quick: this comes before all else. */
function excess(text: string): string | undefined {
  if (text.length > MAX_YAML_LENGTH) {
    return `${text.length} characters are more than ${MAX_YAML_LENGTH}: split the file`;
  }
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x0a: // line feed
      case 0x2c: // ,
      case 0x5b: // [
      case 0x7b: // {
        parts++;
    }
  }
  return parts > MAX_PARTS
    ? `${parts} lines, commas and brackets are more than ${MAX_PARTS}: split the file`
    : undefined;
}

/** The objects in a document: those of a `List` or `…List`, or itself; none if it is null. */
function itemsOf(document: DocumentValue, list: EventList): DocumentValue[] {
  const { value, root } = document;
  if (value === null) return [];
  if (!isJsonObject(value)) return [document];
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List')) return [document];
  if (items === null || items === undefined) return [];
  if (!Array.isArray(items)) {
    throw new ContentError(`items of a ${kind} must be a list`, locate(list, root, ['items']));
  }
  const nodes = itemNodes(list, root);
  return items.map((item: unknown, i) => ({ value: item, root: nodes[i] ?? root }));
}

/** Finds lines and columns of offsets. The lines are counted when the first one is asked for. */
function positions(text: string, firstLine: number): (offset: number) => Position {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= lineStarts(text);
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: firstLine + low, column: offset - (starts[low] ?? 0) + 1 };
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function failed(index: number, message: string, position: Position): YamlDocument {
  return { index, line: position.line, error: new YamlError(message, position) };
}
