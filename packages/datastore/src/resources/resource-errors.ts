import type { Kind, ResourceName } from '@overland/model';

/** `BGPPeer(leaf11)`, `WorkloadEndpoint(default/x)`. */
export function describeName(kind: Kind, { name, namespace }: ResourceName): string {
  return `${kind}(${namespace ? `${namespace}/` : ''}${name})`;
}

/** An object of that name exists already. */
export class ResourceExistsError extends Error {
  override readonly name = 'ResourceExistsError';

  constructor(kind: Kind, name: ResourceName) {
    super(`${describeName(kind, name)} exists already`);
  }
}

/** There is no object of that name. */
export class ResourceNotFoundError extends Error {
  override readonly name = 'ResourceNotFoundError';

  constructor(kind: Kind, name: ResourceName) {
    super(`${describeName(kind, name)} does not exist`);
  }
}

/** The object was changed since it was read: read it again. Nothing was written. */
export class ResourceConflictError extends Error {
  override readonly name = 'ResourceConflictError';
  /** The `resourceVersion` that the writer had read. */
  readonly expected: string;
  /** The one it has now. */
  readonly actual: string;

  constructor(kind: Kind, name: ResourceName, versions: { expected: string; actual: string }) {
    const { expected, actual } = versions;
    super(`${describeName(kind, name)} was changed: it is at version ${actual}, not ${expected}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** Objects of the kind are written by IPAM alone. */
export class ReadOnlyKindError extends Error {
  override readonly name = 'ReadOnlyKindError';

  constructor(kind: Kind) {
    super(`${kind} objects are written by IPAM only`);
  }
}

/** What is asked for would break a rule about several objects, or change what is fixed. Nothing was written. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** A policy names a tier that there is not. Nothing was written. */
export class MissingTierError extends Error {
  override readonly name = 'MissingTierError';

  constructor(kind: Kind, name: ResourceName, tier: string) {
    super(
      `${describeName('Tier', { name: tier })} does not exist: ${describeName(kind, name)} is to be in it`,
    );
  }
}
