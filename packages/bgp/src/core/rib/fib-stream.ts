import { ADDRESS_OCTETS, type Family, type NextHopSet, recordOctets } from '@overland/net';
import { AwaitedRoutes } from './awaited-routes.ts';
import { IdSet } from './memory/id-set.ts';
import type { NextHopSets } from './next-hop-sets.ts';
import type { PrefixTable } from './prefix-table.ts';
import type { RouteStates } from './route-states.ts';

/** The packed part of a RouteBatch. */
export interface PackedRoutes {
  readonly nextHopSets: readonly NextHopSet[];
  readonly records: Uint8Array<ArrayBuffer>;
}

/** What the kernel should have and what it was told, for the routes of one family: the difference is pending. */
export class FibStream {
  readonly family: Family;
  readonly #prefixes: PrefixTable;
  readonly #sets: NextHopSets;
  /** Slots of next-hop sets by prefix; 0: no route. */
  readonly #states: RouteStates;
  readonly #pending = new IdSet();
  /** What peers are not to hear of yet; `undefined`: they need not wait for the kernel. */
  #awaited: AwaitedRoutes | undefined;
  #isDiscarding = false;

  constructor(prefixes: PrefixTable, states: RouteStates, sets: NextHopSets) {
    this.family = prefixes.family;
    this.#prefixes = prefixes;
    this.#states = states;
    this.#sets = sets;
  }

  get pending(): number {
    return this.#pending.size;
  }

  get awaited(): AwaitedRoutes | undefined {
    return this.#awaited;
  }

  /** Whether the kernel has answered for everything that it is to have. */
  get isAnswered(): boolean {
    return !this.#awaited || (this.#pending.size === 0 && this.#awaited.isIdle);
  }

  /** Peers wait for the kernel, or no more. What is on its way when they begin to counts as there. */
  suppressPending(isOn: boolean): void {
    this.#awaited = isOn ? (this.#awaited ?? new AwaitedRoutes()) : undefined;
  }

  /** Nobody puts routes into a kernel: none is kept for it. Before the first route. */
  discard(): void {
    this.#isDiscarding = true;
  }

  /** @param slot Of the next-hop set; 0 to withdraw. */
  want(prefix: number, slot: number): void {
    if (this.#isDiscarding) return;
    const before = this.#states.wanted(prefix);
    if (before === slot) return;
    if (slot !== 0) this.#sets.hold(slot);
    this.#states.setWanted(prefix, slot);
    if (before !== 0) this.#sets.release(before);
    const told = this.#states.told(prefix);
    if (this.#awaited && told === 0) {
      if (slot === 0) this.#awaited.forget(prefix);
      else if (before === 0) this.#awaited.add(prefix);
    }
    if (slot === told) {
      if (this.#pending.delete(prefix)) this.#prefixes.release(prefix);
    } else if (this.#pending.add(prefix)) this.#prefixes.hold(prefix);
  }

  /**
   * Takes up to `maxRecords` changes, as records of a RouteBatch.
   *
   * @param sequence Of the batch.
   */
  take(maxRecords: number, sequence: number): PackedRoutes {
    const ids = new Int32Array(Math.min(maxRecords, this.#pending.size));
    const count = this.#pending.takeMany(ids, ids.length);
    const width = ADDRESS_OCTETS[this.family];
    const records = new Uint8Array(recordOctets(this.family) * count);
    const view = new DataView(records.buffer);
    const nextHopSets: NextHopSet[] = [];
    const taken: { routes: number[]; withdrawn: number[] } = { routes: [], withdrawn: [] };
    for (let i = 0, at = 0; i < count; i += 1, at += width + 5) {
      const prefix = ids[i] ?? 0;
      const slot = this.#states.wanted(prefix);
      this.#prefixes.writeAddress(prefix, records, at);
      records[at + width] = this.#prefixes.length(prefix);
      view.setUint32(at + width + 1, slot === 0 ? 0 : this.#sets.idOf(slot));
      const definition = slot === 0 ? undefined : this.#sets.tell(slot);
      if (definition) nextHopSets.push(definition);
      this.#setTold(prefix, slot);
      if (this.#awaited) (slot === 0 ? taken.withdrawn : taken.routes).push(prefix);
    }
    if (count > 0) this.#awaited?.taken(sequence, taken);
    this.#prefixes.releaseAll(ids, count);
    return { nextHopSets, records };
  }

  #setTold(prefix: number, slot: number): void {
    const before = this.#states.told(prefix);
    if (slot !== 0) this.#sets.hold(slot);
    this.#states.setTold(prefix, slot);
    if (before !== 0) this.#sets.release(before);
  }
}
