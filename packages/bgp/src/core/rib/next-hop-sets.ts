import type { NextHop, NextHopSet } from '@overland/net';
import { Ids } from './memory/ids.ts';

/** A way out: an address on a link. */
interface Adjacency {
  readonly nextHop: NextHop;
  readonly key: string;
  references: number;
}

const NO_SLOTS: readonly number[] = [];

interface SetEntry {
  /** What the receiver of batches knows it by; never used for another set. */
  readonly id: number;
  /** Adjacency ids, ascending. */
  readonly members: readonly number[];
  /** Shares of the members; `undefined`: equal. */
  readonly weights: readonly number[] | undefined;
  readonly hash: number;
  references: number;
  /** Whether a batch has defined it. */
  told: boolean;
}

/**
 * Equal-cost next-hop sets, interned: routes name them by a slot. Slots are reused, so that routes can be
 * columns of small integers; the ids that leave the speaker never are.
 */
export class NextHopSets {
  readonly #adjacencyIds = new Ids();
  readonly #adjacencies: (Adjacency | undefined)[] = [];
  readonly #adjacencyByKey = new Map<string, number>();
  readonly #slots = new Ids();
  readonly #entries: (SetEntry | undefined)[] = [];
  readonly #slotsByHash = new Map<number, number[]>();
  #lastId = 0;
  #lastSlot = 0;

  /** The id of an adjacency, with one more reference. */
  adjacency(nextHop: NextHop): number {
    const key = `${nextHop.device} ${nextHop.address ?? ''}`;
    let id = this.#adjacencyByKey.get(key) ?? 0;
    if (id === 0) {
      id = this.#adjacencyIds.take();
      this.#adjacencies[id] = { nextHop, key, references: 0 };
      this.#adjacencyByKey.set(key, id);
    }
    this.#adjacency(id).references += 1;
    return id;
  }

  releaseAdjacency(id: number): void {
    const adjacency = this.#adjacency(id);
    adjacency.references -= 1;
    if (adjacency.references > 0) return;
    this.#adjacencyByKey.delete(adjacency.key);
    this.#adjacencies[id] = undefined;
    this.#adjacencyIds.giveBack(id);
  }

  /**
   * The slot of a set. Whoever keeps it must {@link hold} it.
   *
   * @param members Adjacency ids, ascending, without duplicates: the first `count` of the array.
   * @param weights Shares of the members; absent: equal.
   */
  slotOf(members: readonly number[], count: number, weights?: readonly number[]): number {
    // Routes come in runs with the same set.
    const last = this.#entries[this.#lastSlot];
    if (last && isSet(last, members, count, weights)) return this.#lastSlot;
    let hash = count;
    for (let i = 0; i < count; i += 1) {
      hash = Math.imul(hash, 0x0100_0193) ^ (members[i] ?? 0);
      if (weights) hash = Math.imul(hash, 0x0100_0193) ^ (weights[i] ?? 0);
    }
    const found = this.#find(hash, members, count, weights);
    this.#lastSlot = found ?? this.#create(members.slice(0, count), hash, weights?.slice(0, count));
    return this.#lastSlot;
  }

  #find(
    hash: number,
    members: readonly number[],
    count: number,
    weights: readonly number[] | undefined,
  ): number | undefined {
    for (const slot of this.#slotsByHash.get(hash) ?? NO_SLOTS) {
      if (isSet(this.#entry(slot), members, count, weights)) return slot;
    }
    return undefined;
  }

  hold(slot: number): void {
    this.#entry(slot).references += 1;
  }

  release(slot: number): void {
    const entry = this.#entry(slot);
    entry.references -= 1;
    if (entry.references > 0) return;
    const rest = this.#slotsByHash.get(entry.hash)?.filter((other) => other !== slot) ?? [];
    if (rest.length > 0) this.#slotsByHash.set(entry.hash, rest);
    else this.#slotsByHash.delete(entry.hash);
    this.#entries[slot] = undefined;
    this.#slots.giveBack(slot);
    for (const member of entry.members) this.releaseAdjacency(member);
  }

  /** The id that batches use. */
  idOf(slot: number): number {
    return this.#entry(slot).id;
  }

  /** The set as batches define it, the first time it is asked for; `undefined` afterwards. */
  tell(slot: number): NextHopSet | undefined {
    const entry = this.#entry(slot);
    if (entry.told) return undefined;
    entry.told = true;
    return {
      id: entry.id,
      nextHops: entry.members.map((member, i) => {
        const { nextHop } = this.#adjacency(member);
        return entry.weights ? { ...nextHop, weight: entry.weights[i] ?? 1 } : nextHop;
      }),
    };
  }

  #create(members: readonly number[], hash: number, weights?: readonly number[]): number {
    const slot = this.#slots.take();
    this.#lastId += 1;
    const id = this.#lastId;
    this.#entries[slot] = { id, members, weights, hash, references: 0, told: false };
    for (const member of members) this.#adjacency(member).references += 1;
    const others = this.#slotsByHash.get(hash);
    if (others) others.push(slot);
    else this.#slotsByHash.set(hash, [slot]);
    return slot;
  }

  #adjacency(id: number): Adjacency {
    return this.#adjacencies[id] as Adjacency;
  }

  #entry(slot: number): SetEntry {
    return this.#entries[slot] as SetEntry;
  }
}

function isSet(
  entry: SetEntry,
  members: readonly number[],
  count: number,
  weights: readonly number[] | undefined,
): boolean {
  if (entry.members.length !== count) return false;
  if ((entry.weights === undefined) !== (weights === undefined)) return false;
  for (let i = 0; i < count; i += 1) {
    if (entry.members[i] !== members[i] || entry.weights?.[i] !== weights?.[i]) return false;
  }
  return true;
}
