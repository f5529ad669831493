import { isJsonObject } from './json.ts';
import { type AnyResource, type Kind, kindTable } from './kinds.ts';
import { type Fault, formatPath, type Path, valueAt } from './validation.ts';

/** What stands in the place of a secret wherever an object is shown. Written back, it means: as it was. */
export const HIDDEN = '(hidden)';
/** The same, of a secret that a change would replace. */
export const HIDDEN_CHANGED = '(hidden, changed)';

/** `document`, an object of the kind in any state of parsing, with its secrets replaced by a mark. */
export function hideSecrets<T>(kind: Kind, document: T, mark = HIDDEN): T {
  return kindTable(kind).secrets.reduce<T>(
    (shown, path) =>
      valueAt(shown, path) === undefined ? shown : (replaceAt(shown, path, mark) as T),
    document,
  );
}

/** Paths of the secrets that the object holds. */
export function secretPaths(resource: AnyResource): string[] {
  return kindTable(resource.kind)
    .secrets.filter((path) => valueAt(resource, path) !== undefined)
    .map(formatPath);
}

/** Whether two objects of a kind hold the same secrets. */
export function sameSecrets(a: AnyResource, b: AnyResource): boolean {
  return kindTable(a.kind).secrets.every((path) => valueAt(a, path) === valueAt(b, path));
}

/**
 * `wanted` with the secrets of `before` where it says nothing or shows a mark. An empty secret is removed; one
 * beside which another source is given is not kept.
 */
export function keepSecrets<R extends AnyResource>(wanted: R, before?: R): R {
  return kindTable(wanted.kind).secrets.reduce<R>((resource, path) => {
    const given = valueAt(resource, path);
    if (given === '') return replaceAt(resource, path, undefined) as R;
    const stored = before && valueAt(before, path);
    const keeps = isMark(given) || (given === undefined && !hasOtherSource(resource, path));
    return keeps && stored !== undefined ? (replaceAt(resource, path, stored) as R) : resource;
  }, wanted);
}

/** Faults of a mark that stands for no secret: there was none before. */
export function markFaults(resource: AnyResource): Fault[] {
  return kindTable(resource.kind).secrets.flatMap((path) => {
    const value = valueAt(resource, path);
    const rule = 'must be the secret itself: there is none yet that could be kept';
    return isMark(value) ? [{ path: formatPath(path), value, rule }] : [];
  });
}

function isMark(value: unknown): boolean {
  return value === HIDDEN || value === HIDDEN_CHANGED;
}

function hasOtherSource(resource: AnyResource, path: Path): boolean {
  const parent = valueAt(resource, path.slice(0, -1));
  return isJsonObject(parent) && Object.values(parent).some((value) => value !== undefined);
}

/** A copy with another value at `path`; `undefined` removes it, and what holds nothing else. */
function replaceAt(root: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  const object = isJsonObject(root) ? root : {};
  const { [step]: inner, ...others } = object;
  const replaced = replaceAt(inner, rest, value);
  const kept = replaced === undefined ? others : { ...object, [step]: replaced };
  const isEmptied = value === undefined && rest.length === 0 && Object.keys(kept).length === 0;
  return isEmptied ? undefined : kept;
}
