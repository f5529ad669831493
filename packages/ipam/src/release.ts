import {
  type Condition,
  ConflictError,
  type Datastore,
  type Entry,
  type Operation,
} from '@overland/datastore';
import {
  type AllocationBlock,
  decodeHandle,
  encodeHandle,
  type Handle,
  handleKey,
} from '@overland/model';
import type { IpAddress, Prefix } from '@overland/net';
import { type Allocation, allocationsOf } from './block.ts';
import type { Cooldown } from './cooldown.ts';
import { ContentionError } from './errors.ts';
import { blocksOf, EMPTY_HANDLE, isUnused, withCount } from './handle.ts';
import { MAX_ATTEMPTS, type OwnBlocks } from './own-blocks.ts';
import { type Release, releaseAddresses, releaseHandle } from './release-in-block.ts';
import { readBlock, rewriteBlock, type StoredBlock } from './stored-block.ts';

/** Most blocks whose addresses one transaction gives back: a full /20 takes 150 kB of the 1.5 MB a request may have. */
const BLOCKS_PER_TRANSACTION = 8;

/** Where releases happen. */
export interface Releaser {
  readonly datastore: Datastore;
  /** Blocks known to whoever releases; one who is no host knows none. */
  readonly own: Pick<OwnBlocks, 'known' | 'remember' | 'forget'>;
  /** Asked before each write. */
  readonly cooldown: () => Cooldown | Promise<Cooldown>;
}

/**
 * Gives back everything that a handle holds and deletes the handle, in one transaction (a handle with
 * addresses in more than 8 blocks takes several). A handle that holds nothing, or counts what its blocks
 * do not have, is deleted all the same.
 *
 * @returns The addresses that became free; none if there is no such handle.
 */
export async function releaseByHandle(releaser: Releaser, handle: string): Promise<IpAddress[]> {
  const released: IpAddress[] = [];
  for (let attempt = 0; attempt < MAX_ATTEMPTS; ) {
    const stored = await releaser.datastore.get(handleKey(handle));
    if (!stored) return released;
    const changes: BlockChange[] = [];
    const cooldown = await releaser.cooldown();
    let remaining = decodeHandle(stored.value);
    for (const cidr of blocksOf(remaining).slice(0, BLOCKS_PER_TRANSACTION)) {
      remaining = withCount(remaining, cidr, 0);
      const before = await knownOrRead(releaser, cidr);
      if (!before) continue;
      const { block, released: ended } = releaseHandle(before.block, handle, cooldown);
      changes.push({ before, after: block, ended });
    }
    const update = handleUpdate(handle, stored, remaining);
    if (!(await write(releaser, changes, [update]))) {
      attempt++;
      continue;
    }
    released.push(...changes.flatMap(({ ended }) => ended.map(({ address }) => address)));
    if (isUnused(remaining)) return released;
  }
  throw new ContentionError(`releasing ${handle}`, MAX_ATTEMPTS);
}

/**
 * Gives back addresses of one block, with the handles that held them updated in the same transaction.
 *
 * @returns The addresses that became free; those that were not in use are not among them.
 * @throws {StaleReleaseError} If a precondition does not hold. Nothing was released.
 */
export async function releaseFromBlock(
  releaser: Releaser,
  cidr: Prefix,
  releases: readonly Release[],
): Promise<IpAddress[]> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    // Not from memory: a refusal writes nothing, so nothing would show that the memory was stale.
    const before = await readBlock(releaser.datastore, cidr);
    if (!before) return [];
    const cooldown = await releaser.cooldown();
    const { block, released: ended } = releaseAddresses(before.block, releases, cooldown);
    if (ended.length === 0) return [];
    const handles = new Set(ended.flatMap(({ handle }) => handle ?? []));
    const updates: Write[] = [];
    for (const handle of handles) {
      const stored = await releaser.datastore.get(handleKey(handle));
      const left = allocationsOf(block).filter((allocation) => allocation.handle === handle);
      const holds = stored ? decodeHandle(stored.value) : EMPTY_HANDLE;
      updates.push(handleUpdate(handle, stored, withCount(holds, cidr, left.length)));
    }
    if (await write(releaser, [{ before, after: block, ended }], updates)) {
      return ended.map(({ address }) => address);
    }
  }
  throw new ContentionError(`releasing addresses of ${cidr}`, MAX_ATTEMPTS);
}

/** A block that was looked at; with no allocation ended it stays as it is, but must be what we saw. */
interface BlockChange {
  readonly before: StoredBlock;
  readonly after: AllocationBlock;
  readonly ended: readonly Allocation[];
}

interface Write {
  readonly condition: Condition;
  readonly operation: Operation;
}

function handleUpdate(handle: string, stored: Entry | undefined, holds: Handle): Write {
  const key = handleKey(handle);
  return {
    condition: stored
      ? { type: 'revision', key, revision: stored.revision }
      : { type: 'absent', key },
    operation: isUnused(holds)
      ? { type: 'delete', key }
      : { type: 'put', key, value: encodeHandle(holds) },
  };
}

async function knownOrRead(
  { datastore, own }: Releaser,
  cidr: Prefix,
): Promise<StoredBlock | undefined> {
  const known = own.known().get(cidr);
  return known ? { block: known.block, revision: known.blockRevision } : readBlock(datastore, cidr);
}

/** @returns `false` if someone else's write came first. */
async function write(
  { datastore, own }: Releaser,
  changes: readonly BlockChange[],
  handles: readonly Write[],
): Promise<boolean> {
  const blocks = changes.map(({ before, after }) => rewriteBlock(before, after));
  const changed = changes.filter(({ ended }) => ended.length > 0);
  try {
    const revision = await datastore.transact({
      conditions: [...blocks, ...handles].map(({ condition }) => condition),
      operations: [...blocks.filter((_, i) => changes[i]?.ended.length !== 0), ...handles].map(
        ({ operation }) => operation,
      ),
    });
    for (const { after } of changed) {
      const known = own.known().get(after.cidr);
      if (known) own.remember({ ...known, block: after, blockRevision: revision });
    }
    return true;
  } catch (error) {
    for (const { after } of changes) own.forget(after.cidr);
    if (error instanceof ConflictError) return false;
    throw error;
  }
}
