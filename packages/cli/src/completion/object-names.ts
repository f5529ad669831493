import type { CommandContext } from '../command.ts';
import { openClient } from '../datastore/open-client.ts';
import type { Candidate } from './find-candidates.ts';

/** More than a shell shows; reading them must not take long. */
const MOST_NAMES = 1000;

export interface NameRequest {
  /** As typed: a kind, its plural or an alias. */
  readonly kind: string;
  /** Options of the command line, by name. */
  readonly options: Readonly<Record<string, string>>;
}

/** Every kind, as its plural. */
export async function kindCandidates(): Promise<Candidate[]> {
  const { KINDS } = await import('@overland/model');
  return Object.values(KINDS).map(({ plural, summary }) => ({ word: plural, meaning: summary }));
}

/** Names of stored objects. Rejects when there is no datastore. */
export async function objectNames(
  context: CommandContext,
  { kind: typed, options }: NameRequest,
): Promise<readonly string[]> {
  const { findKind, kindTable, parseResourceKey, resourcePrefix } = await import('@overland/model');
  const kind = findKind(typed);
  if (!kind) return [];
  await using open = await openClient(context, { config: options.config });
  const { namespaced, storage } = kindTable(kind);
  if (storage === 'ipam') {
    const { resources } = await open.client.list(kind);
    return resources.slice(0, MOST_NAMES).map(({ metadata }) => metadata.name);
  }
  const namespace = namespaced ? (options.namespace ?? 'default') : undefined;
  const { entries } = await open.datastore.list(resourcePrefix(kind, namespace), {
    limit: MOST_NAMES,
  });
  return entries.flatMap(({ key }) => parseResourceKey(key)?.name.name ?? []);
}
