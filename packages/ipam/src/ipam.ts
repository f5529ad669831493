import type { Datastore } from '@overland/datastore';
import { affinityPrefix, decodeAffinity, parseAffinityKey } from '@overland/model';
import { comparePrefixes, type Family, type IpAddress, type Prefix, prefixOf } from '@overland/net';
import { assign } from './assign.ts';
import type { Assignment, AssignRequest } from './assign-request.ts';
import { type Allocation, allocationsOf } from './block.ts';
import type { Allocator } from './draft-assignment.ts';
import { FreeBlocks } from './free-blocks.ts';
import type { Instant } from './instant.ts';
import { OwnBlocks } from './own-blocks.ts';
import { poolOf } from './pool.ts';
import { releaseByHandle, releaseFromBlock } from './release.ts';
import type { Release } from './release-in-block.ts';
import { SerialQueue } from './serial-queue.ts';
import { readBlock } from './stored-block.ts';
import type { IpamView } from './view.ts';

/** What {@link createIpam} needs. */
export interface IpamOptions {
  readonly datastore: Datastore;
  /** Name of this host in the datastore. */
  readonly node: string;
  readonly view: IpamView;
  readonly now: () => Instant;
}

/**
 * This host's share of the cluster's addresses. Calls are run one after another, so a release never passes
 * the assignment it is to undo.
 *
 * Every call rejects with `UnavailableError` when the datastore does not answer; an assignment may then
 * have happened, and is settled by releasing its handle.
 */
export interface Ipam {
  /** @see {@link assign} */
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

  /** The blocks that a host has confirmed, as stored. */
  blocksOf(node: string): Promise<Prefix[]>;

  /** Every address in use in this host's blocks, as stored. */
  allocations(): Promise<Allocation[]>;
}

/** Starts with what the datastore holds; nothing to stop. */
export function createIpam({ datastore, node, view, now }: IpamOptions): Ipam {
  const own = new OwnBlocks(datastore, node, now);
  const free = new FreeBlocks(node, view, own);
  const allocator: Allocator = { datastore, node, view, own, free };
  const queue = new SerialQueue();

  const allocations = async (): Promise<Allocation[]> => {
    const found: Allocation[] = [];
    for (const cidr of await listBlocks(datastore, node)) {
      const stored = await readBlock(datastore, cidr);
      if (stored) found.push(...allocationsOf(stored.block));
    }
    return found;
  };

  const releaseAddresses = async (releases: readonly Release[]): Promise<IpAddress[]> => {
    const released: IpAddress[] = [];
    const byBlock = Map.groupBy(releases, ({ address }) => blockOf(view, address));
    for (const [cidr, ofBlock] of byBlock) {
      if (cidr) released.push(...(await releaseFromBlock({ datastore, own }, cidr, ofBlock)));
    }
    return released;
  };

  return {
    assign: (request) => queue.run(() => assign(allocator, request)),
    release: (handle) => queue.run(() => releaseByHandle({ datastore, own }, handle)),
    releaseAddresses: (releases) => queue.run(() => releaseAddresses(releases)),
    ensureBlock: (family) => queue.run(async () => (await free.ensure(family)).block.cidr),
    blocksOf: (host) => listBlocks(datastore, host),
    allocations,
  };
}

/** The block that an address belongs to; its pool may be gone. */
function blockOf(view: IpamView, address: IpAddress): Prefix | undefined {
  const pool = poolOf(view.pools(), address);
  return pool ? prefixOf(address, pool.blockLength) : view.claims.blockOf(address);
}

async function listBlocks(datastore: Datastore, node: string): Promise<Prefix[]> {
  const blocks: Prefix[] = [];
  let after: string | undefined;
  do {
    const page = await datastore.list(
      affinityPrefix('host', node),
      after === undefined ? {} : { after },
    );
    for (const { key, value } of page.entries) {
      const claim = parseAffinityKey(key);
      if (claim && decodeAffinity(value).state === 'confirmed') blocks.push(claim.cidr);
    }
    after = page.next;
  } while (after !== undefined);
  return blocks.toSorted(comparePrefixes);
}
