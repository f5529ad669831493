import { type Kind, kindTable, type ResourceName, subjectOf } from '@overland/model';
import { UsageError } from '../command.ts';

const DEFAULT_NAMESPACE = 'default';

/** An object as the command line names it. */
export interface NamedObject {
  readonly kind: Kind;
  readonly name: ResourceName;
  /** `IPPool(rack1)` */
  readonly subject: string;
}

/** The object of a kind with a name; a namespaced one is in `-n`, or else in `default`. @throws {UsageError} */
export function namedObject(kind: Kind, name: string, namespace: string | undefined): NamedObject {
  if (name === '' || name.includes('/')) throw new UsageError(`'${name}' is not a name`);
  const full = kindTable(kind).namespaced
    ? { name, namespace: namespace ?? DEFAULT_NAMESPACE }
    : { name };
  return { kind, name: full, subject: subjectOf({ kind, metadata: full }) };
}
