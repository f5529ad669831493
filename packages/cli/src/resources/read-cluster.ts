import {
  type AnyResource,
  type Kind,
  parseManifest,
  type ResourceName,
  type ResourceOfKind,
} from '@overland/model';
import { type CommandContext, UsageError } from '../command.ts';
import { openClient } from '../datastore/open-client.ts';
import { type ManifestInput, readManifests } from '../manifests/read-manifests.ts';
import { createJudge } from '../manifests/verdict.ts';
import { unreadable } from './read-objects.ts';

/** A resource that could not be read. */
interface UnreadResource {
  /** For people. */
  readonly resource: string;
  readonly reason: string;
  readonly kind: Kind;
  readonly name: ResourceName;
  /** What is there instead; `undefined`: no JSON. */
  readonly stored: unknown;
}

/** Resources of several kinds, and which could not be read. */
export interface ReadCluster {
  readonly resources: readonly AnyResource[];
  readonly problems: readonly UnreadResource[];
}

/**
 * All resources in manifests.
 *
 * @throws {UsageError} If any document is not valid, with every fault.
 */
export async function resourcesFromManifests(
  input: ManifestInput,
  context: CommandContext,
): Promise<ReadCluster> {
  const judge = createJudge();
  const faults: string[] = [];
  const resources: AnyResource[] = [];
  for await (const document of readManifests(input, context)) {
    const { verdict, lines } = judge(document);
    faults.push(...lines);
    if (verdict.valid && 'value' in document) resources.push(parseManifest(document.value));
  }
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return { resources, problems: [] };
}

/** All resources of these kinds in the datastore; secrets are not among what they say. */
export async function resourcesFromDatastore(
  kinds: readonly Kind[],
  config: string | undefined,
  context: CommandContext,
): Promise<ReadCluster> {
  await using open = await openClient(context, { config });
  const resources: AnyResource[] = [];
  const problems: UnreadResource[] = [];
  for (const kind of kinds) {
    const listed = await open.client.list(kind);
    resources.push(...(listed.resources as readonly AnyResource[]));
    for (const { name, error, stored } of listed.invalid) {
      const { message: reason } = unreadable(kind, name, error);
      problems.push({ resource: `${kind} ${name.name}`, reason, kind, name, stored });
    }
  }
  return { resources, problems };
}

export function ofKind<K extends Kind>(
  resources: readonly AnyResource[],
  kind: K,
): ResourceOfKind<K>[] {
  return resources.filter((resource): resource is ResourceOfKind<K> => resource.kind === kind);
}
