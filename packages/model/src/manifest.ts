import { isJsonObject } from './json.ts';
import { type AnyResource, findKind, KINDS, type Kind, kindTable } from './kinds.ts';
import { nearestName } from './nearest-name.ts';
import { subjectOf, tryReadResource } from './read-resource.ts';
import { API_VERSION } from './resource.ts';
import { unknownFields } from './schema.ts';
import { ruleFaults } from './validate.ts';
import { type Fault, ValidationError } from './validation.ts';

/**
 * Reads one manifest, as parsed from YAML or JSON, as what an operator wrote: unknown fields are mistakes
 * here. Defaults are filled in; a namespaced object without a namespace is in `default`.
 *
 * @throws {ValidationError} With everything that is wrong.
 */
export function parseManifest(value: unknown): AnyResource {
  const kind = manifestKind(value);
  const unknown = unknownFields(kindTable(kind).schema, value);
  const result = tryReadResource(kind, value);
  if ('faults' in result)
    throw new ValidationError(subjectOf(value), [...unknown, ...result.faults]);
  const resource = completeResource(result.resource);
  const faults = [...unknown, ...ruleFaults(resource)];
  if (faults.length > 0) throw new ValidationError(subjectOf(value), faults);
  return resource;
}

/** Sets what follows from other fields: the namespace, and what the kind's table says. */
export function completeResource<R extends AnyResource>(resource: R): R {
  const { namespaced, complete } = kindTable(resource.kind);
  const placed =
    namespaced && !resource.metadata.namespace
      ? { ...resource, metadata: { ...resource.metadata, namespace: 'default' } }
      : resource;
  return complete ? (complete(placed) as R) : placed;
}

function manifestKind(value: unknown): Kind {
  const fail = (...faults: Fault[]): never => {
    throw new ValidationError(subjectOf(value), faults);
  };
  if (!isJsonObject(value)) return fail({ path: '', value, rule: 'must be an object' });
  const { apiVersion, kind } = value;
  const faults: Fault[] = [];
  if (apiVersion !== API_VERSION) {
    faults.push({ path: 'apiVersion', value: apiVersion, rule: `must be ${API_VERSION}` });
  }
  const found = typeof kind === 'string' && Object.hasOwn(KINDS, kind) ? (kind as Kind) : undefined;
  if (!found) faults.push({ path: 'kind', value: kind, rule: unknownKind(kind) });
  return found && faults.length === 0 ? found : fail(...faults);
}

function unknownKind(kind: unknown): string {
  if (typeof kind !== 'string') return 'must be the name of a kind, as IPPool';
  const near = findKind(kind) ?? nearestName(kind, Object.keys(KINDS));
  return `must be a known kind${near === undefined ? '' : `; did you mean ${near}?`}`;
}
