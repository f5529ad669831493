import { isJsonObject } from './json.ts';
import {
  type AnyKindTable,
  type AnyResource,
  findKind,
  KINDS,
  type Kind,
  kindTable,
} from './kinds.ts';
import {
  KUBERNETES_POLICY_VERSION,
  readKubernetesPolicy,
} from './kubernetes/read-network-policy.ts';
import { levelFaults } from './levels.ts';
import { nearestName } from './nearest-name.ts';
import { subjectOf, tryReadResource } from './read-resource.ts';
import { ifReadable, readableParts } from './readable-parts.ts';
import { API_VERSION } from './resource.ts';
import { unknownFields, withoutNulls } from './schema.ts';
import { hideSecrets } from './secrets.ts';
import { objectFaults, ruleFaults } from './validate.ts';
import { describeFault, type Fault, ValidationError } from './validation.ts';

/**
 * Reads one manifest, as parsed from YAML or JSON, as what an operator wrote: unknown fields are mistakes
 * here. Defaults are filled in; a namespaced object without a namespace is in `default`.
 *
 * @throws {ValidationError} With everything that is wrong.
 */
export function parseManifest(value: unknown): AnyResource {
  const deep = levelFaults(value);
  if (deep.length > 0) throw new ValidationError(subjectOf(value), deep);
  if (isJsonObject(value) && value.apiVersion === KUBERNETES_POLICY_VERSION) {
    return parseKubernetesPolicy(value);
  }
  const kind = manifestKind(value);
  const table = kindTable(kind);
  const given = withName(table, value);
  const unknown = unknownFields(table.schema, given);
  const result = tryReadResource(kind, given);
  if ('faults' in result) {
    const faults = [...unknown, ...result.faults, ...faultsOfParts(table, given)];
    throw new ValidationError(subjectOf(value), faults);
  }
  const resource = completeResource(result.resource);
  const faults = [...unknown, ...manifestNameFaults(table, resource), ...ruleFaults(resource)];
  if (faults.length > 0) throw new ValidationError(subjectOf(value), faults);
  return resource;
}

/** What is wrong beyond the fields that cannot be read, as far as it does not depend on them. */
function faultsOfParts(table: AnyKindTable, given: unknown): Fault[] {
  const read = () => readableParts(table.schema, withoutNulls(table.schema, given)) as AnyResource;
  const parts = ifReadable(read);
  if (!parts) return [];
  const resource = ifReadable(() => completeResource(parts)) ?? parts;
  const ofName = ifReadable(() => manifestNameFaults(table, resource)) ?? [];
  return [...ofName, ...objectFaults(table, resource, hideSecrets(table.kind, given))];
}

/** A NetworkPolicy of Kubernetes becomes one of ours, under a name that only such have. */
function parseKubernetesPolicy(value: unknown): AnyResource {
  const result = readKubernetesPolicy(value);
  if ('faults' in result) throw new ValidationError(subjectOf(value), result.faults);
  const read = tryReadResource('NetworkPolicy', result.converted);
  const faults = 'faults' in read ? read.faults : ruleFaults(read.resource);
  if ('faults' in read || faults.length > 0) {
    const rule = `cannot be converted to a policy of ${API_VERSION}: ${faults.map(describeFault).join('; ')}`;
    throw new ValidationError(subjectOf(value), [{ path: 'spec', value: undefined, rule }]);
  }
  return completeResource(read.resource);
}

/** The manifest with the name that follows from other fields, if it has none itself. */
function withName(table: AnyKindTable, value: unknown): unknown {
  if (!table.nameFrom || !isJsonObject(value)) return value;
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const name = metadata.name ?? table.nameFrom(value);
  return name === undefined ? value : { ...value, metadata: { ...metadata, name } };
}

function manifestNameFaults({ manifestName }: AnyKindTable, { metadata }: AnyResource): Fault[] {
  const { name } = metadata;
  if (!manifestName || manifestName.holds(name)) return [];
  return [{ path: 'metadata.name', value: name, rule: manifestName.rule }];
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
