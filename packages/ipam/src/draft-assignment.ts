import type { Datastore, Entry } from '@overland/datastore';
import { type AllocationBlock, decodeHandle, type Handle } from '@overland/model';
import {
  type Family,
  familyOf,
  hostPrefix,
  type IpAddress,
  type Prefix,
  prefixOf,
} from '@overland/net';
import { type AssignedInBlock, assignAddress, assignFree } from './assign-in-block.ts';
import type { Assignment, AssignRequest } from './assign-request.ts';
import { allocationsOf, countHeld } from './block.ts';
import { AddressUnavailableError } from './errors.ts';
import type { FreeBlocks } from './free-blocks.ts';
import { blocksOf, EMPTY_HANDLE, withCount } from './handle.ts';
import type { OwnBlocks, UsableBlock } from './own-blocks.ts';
import { poolOf } from './pool.ts';
import { reservedIn } from './reservation.ts';
import { readBlock } from './stored-block.ts';
import type { IpamView } from './view.ts';

/** What assigning needs besides the request. */
export interface Allocator {
  readonly datastore: Datastore;
  readonly view: IpamView;
  readonly own: OwnBlocks;
  readonly free: FreeBlocks;
  /** Whether addresses may come from blocks of others, if the configuration allows it. */
  readonly mayBorrow: boolean;
}

/** One address and its block. */
interface Placed {
  readonly address: IpAddress;
  readonly block: Prefix;
}

/** A block that changes: as it is known to be, and as it will be. */
interface Staged {
  readonly before: UsableBlock;
  readonly after: AllocationBlock;
}

/** Assignments that are not written yet: those of several requests go into one transaction. */
export class DraftAssignment {
  readonly #allocator: Allocator;
  #staged: ReadonlyMap<Prefix, Staged> = new Map();
  readonly #handles = new Map<string, Handle>();

  constructor(allocator: Allocator) {
    this.#allocator = allocator;
  }

  /** Blocks that change. */
  get staged(): ReadonlyMap<Prefix, Staged> {
    return this.#staged;
  }

  /** Handles that change, with what they will hold. */
  get handles(): ReadonlyMap<string, Handle> {
    return this.#handles;
  }

  /**
   * Works out, block by block, what a request takes; claims blocks on the way but assigns nothing yet.
   *
   * @param stored The handle, if it exists.
   * @returns What the handle will hold. When this throws, the draft is as it was.
   */
  async add(request: AssignRequest, stored: Entry | undefined): Promise<Assignment> {
    const handle = stored ? decodeHandle(stored.value) : EMPTY_HANDLE;
    const part = new RequestDraft(this.#allocator, request, new Map(this.#staged), handle);
    const placed = await part.place();
    if (part.isChanged) {
      this.#staged = part.staged;
      this.#handles.set(request.handle, part.handle);
    }
    return assignmentOf(placed, this.#allocator);
  }
}

class RequestDraft {
  readonly staged: Map<Prefix, Staged>;
  handle: Handle;
  isChanged = false;
  readonly #placed: Placed[] = [];
  readonly #allocator: Allocator;
  readonly #request: AssignRequest;

  constructor(
    allocator: Allocator,
    request: AssignRequest,
    staged: Map<Prefix, Staged>,
    handle: Handle,
  ) {
    this.staged = staged;
    this.handle = handle;
    this.#allocator = allocator;
    this.#request = request;
  }

  async place(): Promise<readonly Placed[]> {
    const { families, addresses = [], count = 1 } = this.#request;
    const held = await this.#held();
    for (const family of new Set(families)) {
      const named = addresses.filter((address) => familyOf(address) === family);
      const heldOfFamily = held.filter(({ address }) => familyOf(address) === family);
      if (named.length === 0) {
        this.#placed.push(...heldOfFamily);
        await this.#takeAny(family, count - heldOfFamily.length);
      }
      for (const address of named) {
        const already = heldOfFamily.find((placed) => placed.address === address);
        if (already) this.#placed.push(already);
        else await this.#takeNamed(address);
      }
    }
    return this.#placed;
  }

  /** What the handle holds already: read anew, because nothing may be written that would prove it. */
  async #held(): Promise<Placed[]> {
    const held: Placed[] = [];
    for (const cidr of blocksOf(this.handle)) {
      const stored = await readBlock(this.#allocator.datastore, cidr);
      for (const { address, handle } of stored ? allocationsOf(stored.block) : []) {
        if (handle === this.#request.handle) held.push({ address, block: cidr });
      }
    }
    return held;
  }

  async #takeAny(family: Family, count: number): Promise<void> {
    const { free, view } = this.#allocator;
    const { pools, use, namespaceLabels } = this.#request;
    for (let left = count; left > 0; ) {
      const staged = new Map([...this.staged].map(([cidr, { after }]) => [cidr, after]));
      const usable = await free.take({ family, pools, use, namespaceLabels }, staged);
      const { cidr } = usable.block;
      const block = free.refreshed(this.#current(usable));
      const assigned = assignFree(block, left, this.#request, reservedIn(view.reserved(), cidr));
      if (assigned.addresses.length === 0) throw new Error(`${cidr} was taken for free`);
      left -= assigned.addresses.length;
      this.#stage(usable, assigned);
    }
  }

  async #takeNamed(address: IpAddress): Promise<void> {
    const { view, free } = this.#allocator;
    const pool = poolOf(view.pools(), address);
    if (!pool) throw new AddressUnavailableError(address, 'no IP pool holds it');
    if (pool.disabled) throw new AddressUnavailableError(address, `pool ${pool.name} is disabled`);
    const { unusable } = pool;
    if (unusable)
      throw new AddressUnavailableError(address, `pool ${pool.name} ${unusable.reason}`);
    const usable = await this.#holderOf(address, prefixOf(address, pool.blockLength));
    const block = free.refreshed(this.#current(usable));
    const assigned = assignAddress(block, address, this.#request);
    if (!assigned) {
      const holder = allocationsOf(block).find((allocation) => allocation.address === address);
      const why = holder
        ? `${holder.handle ?? 'somebody'} holds it`
        : 'it was released a moment ago and cools down';
      throw new AddressUnavailableError(address, why);
    }
    this.#stage(usable, assigned);
  }

  /** The block of an address that was asked for by name: our own, claimed for this, or somebody else's. */
  async #holderOf(address: IpAddress, cidr: Prefix): Promise<UsableBlock> {
    const { datastore, view, own, mayBorrow } = this.#allocator;
    const usable = (await own.open(cidr)) ?? (await own.claim(cidr));
    if (usable) return usable;
    const owner = view.claims.ownerOf(cidr) ?? 'another host';
    const belongs = `its block ${cidr} belongs to ${owner}`;
    if (!mayBorrow || view.config().strictAffinity) {
      throw new AddressUnavailableError(address, `${belongs}, and may not be borrowed`);
    }
    const stored = await readBlock(datastore, cidr);
    if (!stored) throw new AddressUnavailableError(address, `${belongs}, and is being given up`);
    return { block: stored.block, blockRevision: stored.revision };
  }

  #current({ block }: UsableBlock): AllocationBlock {
    return this.staged.get(block.cidr)?.after ?? block;
  }

  #stage(usable: UsableBlock, { block, addresses }: AssignedInBlock): void {
    const cidr = block.cidr;
    this.isChanged = true;
    this.staged.set(cidr, { before: this.staged.get(cidr)?.before ?? usable, after: block });
    this.#placed.push(...addresses.map((address) => ({ address, block: cidr })));
    this.handle = withCount(this.handle, cidr, countHeld(block, this.#request.handle));
  }
}

function assignmentOf(placed: readonly Placed[], { own, view }: Allocator): Assignment {
  const isOwn = (cidr: Prefix): boolean => own.known().has(cidr) || view.claims.own().has(cidr);
  const routes = placed.map(({ address, block }) => (isOwn(block) ? block : hostPrefix(address)));
  return {
    addresses: placed.map(({ address }) => address),
    blocks: placed.map(({ block }) => block),
    routes: [...new Set(routes)],
  };
}
