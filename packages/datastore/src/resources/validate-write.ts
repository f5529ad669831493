import {
  type AnyResource,
  completeResource,
  type Fault,
  immutabilityFaults,
  type Kind,
  keepSecrets,
  markFaults,
  type ResourceOfKind,
  readResource,
  ruleFaults,
  secretPaths,
  subjectOf,
  ValidationError,
} from '@overland/model';
import type { Datastore } from '../datastore.ts';

/** Where an object is to be written. */
type Destination = Pick<Datastore, 'isPrivate'>;

/** The object as it may be stored. @throws {ValidationError} With every rule it breaks. */
export function validateNew<K extends Kind>(
  kind: K,
  resource: AnyResource,
  destination: Destination,
): ResourceOfKind<K> {
  const complete = keepSecrets(completeResource(readResource(kind, resource) as AnyResource));
  refuse(complete, [...ruleFaults(complete), ...secretFaults(complete, destination)]);
  return complete as ResourceOfKind<K>;
}

/** As {@link validateNew}, for what `parseManifest` has just given: only what depends on the datastore is left. */
export function validateParsed<R extends AnyResource>(resource: R, destination: Destination): R {
  const kept = keepSecrets(resource);
  refuse(kept, secretFaults(kept, destination));
  return kept;
}

/**
 * As {@link validateNew}, for an object that takes the place of `before`. Rules which that one broke already
 * may stay broken: a pool with encapsulation can still be disabled.
 */
export function validateUpdate<R extends AnyResource>(
  before: R,
  resource: AnyResource,
  destination: Destination,
): R {
  const read = completeResource(readResource(before.kind, resource) as AnyResource);
  const after = keepSecrets(read, before as AnyResource);
  const old = new Set(ruleFaults(before).map(identityOf));
  const broken = ruleFaults(after).filter((fault) => !old.has(identityOf(fault)));
  const unchanged = immutabilityFaults(before as ResourceOfKind<Kind>, after as typeof before);
  refuse(after, [...broken, ...unchanged, ...secretFaults(after, destination)]);
  return after as R;
}

/** Whether secrets are there to be written, and may be sent. */
function secretFaults(resource: AnyResource, { isPrivate }: Destination): Fault[] {
  const marks = markFaults(resource);
  if (marks.length > 0 || isPrivate) return marks;
  const rule =
    'must not be sent to an etcd without TLS: use https endpoints, or keep the secret in a file of the node';
  return secretPaths(resource).map((path) => ({ path, value: undefined, rule }));
}

function refuse(resource: AnyResource, faults: readonly Fault[]): void {
  if (faults.length > 0) throw new ValidationError(subjectOf(resource), faults);
}

function identityOf({ path, rule }: Fault): string {
  return `${path} ${rule}`;
}
