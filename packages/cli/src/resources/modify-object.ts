import type { Applied } from '@overland/datastore';
import type { AnyResource } from '@overland/model';
import type { CommandContext } from '../command.ts';
import { openClient } from '../datastore/open-client.ts';
import type { NamedObject } from './named-object.ts';

/**
 * Reads one object, changes it and writes it; again while others write it, too.
 *
 * @throws {ResourceNotFoundError} If there is none.
 */
export async function modifyObject(
  context: CommandContext,
  { config, dryRun }: { readonly config: string | undefined; readonly dryRun: boolean },
  { kind, name }: NamedObject,
  change: (before: AnyResource) => AnyResource,
): Promise<Applied<AnyResource>> {
  await using open = await openClient(context, { config, dryRun });
  return await open.client.modify(kind, name, (before) => change(before as AnyResource));
}
