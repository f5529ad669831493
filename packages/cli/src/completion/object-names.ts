import { connectAgent } from '../agent-connection.ts';
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
  return Object.values(KINDS).map(({ plural, summary }) => ({
    word: plural,
    meaning: firstSentence(summary),
  }));
}

/** As much as fits beside a word. */
function firstSentence(summary: string): string {
  return summary.replace(/[.:].*$/s, '');
}

/** Names of this host's workloads. Rejects when no agent runs. */
export async function workloadNames(context: CommandContext): Promise<readonly string[]> {
  const workloads = await connectAgent(context).workloads();
  return workloads.map(({ name }) => name);
}

/** Namespaces of stored objects. Rejects when there is no datastore. */
export async function namespaceNames(
  context: CommandContext,
  { kind: typed, options }: NameRequest,
): Promise<readonly string[]> {
  const { findKind, kindTable, parseResourceKey, resourcePrefix } = await import('@overland/model');
  const kind = findKind(typed);
  if (!kind || !kindTable(kind).namespaced) return [];
  await using open = await openClient(context, { config: options.config });
  const { entries } = await open.datastore.list(resourcePrefix(kind), { limit: MOST_NAMES });
  return [...new Set(entries.flatMap(({ key }) => parseResourceKey(key)?.name.namespace ?? []))];
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
