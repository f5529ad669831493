import type { Datastore } from '@overland/datastore';
import type { AllocationBlock, Handle } from '@overland/model';
import { type Family, familyOf, type IpAddress, type Prefix, prefixOf } from '@overland/net';
import { type AssignedInBlock, assignAddress, assignFree } from './assign-in-block.ts';
import type { AssignRequest } from './assign-request.ts';
import { allocationsOf } from './block.ts';
import { AddressUnavailableError } from './errors.ts';
import type { FreeBlocks } from './free-blocks.ts';
import { blocksOf, withCount } from './handle.ts';
import type { OwnBlock, OwnBlocks } from './own-blocks.ts';
import { poolOf } from './pool.ts';
import { readBlock } from './stored-block.ts';
import type { IpamView } from './view.ts';

/** What assigning needs besides the request. */
export interface Allocator {
  readonly datastore: Datastore;
  readonly node: string;
  readonly view: IpamView;
  readonly own: OwnBlocks;
  readonly free: FreeBlocks;
}

/** One address and its block. */
interface Placed {
  readonly address: IpAddress;
  readonly block: Prefix;
}

/** An assignment that is not written yet. */
export interface DraftAssignment {
  readonly placed: readonly Placed[];
  /** The handle with what it will hold. */
  readonly handle: Handle;
  /** Blocks that change: as they are known to be, and as they will be. */
  readonly staged: ReadonlyMap<
    Prefix,
    { readonly before: OwnBlock; readonly after: AllocationBlock }
  >;
}

/** Works out, block by block, what a request takes; claims blocks on the way but assigns nothing yet. */
export async function draftAssignment(
  allocator: Allocator,
  request: AssignRequest,
  handle: Handle,
): Promise<DraftAssignment> {
  const draft = new Draft(allocator, request, handle);
  const held = await draft.held();
  for (const family of new Set(request.families)) {
    const named = request.addresses?.filter((address) => familyOf(address) === family) ?? [];
    const heldOfFamily = held.filter(({ address }) => familyOf(address) === family);
    if (named.length === 0 && heldOfFamily.length === 0) await draft.takeAny(family);
    else if (named.length === 0) draft.placed.push(...heldOfFamily);
    for (const address of named) {
      const already = heldOfFamily.find((placed) => placed.address === address);
      if (already) draft.placed.push(already);
      else await draft.takeNamed(address);
    }
  }
  return draft;
}

class Draft implements DraftAssignment {
  readonly placed: Placed[] = [];
  readonly staged = new Map<
    Prefix,
    { readonly before: OwnBlock; readonly after: AllocationBlock }
  >();
  handle: Handle;
  readonly #allocator: Allocator;
  readonly #request: AssignRequest;

  constructor(allocator: Allocator, request: AssignRequest, handle: Handle) {
    this.#allocator = allocator;
    this.#request = request;
    this.handle = handle;
  }

  /** What the handle holds already: read anew, because nothing may be written that would prove it. */
  async held(): Promise<Placed[]> {
    const held: Placed[] = [];
    for (const cidr of blocksOf(this.handle)) {
      const stored = await readBlock(this.#allocator.datastore, cidr);
      for (const { address, handle } of stored ? allocationsOf(stored.block) : []) {
        if (handle === this.#request.handle) held.push({ address, block: cidr });
      }
    }
    return held;
  }

  async takeAny(family: Family): Promise<void> {
    const before = await this.#allocator.free.take(family, this.#request.pools);
    this.#stage(before, assignFree(before.block, 1, this.#request));
  }

  async takeNamed(address: IpAddress): Promise<void> {
    const { view, own } = this.#allocator;
    const pool = poolOf(view.pools(), address);
    if (!pool) throw new AddressUnavailableError(address, 'no IP pool holds it');
    if (pool.disabled) throw new AddressUnavailableError(address, `pool ${pool.name} is disabled`);
    if (pool.encapsulated) {
      throw new AddressUnavailableError(address, `pool ${pool.name} asks for encapsulation`);
    }
    const cidr = prefixOf(address, pool.blockLength);
    const before = (await own.open(cidr)) ?? (await own.claim(cidr));
    if (!before) {
      const owner = view.claims.ownerOf(cidr) ?? 'another host';
      throw new AddressUnavailableError(address, `its block ${cidr} belongs to ${owner}`);
    }
    const block = this.staged.get(cidr)?.after ?? before.block;
    const assigned = assignAddress(block, address, this.#request);
    if (!assigned) {
      const holder = allocationsOf(block).find((allocation) => allocation.address === address);
      throw new AddressUnavailableError(address, `${holder?.handle ?? 'nobody, yet'} holds it`);
    }
    this.#stage(before, assigned);
  }

  #stage(before: OwnBlock, { block, addresses }: AssignedInBlock): void {
    const cidr = block.cidr;
    this.staged.set(cidr, { before, after: block });
    this.placed.push(...addresses.map((address) => ({ address, block: cidr })));
    const { handle } = this.#request;
    const count = allocationsOf(block).filter((allocation) => allocation.handle === handle).length;
    this.handle = withCount(this.handle, cidr, count);
  }
}
