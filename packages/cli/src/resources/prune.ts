import { appliedResources } from '@overland/datastore';
import { type AnyResource, type Kind, type Labels, subjectOf } from '@overland/model';
import { type OptionSpec, UsageError } from '../command.ts';
import type { OpenClient } from '../datastore/open-client.ts';
import { deleteObject } from './delete-object.ts';
import { labelSelector } from './label-selector.ts';
import { type ItemResult, runItems } from './run-items.ts';
import type { WorkItem } from './work-items.ts';

/**
 * Kinds that are pruned, in this order: what names others goes first. Not IPPool and Node, on which running containers
 * hang: delete them by name. Not what agents and the cluster itself write.
 */
const PRUNED_KINDS: readonly Kind[] = [
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'Tier',
  'HostEndpoint',
  'Profile',
  'NetworkSet',
  'GlobalNetworkSet',
  'BGPPeer',
  'BGPFilter',
  'BGPConfiguration',
  'FelixConfiguration',
  'KubeControllersConfiguration',
  'IPReservation',
  'CalicoNodeStatus',
];

export const PRUNE_OPTIONS = {
  prune: {
    type: 'boolean',
    summary: 'also delete what was applied before, has the labels of -l and is not in the input',
  },
  selector: {
    type: 'string',
    short: 'l',
    value: 'key=value',
    summary: 'labels of what --prune may delete; every resource of the input should have them',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** What may be pruned. */
export interface Prune {
  readonly selector: string;
  readonly matchesLabels: (labels: Labels) => boolean;
}

/** The values of {@link PRUNE_OPTIONS}; `undefined` without `--prune`. @throws {UsageError} */
export function pruneOf({
  prune,
  selector,
}: {
  readonly prune: boolean;
  readonly selector: string | undefined;
}): Prune | undefined {
  if (!prune) {
    if (selector !== undefined)
      throw new UsageError('-l says what --prune may delete: give --prune');
    return undefined;
  }
  if (selector === undefined || selector.trim() === '') {
    throw new UsageError('--prune needs -l key=value: only what has these labels is deleted');
  }
  return { selector, matchesLabels: labelSelector(selector) };
}

/**
 * What is to be pruned: applied objects with the labels that are not in the input, in the order in which they can go.
 *
 * @param items Everything that was read from the input.
 */
export async function pruneCandidates(
  { datastore }: OpenClient,
  { matchesLabels }: Prune,
  items: readonly WorkItem[],
): Promise<readonly AnyResource[]> {
  const kept = new Set(
    items.flatMap(({ content }) =>
      content.type === 'manifest' ? subjectOf(content.resource) : [],
    ),
  );
  const found: AnyResource[] = [];
  for (const kind of PRUNED_KINDS) {
    for await (const resource of appliedResources(datastore, kind)) {
      const { labels = {} } = resource.metadata;
      if (matchesLabels(labels) && !kept.has(subjectOf(resource))) found.push(resource);
    }
  }
  return found;
}

/** Deletes what is to be pruned. An object that has changed since it was found stays, and is a failure. */
export async function pruneObjects(
  open: OpenClient,
  candidates: readonly AnyResource[],
  signal: AbortSignal,
): Promise<readonly ItemResult[]> {
  const results: ItemResult[] = [];
  // Kind by kind: a tier can go when its policies have gone.
  for (const kind of PRUNED_KINDS) {
    const ofKind = candidates.filter((resource) => resource.kind === kind);
    const versions = new Map(
      ofKind.map((resource) => [subjectOf(resource), resource.metadata.resourceVersion]),
    );
    const items = ofKind.map(
      (resource): WorkItem => ({
        kind,
        name: resource.metadata,
        subject: subjectOf(resource),
        content: { type: 'named' },
      }),
    );
    const work = ({ subject, name }: WorkItem) =>
      deleteObject(open, kind, name ?? { name: '' }, versions.get(subject));
    results.push(...(await runItems(items, work, { signal, onResult: () => undefined })));
  }
  return results;
}

/** Lines for those of the input that no later `--prune` with the same labels would find. */
export function labelWarnings(
  { selector, matchesLabels }: Prune,
  items: readonly WorkItem[],
): string[] {
  return items.flatMap(({ content, subject, place }) => {
    if (content.type !== 'manifest') return [];
    const { kind, metadata } = content.resource;
    if (!PRUNED_KINDS.includes(kind) || matchesLabels(metadata.labels ?? {})) return [];
    return [`${place}: ${subject} has not the labels ${selector}: no later --prune will find it`];
  });
}
