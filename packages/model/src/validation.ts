import { stringifyJson } from './json.ts';

/** One thing that is wrong with an object. */
export interface Fault {
  /** Where, as `spec.peerIP`, `spec.filters[0]`, `metadata.labels["a/b"]`. */
  readonly path: string;
  /** What stands there; `undefined` if nothing does. */
  readonly value: unknown;
  /** What must hold there, as a phrase that follows the path: `must be at most 32`. */
  readonly rule: string;
}

/** An object breaks rules. `faults` has every one of them, the message a line for each. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError';
  readonly faults: readonly Fault[];
  /** What was validated, as `IPPool(rack1)`. */
  readonly subject: string;

  constructor(subject: string, faults: readonly Fault[]) {
    super(faults.map((fault) => `${subject}: ${describeFault(fault)}`).join('\n'));
    this.subject = subject;
    this.faults = faults;
  }
}

const LONGEST_VALUE = 80;

/** One line for a person: `spec.blockSize must be at most 32, not 33`. */
export function describeFault({ path, value, rule }: Fault): string {
  const where = path === '' ? 'the document' : path;
  if (value === undefined) return `${where} ${rule}`;
  const text = stringifyJson(value);
  const shown = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
  return `${where} ${rule}, not ${shown}`;
}

/** Steps into an object: keys and indexes. */
export type Path = readonly (string | number)[];

/** Writes a path as a reader would type it. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z_]\w*$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** The inverse of {@link formatPath}. */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|[^.[\]]+/g)].map(
    ([step, key, index]) => {
      if (key !== undefined) return JSON.parse(key) as string;
      return index === undefined ? step : Number(index);
    },
  );
}

/** What stands at `path`; `undefined` if nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
