import { addressBytes, type IpAddress } from '@overland/net';
import type { AttributeField } from '../wire/attribute-set.ts';
import { isGlobal, isScoped, readNextHop } from '../wire/next-hop-field.ts';
import type { Links, SessionEnd } from './links.ts';
import { Int32Column } from './memory/column.ts';
import { Ids } from './memory/ids.ts';
import type { NextHopSets } from './next-hop-sets.ts';
import type { PathGroups } from './path-groups.ts';
import type { Gateway } from './route-engine.ts';

interface Entry {
  readonly key: string;
  /** As received. */
  readonly octets: Uint8Array;
  readonly address: IpAddress;
  /** RFC 2545: beside a global address. */
  readonly linkLocal: IpAddress | undefined;
  /** Our end of the session that told it: a link-local address means something there only. */
  readonly end: SessionEnd;
  /** What another peer may be told: the global address; `undefined` if there is none. */
  readonly onward: Uint8Array | undefined;
  /** Ring of the groups that use it. */
  readonly ring: number;
  references: number;
}

/** `own`: there is none, because this speaker originates the route. */
export type NextHopState =
  | 'own'
  | 'usable'
  /** It is an address of this host: RFC 4271 section 5.1.3. */
  | 'own-address'
  /** No usable link has a subnet that it is in. */
  | 'not-on-a-link'
  /** The neighbour does not answer. */
  | 'unanswered';

/** Id of "no next hop": what this speaker originates. */
export const NO_NEXT_HOP = 0;

/** The next hops of received routes of one family, and which of them can be used now. */
export class NextHops {
  readonly #groups: PathGroups;
  readonly #sets: NextHopSets;
  readonly #ids = new Ids();
  readonly #entries: (Entry | undefined)[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #adjacency = new Int32Column();
  /** Slot of the set of that adjacency alone; 0 while the next hop cannot be used. */
  readonly #soleSet = new Int32Column();
  /** Ring of the groups without next hop. */
  readonly #ownRing: number;

  constructor(groups: PathGroups, sets: NextHopSets) {
    this.#groups = groups;
    this.#sets = sets;
    this.#ownRing = groups.createRing(groups.ofNextHop);
  }

  /** Next hops in the table. */
  get size(): number {
    return this.#byKey.size;
  }

  get highest(): number {
    return this.#ids.highest;
  }

  /**
   * The id of a next hop; its references do not change.
   *
   * @param octets 4, 16 or 32.
   * @param end Of the session, ours.
   */
  intern(octets: Uint8Array, end: SessionEnd, links: Links): number {
    const { address, linkLocal } = readNextHop(octets);
    const scoped = linkLocal !== undefined || isScoped(address);
    const scope = scoped ? `%${end.device ?? end.localAddress}` : '';
    const key = `${address} ${linkLocal ?? ''}${scope}`;
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    const id = this.#ids.take();
    const ring = this.#groups.createRing(this.#groups.ofNextHop);
    this.#byKey.set(key, id);
    this.#entries[id] = {
      key,
      octets,
      address,
      linkLocal,
      end: { localAddress: end.localAddress, ...(end.device && { device: end.device }) },
      onward: isGlobal(address) ? addressBytes(address) : undefined,
      ring,
      references: 0,
    };
    this.#adjacency.set(id, 0);
    this.#soleSet.set(id, 0);
    this.refresh(id, links);
    return id;
  }

  /** The id of the next hop with another address, told over the same session; its references do not change. */
  replaced(id: number, address: IpAddress, links: Links): number {
    const end = this.#entries[id]?.end;
    return end ? this.intern(addressBytes(address), end, links) : id;
  }

  retain(id: number): void {
    if (id !== NO_NEXT_HOP) this.#entry(id).references += 1;
  }

  /** Ends one {@link retain}. @returns The ring that went with the last one, else 0. */
  release(id: number): number {
    if (id === NO_NEXT_HOP) return 0;
    const entry = this.#entry(id);
    entry.references -= 1;
    return entry.references > 0 ? 0 : this.#forget(id, entry);
  }

  /** Whether `id` is what {@link intern} would return; cheaper than that. */
  isSame(id: number, { bytes, from, to }: AttributeField, end: SessionEnd): boolean {
    const entry = this.#entries[id];
    if (!entry || entry.octets.length !== to - from) return false;
    if (entry.end.localAddress !== end.localAddress || entry.end.device !== end.device)
      return false;
    for (let at = from; at < to; at += 1) if (entry.octets[at - from] !== bytes[at]) return false;
    return true;
  }

  /** Ring of the groups that use the next hop. */
  ringOf(id: number): number {
    return id === NO_NEXT_HOP ? this.#ownRing : this.#entry(id).ring;
  }

  /** The adjacency behind the next hop; 0 while it cannot be used. */
  adjacencyOf(id: number): number {
    return this.#adjacency.get(id);
  }

  /** Slot of the next-hop set for a route that has this next hop only; 0 while it cannot be used. */
  soleSetOf(id: number): number {
    return this.#soleSet.get(id);
  }

  addressOf(id: number): IpAddress | null {
    return id === NO_NEXT_HOP ? null : this.#entry(id).address;
  }

  /** As it came: 4, 16 or 32 octets; `undefined`: there is none. */
  octetsOf(id: number): Uint8Array | undefined {
    return this.#entries[id]?.octets;
  }

  /** The interface that a next hop is behind; `undefined` if there is none. */
  deviceOf(id: number, links: Links): string | undefined {
    const entry = this.#entries[id];
    return entry && resolve(entry, links)?.device;
  }

  /** Whether a next hop can be used, and else why not. */
  stateOf(id: number, links: Links): NextHopState {
    const entry = this.#entries[id];
    if (!entry) return 'own';
    if (links.isOwn(entry.address)) return 'own-address';
    const resolved = resolve(entry, links);
    if (!resolved) return 'not-on-a-link';
    return links.isUnreachable(resolved) ? 'unanswered' : 'usable';
  }

  /** The next hop to send to others who may have it unchanged: 4 or 16 octets. */
  onwardOf(id: number): Uint8Array | undefined {
    return this.#entries[id]?.onward;
  }

  /** Resolves the next hop again. @returns Whether the way there changed. */
  refresh(id: number, links: Links): boolean {
    const entry = this.#entries[id];
    if (!entry) return false;
    const resolved = resolve(entry, links);
    const before = this.#adjacency.get(id);
    const after = resolved && !links.isUnreachable(resolved) ? this.#sets.adjacency(resolved) : 0;
    this.#setAdjacency(id, after);
    return after !== before;
  }

  /** Those that would be used if they answered. */
  unreachable(links: Links): Gateway[] {
    const resolved = this.#entries.map((entry) => entry && resolve(entry, links));
    return resolved.filter((hop) => hop !== undefined).filter((hop) => links.isUnreachable(hop));
  }

  /** Takes over the reference to the adjacency. */
  #setAdjacency(id: number, adjacency: number): void {
    const sets = this.#sets;
    const [before, setBefore] = [this.#adjacency.get(id), this.#soleSet.get(id)];
    const set = adjacency === 0 ? 0 : sets.slotOf([adjacency], 1);
    if (set !== 0) sets.hold(set);
    this.#adjacency.set(id, adjacency);
    this.#soleSet.set(id, set);
    if (setBefore !== 0) sets.release(setBefore);
    if (before !== 0) sets.releaseAdjacency(before);
  }

  #forget(id: number, entry: Entry): number {
    this.#setAdjacency(id, 0);
    this.#byKey.delete(entry.key);
    this.#entries[id] = undefined;
    this.#ids.giveBack(id);
    this.#groups.freeRing(entry.ring);
    return entry.ring;
  }

  #entry(id: number): Entry {
    return this.#entries[id] as Entry;
  }
}

/** A next hop is usable on a directly connected link only; recursion is for later. */
function resolve({ address, linkLocal, end }: Entry, links: Links): Gateway | undefined {
  if (isScoped(address)) return links.resolveOnLinkOf(end, address);
  if (links.isOwn(address)) return undefined;
  const direct = links.resolve(address);
  return direct ?? (linkLocal && links.resolveOnLinkOf(end, linkLocal));
}
