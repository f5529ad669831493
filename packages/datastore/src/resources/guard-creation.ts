import { type AnyResource, type Fault, subjectOf, ValidationError } from '@overland/model';
import type { Condition, Datastore, Operation } from '../datastore.ts';
import { guardPool } from './guard-pool.ts';

/** Under what an object may be created beside those that exist. */
export interface Guard {
  /** Why it may not. */
  readonly faults: readonly Fault[];
  /** That what was looked at is still so when it is written. */
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
}

const NO_GUARD: Guard = { faults: [], conditions: [], operations: [] };

/**
 * Checks the rules between a new object and others, which the table of its kind cannot express.
 *
 * @throws {ValidationError} If it breaks one.
 */
export async function guardCreation(store: Datastore, resource: AnyResource): Promise<Guard> {
  const guard = await guardOf(store, resource);
  if (guard.faults.length > 0) throw new ValidationError(subjectOf(resource), guard.faults);
  return guard;
}

async function guardOf(store: Datastore, resource: AnyResource): Promise<Guard> {
  switch (resource.kind) {
    case 'IPPool':
      return await guardPool(store, resource);
    default:
      return NO_GUARD;
  }
}
