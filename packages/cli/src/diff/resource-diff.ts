import { type AnyResource, printYaml } from '@overland/model';
import { unifiedDiff } from './unified-diff.ts';

/** What would become of one object. */
export interface ResourceDiff {
  /** `IPPool(rack1)` */
  readonly subject: string;
  /** Where its manifest stands: `pools.yaml:12`; absent if it has none. */
  readonly place?: string | undefined;
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'deleted';
  /** Absent if it is not there yet. */
  readonly before?: AnyResource | undefined;
  /** Absent if it would go. */
  readonly after?: AnyResource | undefined;
}

/** What manifests say of an object: without what the datastore and controllers add. */
export function comparedForm(resource: AnyResource): Readonly<Record<string, unknown>> {
  const { apiVersion, kind, metadata, spec } = resource;
  const { name, namespace, labels, annotations, finalizers } = metadata;
  return defined({
    apiVersion,
    kind,
    metadata: defined({ name, namespace, labels, annotations, finalizers }),
    spec,
  });
}

/** A unified diff of the object's YAML; nothing if it stays as it is. */
export function diffLines({ subject, place, before, after }: ResourceDiff): string[] {
  const hunks = unifiedDiff(yamlLines(before), yamlLines(after));
  if (hunks.length === 0) return [];
  return [
    `--- ${before ? `stored/${subject}` : '/dev/null'}`,
    `+++ ${after ? (place ?? subject) : '/dev/null'}`,
    ...hunks,
  ];
}

function yamlLines(resource: AnyResource | undefined): string[] {
  return resource ? printYaml(comparedForm(resource)).trimEnd().split('\n') : [];
}

function defined(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
