import { isJsonObject, stringifyJson } from '@overland/model';
import { UsageError } from '../../command.ts';

/** One step of a path: a field, an item (negative from the end), or all of them. */
type Step = { readonly field: string } | { readonly index: number } | 'all';

/** Finds values in an object; a path with `[*]` finds any number of them. */
export type JsonPath = (root: unknown) => readonly unknown[];

const STEP =
  /\.?(?:(?<field>(?:[A-Za-z0-9_$-]|\\.)+)|\[(?<index>-?\d{1,9})\]|\[(?:'(?<single>[^']+)'|"(?<double>[^"]+)")\]|(?<all>\[\*\]|\*))/y;

/**
 * Parses the part of kubectl's JSONPath that names places: `.spec.cidr`, `.spec.filters[0]`, `[-1]`, `[*]`,
 * `.metadata.labels['a.b/c']`, `.metadata.labels.a\.b`, with or without braces around it. Filters, ranges and recursion are refused.
 *
 * @throws {UsageError} That says where it cannot be read.
 */
export function parseJsonPath(text: string): JsonPath {
  const inner = /^\{(.*)\}$/.exec(text.trim())?.[1] ?? text.trim();
  const path = inner.replace(/^\$/, '');
  if (path === '' || path === '.') return (root) => [root];
  const steps: Step[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const at = STEP.lastIndex;
    const found = STEP.exec(path)?.groups;
    if (!found) {
      throw new UsageError(
        `${text}: cannot read '${path.slice(at)}'; a path is made of .field, [0], [*] and ['field']`,
      );
    }
    if (found.all !== undefined) steps.push('all');
    else if (found.index !== undefined) steps.push({ index: Number(found.index) });
    else {
      const field = found.field?.replaceAll(/\\(.)/g, '$1') ?? found.single ?? found.double ?? '';
      steps.push({ field });
    }
  }
  return (root) => steps.reduce<unknown[]>((values, step) => values.flatMap(next(step)), [root]);
}

function next(step: Step): (value: unknown) => unknown[] {
  return (value) => {
    if (step === 'all') {
      if (Array.isArray(value)) return value;
      return isJsonObject(value) ? Object.values(value) : [];
    }
    if ('index' in step) {
      const item: unknown = Array.isArray(value) ? value.at(step.index) : undefined;
      return item === undefined ? [] : [item];
    }
    const { field } = step;
    return isJsonObject(value) && Object.hasOwn(value, field) ? [value[field]] : [];
  };
}

/** A value in a cell: text as it is, everything else as JSON. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : stringifyJson(value);
}
