import {
  type AnyResource,
  type AppliedFields,
  appliedFields,
  appliedKey,
  isJsonObject,
  type Kind,
  parseJson,
  type Stated,
  sameJson,
  stringifyJson,
  threeWayMerge,
} from '@overland/model';
import type { Condition, Entry, Operation } from '../datastore.ts';

/**
 * What counts as stated in an object that was never applied: what people write. So a manifest replaces it, as
 * calicoctl does, and controllers keep their finalizers.
 */
const NEVER_APPLIED: AppliedFields = {
  stated: { metadata: { labels: true, annotations: true }, spec: true },
  filled: undefined,
};

/** The metadata that a manifest never sets on an object that exists. */
const KEPT_METADATA: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'managedFields',
  'selfLink',
]);

/** What a manifest says, and what it came to when it was read. */
export interface Manifest<R extends AnyResource = AnyResource> {
  readonly resource: R;
  /** As it was written; the resource itself if every field of it is meant. */
  readonly written: unknown;
}

/** `live` as it is when the manifest is applied to it. Its status and what the datastore says of it stay. */
export function mergeApplied<R extends AnyResource>(
  live: R,
  { resource, written }: Manifest<R>,
  record: Entry | undefined,
): R {
  const before = decodeRecord(record, live.metadata.uid) ?? NEVER_APPLIED;
  const merged = threeWayMerge(before, statedParts(live), {
    written: statedParts(statedBy(resource, written)),
    complete: statedParts(resource),
  }) as { readonly metadata: object; readonly spec: unknown };
  const kept = Object.entries(live.metadata).filter(([name]) => KEPT_METADATA.has(name));
  const metadata = { ...Object.fromEntries(kept), ...merged.metadata };
  return { ...live, metadata, spec: merged.spec } as R;
}

/** What to write so that the next apply knows what this one stated; nothing if it is known already. */
export function recordOperations(
  kind: Kind,
  made: AnyResource,
  { resource, written }: Manifest,
  record?: Entry,
): Operation[] {
  const { uid = '' } = made.metadata;
  const fields = appliedFields({
    written: statedParts(statedBy(resource, written)),
    complete: statedParts(resource),
  });
  const value = stringifyJson({ uid, ...fields });
  if (record && sameJson(jsonOf(record), parseJson(value))) return [];
  return [{ type: 'put', key: appliedKey(kind, made.metadata), value }];
}

/** That nobody has applied the object since its record was read. */
export function recordCondition(
  kind: Kind,
  { metadata }: AnyResource,
  record: Entry | undefined,
): Condition {
  const key = appliedKey(kind, metadata);
  return record ? { type: 'revision', key, revision: record.revision } : { type: 'absent', key };
}

/** A manifest of another kind, such as Kubernetes' own, was translated: what came out is what it states. */
function statedBy(resource: AnyResource, written: unknown): unknown {
  const isSame =
    isJsonObject(written) &&
    written.kind === resource.kind &&
    written.apiVersion === resource.apiVersion;
  return isSame ? written : resource;
}

/** The parts of an object that manifests are about. */
function statedParts(object: unknown): { readonly metadata: object; readonly spec: unknown } {
  const { metadata, spec } = isJsonObject(object) ? object : {};
  const given = isJsonObject(metadata) ? Object.entries(metadata) : [];
  return {
    metadata: Object.fromEntries(given.filter(([name]) => !KEPT_METADATA.has(name))),
    spec: spec ?? {},
  };
}

/** `undefined` if it is of a former object of the name, or not what we write. */
function decodeRecord(record: Entry | undefined, uid = ''): AppliedFields | undefined {
  const value = record && jsonOf(record);
  if (!isJsonObject(value) || value.uid !== uid || !isJsonObject(value.stated)) return undefined;
  return { stated: value.stated as Stated, filled: value.filled };
}

/** The record's JSON; `undefined` if it is none. */
export function jsonOf({ value }: Entry): unknown {
  try {
    return parseJson(value);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
