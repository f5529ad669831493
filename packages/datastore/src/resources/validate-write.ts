import {
  type AnyResource,
  completeResource,
  type Fault,
  immutabilityFaults,
  type Kind,
  type ResourceOfKind,
  readResource,
  ruleFaults,
  subjectOf,
  ValidationError,
} from '@overland/model';

/** The object as it may be stored. @throws {ValidationError} With every rule it breaks. */
export function validateNew<K extends Kind>(kind: K, resource: AnyResource): ResourceOfKind<K> {
  const complete = completeResource(readResource(kind, resource) as AnyResource);
  refuse(complete, ruleFaults(complete));
  return complete as ResourceOfKind<K>;
}

/**
 * As {@link validateNew}, for an object that takes the place of `before`. Rules which that one broke already
 * may stay broken: a pool with encapsulation can still be disabled.
 */
export function validateUpdate<K extends Kind>(
  kind: K,
  before: ResourceOfKind<K>,
  resource: AnyResource,
): ResourceOfKind<K> {
  const complete = completeResource(readResource(kind, resource) as AnyResource);
  const after = complete as ResourceOfKind<K>;
  const old = new Set(ruleFaults(before as AnyResource).map(identityOf));
  const broken = ruleFaults(complete).filter((fault) => !old.has(identityOf(fault)));
  refuse(complete, [...broken, ...immutabilityFaults(before, after)]);
  return after;
}

function refuse(resource: AnyResource, faults: readonly Fault[]): void {
  if (faults.length > 0) throw new ValidationError(subjectOf(resource), faults);
}

function identityOf({ path, rule }: Fault): string {
  return `${path} ${rule}`;
}
