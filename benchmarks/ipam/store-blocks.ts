import type { Datastore, Operation } from '@overland/datastore';
import { affinityKey, blockKey, encodeBlock } from '@overland/model';
import type { Prefix } from '@overland/net';
import { newBlock } from '../../packages/ipam/src/block.ts';
import { AT } from './setting.ts';

const CLAIMED = '{"state":"confirmed","deleted":false}';

/** Claims by hand, without the protocol. */
export async function storeBlocks(
  store: Datastore,
  node: string,
  cidrs: readonly Prefix[],
): Promise<void> {
  const owner = { type: 'host', name: node } as const;
  for (let i = 0; i < cidrs.length; i += 60) {
    const operations = cidrs.slice(i, i + 60).flatMap((cidr): Operation[] => [
      { type: 'put', key: blockKey(cidr), value: encodeBlock(newBlock(cidr, owner, AT)) },
      { type: 'put', key: affinityKey(owner, cidr), value: CLAIMED },
    ]);
    await store.transact({ conditions: [], operations });
  }
}
