import type { Removal } from '@overland/ipam';
import { type Kind, type ResourceName, subjectOf } from '@overland/model';
import type { OpenClient } from '../datastore/open-client.ts';
import type { Done } from './run-items.ts';

/** Removes an object, and what must go with it. @param version Only in this state, if given. */
export async function deleteObject(
  { client, datastore }: OpenClient,
  kind: Kind,
  name: ResourceName,
  version: string | undefined,
): Promise<Done> {
  if (kind !== 'Node' && kind !== 'IPPool') {
    await client.delete(kind, name, version);
    return { outcome: 'deleted' };
  }
  const { deleteNode, deletePool } = await import('@overland/ipam');
  const remove = kind === 'Node' ? deleteNode : deletePool;
  const options = { datastore, now: () => new Date() };
  const notes: string[] = [];
  try {
    for await (const removal of remove(options, name.name, version)) notes.push(describe(removal));
  } catch (error) {
    if (notes.length === 0) throw error;
    throw new Error(unfinished(error, notes), { cause: error });
  }
  return { outcome: 'deleted', notes };
}

/** Part of it is done: people must know what, and that it can be finished. */
function unfinished(error: unknown, notes: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  return [
    message,
    ...notes.map((note) => `before that: ${note}`),
    'delete it again to finish',
  ].join('\n');
}

function describe(removal: Removal): string {
  switch (removal.type) {
    case 'addresses':
      return `released ${removal.addresses.join(', ')}`;
    case 'object':
      return `deleted ${subjectOf({ kind: removal.kind, metadata: removal.name })}`;
    case 'disabled':
      return 'disabled, so that nobody claims a block of it';
    case 'unreadable':
      return 'it could not be read, so claims on its blocks may be left';
    case 'block': {
      const { cidr, owner, outcome } = removal;
      const whose = owner ? ` of ${owner.name}` : '';
      if (outcome === 'ownerless') {
        return `block ${cidr}${whose} stays without an owner: addresses of it are in use`;
      }
      return outcome === 'dangling'
        ? `gave up a claim${whose} on ${cidr}`
        : `gave up block ${cidr}${whose}`;
    }
    default:
      return removal satisfies never;
  }
}
