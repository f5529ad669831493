import { RefusedError } from '@overland/datastore';
import { findKind, KINDS, type Kind, nearestName } from '@overland/model';
import { UsageError } from '../command.ts';

/** The kind that an operator means: its name, its plural or an alias, in any case. @throws {UsageError} */
export function kindArgument(typed: string): Kind {
  const kind = findKind(typed);
  if (kind) return kind;
  const tables = Object.values(KINDS);
  const names = tables.flatMap((table) => [table.kind, table.plural, ...table.aliases]);
  const near = nearestName(typed, names);
  const what = `unknown resource type '${typed}'${near === undefined ? '' : `; did you mean ${near}?`}`;
  throw new UsageError(`${what}\nknown are ${knownKinds()}`);
}

/** For messages to people who do not name a kind, or one that there is not. */
export function knownKinds(): string {
  return Object.keys(KINDS).toSorted().join(', ');
}

/** Kept by the cluster itself, so that agents of any version can rely on what it says. */
const KEPT_BY_CLUSTER: ReadonlySet<Kind> = new Set(['ClusterInformation']);

/** @throws {RefusedError} If operators do not write objects of the kind. */
export function checkWritable(kind: Kind, verb: string): void {
  if (KEPT_BY_CLUSTER.has(kind)) {
    throw new RefusedError(`${kind} is kept by the cluster itself: ${verb} is refused`);
  }
}
