import type { Datastore } from '@overland/datastore';
import {
  type AffinityOwner,
  affinityPrefix,
  decodeAffinity,
  decodeHandle,
  HANDLE_PREFIX,
  handleKey,
  parseAffinityKey,
} from '@overland/model';
import { comparePrefixes, type Family, type IpAddress, type Prefix, prefixOf } from '@overland/net';
import { assignAll } from './assign.ts';
import { AssignQueue } from './assign-queue.ts';
import type { Assignment, AssignRequest } from './assign-request.ts';
import { type Allocation, allocationsOf, type KeptFree } from './block.ts';
import type { Cooldown } from './cooldown.ts';
import type { Allocator } from './draft-assignment.ts';
import { FreeBlocks } from './free-blocks.ts';
import { type GivenUp, giveUpBlock } from './give-up-block.ts';
import { blocksOf } from './handle.ts';
import type { Instant } from './instant.ts';
import { listEntries } from './list-entries.ts';
import { OwnBlocks } from './own-blocks.ts';
import { poolOf } from './pool.ts';
import { type Releaser, releaseByHandle, releaseFromBlock } from './release.ts';
import type { Release } from './release-in-block.ts';
import { readBlock } from './stored-block.ts';
import type { IpamView } from './view.ts';

/** What {@link createIpam} needs. */
export interface IpamOptions {
  readonly datastore: Datastore;
  /** Name of this host in the datastore. */
  readonly node: string;
  /** Made for the same node and owner. */
  readonly view: IpamView;
  readonly now: () => Instant;
  /** Whose blocks to claim and assign from; the host's by default. */
  readonly owner?: AffinityOwner;
  /** Addresses at the ends of each new block that are never handed out; none by default. */
  readonly keptFree?: KeptFree;
}

/**
 * This host's share of the cluster's addresses. Calls are run in order, so a release never passes
 * the assignment it is to undo; assignments that wait at the same time share a transaction.
 *
 * Every call rejects with `UnavailableError` when the datastore does not answer; an assignment may then
 * have happened, and is settled by releasing its handle.
 */
export interface Ipam {
  /** @see {@link assignAll} for what it rejects with. */
  assign(request: AssignRequest): Promise<Assignment>;

  /** Gives back everything a handle holds. @returns The addresses that became free. */
  release(handle: string): Promise<IpAddress[]>;

  /**
   * Gives back addresses, each under its own preconditions. All addresses of a block are given back, or none.
   *
   * @throws {StaleReleaseError} If a precondition does not hold.
   */
  releaseAddresses(releases: readonly Release[]): Promise<IpAddress[]>;

  /**
   * Makes sure that this host has a block of the family.
   *
   * @throws {NoAddressError} If no pool gives one.
   */
  ensureBlock(family: Family): Promise<Prefix>;

  /**
   * Claims a further block when few addresses are left, so that no container waits until a fresh block is known to
   * the fabric.
   *
   * @returns The new block, if one was needed and there was one.
   */
  spareBlock(family: Family): Promise<Prefix | undefined>;

  /** Gives a block up unless addresses are in use. */
  giveUp(cidr: Prefix): Promise<GivenUp>;

  /** The blocks that a host has confirmed, as stored. */
  blocksOf(node: string): Promise<Prefix[]>;

  /** Every address in use in this host's blocks, as stored; those that other hosts borrowed are among them. */
  allocations(): Promise<Allocation[]>;

  /** Every address in use, in any block, whose handle starts so, as stored. */
  allocationsByHandle(handlePrefix: string): Promise<Allocation[]>;
}

/** Starts with what the datastore holds; nothing to stop. */
export function createIpam(options: IpamOptions): Ipam {
  const { datastore, node, view, now, keptFree } = options;
  const owner = options.owner ?? { type: 'host', name: node };
  // The address of a container is routed wherever it is from; what a virtual owner announces is its blocks.
  const mayBorrow = owner.type === 'host';
  const own = new OwnBlocks({ datastore, owner, now, keptFree });
  const free = new FreeBlocks({ datastore, node, mayBorrow, view, own, now });
  const allocator: Allocator = { datastore, view, own, free, mayBorrow };
  const cooldown = (): Cooldown => ({ now: now(), seconds: view.config().ipCooldownSeconds });
  const releaser: Releaser = { datastore, own, cooldown };
  const queue = new AssignQueue((requests) => assignAll(allocator, requests));

  const releaseAddresses = async (releases: readonly Release[]): Promise<IpAddress[]> => {
    const released: IpAddress[] = [];
    const byBlock = Map.groupBy(releases, ({ address }) => blockOf(view, address));
    for (const [cidr, ofBlock] of byBlock) {
      if (cidr) released.push(...(await releaseFromBlock(releaser, cidr, ofBlock)));
    }
    return released;
  };

  return {
    assign: (request) => queue.assign(request),
    release: (handle) => queue.run(() => releaseByHandle(releaser, handle)),
    releaseAddresses: (releases) => queue.run(() => releaseAddresses(releases)),
    ensureBlock: (family) => queue.run(async () => (await free.ensure({ family })).block.cidr),
    spareBlock: (family) => queue.run(() => free.spare({ family })),
    giveUp: (cidr) =>
      queue.run(async () => {
        own.forget(cidr);
        return await giveUpBlock(datastore, { owner, cidr, ifEmpty: true });
      }),
    blocksOf: (host) => listBlocks(datastore, { type: 'host', name: host }),
    allocations: async () => {
      const found: Allocation[] = [];
      for (const cidr of await listBlocks(datastore, owner)) {
        const stored = await readBlock(datastore, cidr);
        if (stored) found.push(...allocationsOf(stored.block));
      }
      return found;
    },
    allocationsByHandle: (prefix) => allocationsByHandle(datastore, prefix),
  };
}

/** The block that an address belongs to; its pool may be gone. */
function blockOf(view: IpamView, address: IpAddress): Prefix | undefined {
  const pool = poolOf(view.pools(), address);
  return pool ? prefixOf(address, pool.blockLength) : view.claims.blockOf(address);
}

async function listBlocks(datastore: Datastore, { type, name }: AffinityOwner): Promise<Prefix[]> {
  const blocks: Prefix[] = [];
  for await (const { key, value } of listEntries(datastore, affinityPrefix(type, name))) {
    const claim = parseAffinityKey(key);
    if (claim && decodeAffinity(value).state === 'confirmed') blocks.push(claim.cidr);
  }
  return blocks.toSorted(comparePrefixes);
}

async function allocationsByHandle(datastore: Datastore, prefix: string): Promise<Allocation[]> {
  const blocks = new Set<Prefix>();
  const start = prefix === '' ? HANDLE_PREFIX : handleKey(prefix);
  for await (const { value } of listEntries(datastore, start)) {
    for (const cidr of blocksOf(decodeHandle(value))) blocks.add(cidr);
  }
  const found: Allocation[] = [];
  for (const cidr of blocks) {
    const stored = await readBlock(datastore, cidr);
    for (const allocation of stored ? allocationsOf(stored.block) : []) {
      if (allocation.handle?.startsWith(prefix)) found.push(allocation);
    }
  }
  return found;
}
