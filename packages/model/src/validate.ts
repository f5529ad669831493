import type { Rule } from './kind.ts';
import { type AnyResource, type Kind, kindTable, type ResourceOfKind } from './kinds.ts';
import { isAnnotationKey, isLabelKey, isLabelValue, type NameRule } from './name-rules.ts';
import { ifReadable } from './readable-parts.ts';
import type { Metadata } from './resource.ts';
import { hideSecrets } from './secrets.ts';
import { type Fault, formatPath, parsePath, valueAt } from './validation.ts';

const MAX_ANNOTATION_CHARACTERS = 262_144;

/** Every rule that an object breaks: names, labels, and the rules between fields. */
export function ruleFaults(resource: AnyResource): Fault[] {
  const shown = hideSecrets(resource.kind, resource);
  return objectFaults(kindTable(resource.kind), resource, shown);
}

/** The part of a kind's table that says what objects must keep. */
interface ObjectRules<R> {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly name: NameRule;
  readonly rules: readonly Rule<R>[];
}

/**
 * As {@link ruleFaults}, by a table that need not be one of ours, of an object that may be readable in parts only: what
 * depends on the others is left out.
 *
 * @param shown What faults show: the object without secrets.
 */
export function objectFaults<R extends { readonly metadata: Metadata }>(
  table: ObjectRules<R>,
  resource: R,
  shown: unknown = resource,
): Fault[] {
  const broken = table.rules.flatMap(({ path, rule, check }): Fault[] => {
    const outcome = ifReadable(() => check(resource)) ?? true;
    if (outcome === true) return [];
    const paths = outcome === false ? [path] : outcome;
    return paths.map((at) => ({ path: at, value: valueAt(shown, parsePath(at)), rule }));
  });
  const ofMetadata = [
    () => nameFaults(table, resource.metadata),
    () => labelFaults(resource.metadata),
  ].flatMap((faults) => ifReadable(faults) ?? []);
  return [...ofMetadata, ...broken];
}

function nameFaults(
  { kind, name, namespaced }: Pick<ObjectRules<never>, 'kind' | 'name' | 'namespaced'>,
  metadata: Metadata,
): Fault[] {
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

const KEY_RULE =
  'must have a key of at most 63 letters, digits, "-", "_" and ".", after an optional DNS prefix';

function labelFaults({ labels = {}, annotations = {} }: Metadata): Fault[] {
  const faults: Fault[] = [];
  for (const [key, value] of Object.entries(labels)) {
    const path = formatPath(['metadata', 'labels', key]);
    if (!isLabelKey(key)) faults.push({ path, value: key, rule: KEY_RULE });
    if (!isLabelValue(value)) {
      const rule = 'must be at most 63 letters, digits, "-", "_" and "."';
      faults.push({ path, value, rule });
    }
  }
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += key.length + value.length;
    if (isAnnotationKey(key)) continue;
    faults.push({ path: formatPath(['metadata', 'annotations', key]), value: key, rule: KEY_RULE });
  }
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
    const [was, is] = [valueAt(before, parsePath(path)), valueAt(after, parsePath(path))];
    const rule = `must stay ${String(was)}: it cannot be changed after creation`;
    return was === is ? [] : [{ path, value: is, rule }];
  });
}
