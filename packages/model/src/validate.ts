import { type AnyResource, type Kind, kindTable, type ResourceOfKind } from './kinds.ts';
import { isLabelKey, isLabelValue } from './name-rules.ts';
import { type Fault, formatPath, valueAt } from './validation.ts';

const MAX_ANNOTATION_CHARACTERS = 262_144;

/** Every rule that an object breaks: names, labels, and the rules between fields. */
export function ruleFaults(resource: AnyResource): Fault[] {
  const table = kindTable(resource.kind);
  const broken = table.rules.flatMap(({ path, rule, check }): Fault[] => {
    const outcome = check(resource);
    if (outcome === true) return [];
    const paths = outcome === false ? [path] : outcome;
    return paths.map((at) => ({ path: at, value: valueAt(resource, splitPath(at)), rule }));
  });
  return [...nameFaults(resource), ...labelFaults(resource), ...broken];
}

function nameFaults({ kind, metadata }: AnyResource): Fault[] {
  const { name, namespaced } = kindTable(kind);
  const faults: Fault[] = [];
  if (!name.holds(metadata.name)) {
    faults.push({ path: 'metadata.name', value: metadata.name, rule: name.rule });
  }
  if (!namespaced && metadata.namespace) {
    const rule = `must not be set: ${kind} objects have no namespace`;
    faults.push({ path: 'metadata.namespace', value: metadata.namespace, rule });
  }
  return faults;
}

function labelFaults({ metadata: { labels = {}, annotations = {} } }: AnyResource): Fault[] {
  const faults: Fault[] = [];
  for (const [key, value] of Object.entries(labels)) {
    const path = formatPath(['metadata', 'labels', key]);
    if (!isLabelKey(key)) {
      const rule =
        'must have a key of at most 63 letters, digits, "-", "_" and ".", after an optional DNS prefix';
      faults.push({ path, value: key, rule });
    }
    if (!isLabelValue(value)) {
      const rule = 'must be at most 63 letters, digits, "-", "_" and "."';
      faults.push({ path, value, rule });
    }
  }
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) size += key.length + value.length;
  if (size > MAX_ANNOTATION_CHARACTERS) {
    const rule = `must have at most ${MAX_ANNOTATION_CHARACTERS} characters in all`;
    faults.push({ path: 'metadata.annotations', value: size, rule });
  }
  return faults;
}

/** Faults of an update: what must not change, has. */
export function immutabilityFaults<K extends Kind>(
  before: ResourceOfKind<K>,
  after: ResourceOfKind<K>,
): Fault[] {
  return kindTable(after.kind).immutable.flatMap((path) => {
    const [was, is] = [valueAt(before, splitPath(path)), valueAt(after, splitPath(path))];
    const rule = `must stay ${String(was)}: it cannot be changed after creation`;
    return was === is ? [] : [{ path, value: is, rule }];
  });
}

/** The steps of a path that a kind table wrote: `spec.ipNATs[0].internalIP`. */
function splitPath(path: string): (string | number)[] {
  return [...path.matchAll(/[^.[\]]+/g)].map(([step]) =>
    /^\d+$/.test(step) ? Number(step) : step,
  );
}
