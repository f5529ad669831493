import { isMap, isScalar, parseDocument } from 'yaml';
import type { Path, TopologyFault } from './fault.ts';
import { substitute } from './substitute.ts';

/** A YAML file as data, with the way back from a value to its line. */
export interface TopologyDocument {
  readonly value: unknown;
  /** Syntax errors and variables that must be set. If there are any, `value` is not to be used. */
  readonly faults: readonly TopologyFault[];
  /**
   * Line and column of the value at `path`; of its key, if it has one. Of the nearest container, if there
   * is no such value.
   */
  position(path: Path): { readonly line: number; readonly column: number };
}

/** Substitutes variables in `text`, then parses it. Never throws. */
export function parseTopologyDocument(
  text: string,
  variables: Readonly<Record<string, string | undefined>>,
): TopologyDocument {
  const substituted = substitute(text, variables);
  const place = placeIn(text);
  const document = parseDocument(substituted.text, { merge: true, prettyErrors: false });
  const broken = [...document.errors, ...document.warnings].map((error) => ({
    ...place(substituted.originalOffset(error.pos[0])),
    message: `broken YAML: ${firstLine(error.message)}`,
  }));
  const unset = substituted.faults.map(({ offset, message }) => ({ ...place(offset), message }));

  return {
    value: broken.length === 0 ? document.toJS({ maxAliasCount: 1000 }) : undefined,
    faults: [...unset, ...broken],
    position(path) {
      const offset = offsetOf(document.contents, path);
      return place(substituted.originalOffset(offset));
    },
  };
}

/** Line and column of an offset, both from 1. */
function placeIn(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    const line = starts.findLastIndex((start) => start <= offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
}

function offsetOf(root: unknown, path: Path): number {
  let node = root;
  let offset = startOf(root);
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      );
      if (!pair) break;
      offset = startOf(pair.key);
      node = pair.value;
    } else {
      const items = (node as { items?: readonly unknown[] } | null)?.items;
      const item = typeof step === 'number' ? items?.[step] : undefined;
      if (item === undefined) break;
      offset = startOf(item);
      node = item;
    }
  }
  return offset;
}

function startOf(node: unknown): number {
  return (node as { range?: readonly number[] } | null)?.range?.[0] ?? 0;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
