import { ConflictError, type Datastore, type Transaction } from '@overland/datastore';
import {
  affinityKey,
  blockKey,
  DEFAULT_IPAM_CONFIG,
  decodeHandle,
  decodeIpamConfig,
  encodeHandle,
  handleKey,
  IPAM_CONFIG_KEY,
} from '@overland/model';
import type { Prefix } from '@overland/net';
import { allocationsOf } from '../block.ts';
import { collectCooled } from '../cooldown.ts';
import { decideClaim } from '../decide-claim.ts';
import { ContentionError, StaleReleaseError } from '../errors.ts';
import { giveUpBlock } from '../give-up-block.ts';
import { blocksOf, EMPTY_HANDLE, isUnused } from '../handle.ts';
import type { Instant } from '../instant.ts';
import { createIpamAdmin } from '../ipam-admin.ts';
import { MAX_ATTEMPTS } from '../own-blocks.ts';
import { readBlock, rewriteBlock } from '../stored-block.ts';
import type { AddressFinding, BlockFinding, Finding, HandleFinding } from './findings.ts';

/** What repairs need. */
export interface Repairer {
  readonly datastore: Datastore;
  readonly now: () => Instant;
  /** Nodes that exist. */
  readonly nodes: { has(node: string): boolean };
}

/**
 * Puts one thing right, if it is still as it was found.
 *
 * @returns Whether something was changed.
 * @throws {UnavailableError} If the datastore does not answer.
 */
export async function repair(repairer: Repairer, finding: Finding): Promise<boolean> {
  switch (finding.type) {
    case 'leaked-address':
      return await releaseLeaked(repairer, finding);
    case 'miscounted-handle':
    case 'leaked-handle':
    case 'missing-handle':
      return await recount(repairer, finding);
    case 'cooled-block':
      return await freeCooled(repairer, finding);
    case 'unclaimed-block':
      return await restoreClaim(repairer, finding);
    case 'dangling-claim':
    case 'abandoned-block':
    case 'ownerless-block':
    case 'poolless-block':
    case 'idle-block':
      return await giveUp(repairer, finding);
    case 'not-in-use':
    case 'not-allocated':
    case 'outside-pools':
    case 'unreadable':
      return false;
  }
}

/** Whether {@link repair} does anything about it: the rest is for an operator. */
export function isRepairable({ type }: Finding): boolean {
  return !['not-in-use', 'not-allocated', 'outside-pools', 'unreadable'].includes(type);
}

async function releaseLeaked(
  { datastore, now }: Repairer,
  { address, handle, sequence }: AddressFinding,
): Promise<boolean> {
  try {
    const release = { address, sequence, ...(handle !== undefined && { handle }) };
    return (await createIpamAdmin({ datastore, now }).releaseAddresses([release])).length > 0;
  } catch (error) {
    if (error instanceof StaleReleaseError) return false;
    throw error;
  }
}

async function giveUp(
  { datastore }: Repairer,
  { owner, cidr, claimRevision, blockRevision }: BlockFinding,
): Promise<boolean> {
  const seen = { claim: claimRevision, block: blockRevision };
  const outcome = await giveUpBlock(datastore, { owner, cidr, seen, ifEmpty: true });
  return outcome === 'deleted' || outcome === 'dangling';
}

/** Its host exists: the claim is written again. Otherwise the block is given up. */
async function restoreClaim(repairer: Repairer, finding: BlockFinding): Promise<boolean> {
  const { datastore, nodes, now } = repairer;
  const { owner, cidr } = finding;
  if (!owner) return false;
  const seen = { claim: finding.claimRevision, block: finding.blockRevision };
  if (owner.type === 'host' && !nodes.has(owner.name)) {
    return (await giveUpBlock(datastore, { owner, cidr, seen })) !== 'changed';
  }
  const block = await datastore.get(blockKey(cidr));
  if (block?.revision !== seen.block) return false;
  const affinity = await datastore.get(affinityKey(owner, cidr));
  const decision = decideClaim({ owner, cidr, claimedAt: now() }, { affinity, block });
  if (decision.type !== 'claim') return false;
  return await applied(datastore, decision.transaction);
}

async function freeCooled(
  { datastore, now }: Repairer,
  { cidr, blockRevision }: BlockFinding,
): Promise<boolean> {
  const stored = await readBlock(datastore, cidr);
  if (!stored || stored.revision !== blockRevision) return false;
  const config = await datastore.get(IPAM_CONFIG_KEY);
  const { ipCooldownSeconds } = config ? decodeIpamConfig(config.value) : DEFAULT_IPAM_CONFIG;
  const freed = collectCooled(stored.block, { now: now(), seconds: ipCooldownSeconds });
  if (freed === stored.block) return false;
  const { condition, operation } = rewriteBlock(stored, freed);
  return await applied(datastore, { conditions: [condition], operations: [operation] });
}

/** Sets the handle's counts to what its blocks hold, all of them unchanged. */
async function recount(
  { datastore }: Repairer,
  { handle, counts }: HandleFinding,
): Promise<boolean> {
  const key = handleKey(handle);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const stored = await datastore.get(key);
    const before = stored ? decodeHandle(stored.value) : EMPTY_HANDLE;
    const cidrs = new Set([...blocksOf(before), ...(Object.keys(counts) as Prefix[])]);
    const conditions = [];
    const blocks: Record<string, number> = {};
    for (const cidr of cidrs) {
      const block = await readBlock(datastore, cidr);
      const at = blockKey(cidr);
      conditions.push(
        block
          ? ({ type: 'revision', key: at, revision: block.revision } as const)
          : ({ type: 'absent', key: at } as const),
      );
      const held = block ? allocationsOf(block.block) : [];
      const count = held.filter((allocation) => allocation.handle === handle).length;
      if (count > 0) blocks[cidr] = count;
    }
    const after = { ...before, blocks };
    if (!stored && isUnused(after)) return false;
    const unchanged = stored
      ? ({ type: 'revision', key, revision: stored.revision } as const)
      : ({ type: 'absent', key } as const);
    const write = isUnused(after)
      ? ({ type: 'delete', key } as const)
      : ({ type: 'put', key, value: encodeHandle(after) } as const);
    const transaction = { conditions: [unchanged, ...conditions], operations: [write] };
    if (await applied(datastore, transaction)) return true;
  }
  throw new ContentionError(`counting what ${handle} holds`, MAX_ATTEMPTS);
}

/** @returns `false` if somebody else's write came first. */
async function applied(datastore: Datastore, transaction: Transaction): Promise<boolean> {
  try {
    await datastore.transact(transaction);
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}
