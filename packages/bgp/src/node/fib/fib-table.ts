import { ADDRESS_OCTETS, type Family, type Prefix, packRoutes, recordOctets } from '@overland/net';
import { Int32Column } from '../../core/rib/memory/column.ts';
import { PrefixTable } from '../../core/rib/prefix-table.ts';
import { readU32 } from '../../core/wire/attribute-set.ts';
import { NlriList } from '../../core/wire/nlri.ts';

/** {@link FibTable.actual} of a route that the kernel does not have. */
export const NOTHING = 0;
/** {@link FibTable.actual} of a blackhole: the kernel drops what has no longer route. */
export const DISCARD = 0xffff_ffff;
/** {@link FibTable.actual} of a route that is none of those we make. */
export const FOREIGN = 0xffff_fffe;

/** {@link FibTable.desired} of a route that nobody wants: the kernel has it. */
export const UNWANTED = -1;

/** Records read at once. */
const PART = 1024;

/**
 * What the kernel shall and does have of one family, as numbers by the id of a prefix: the set that is desired and the
 * next-hop object that the route uses.
 */
export class FibTable {
  readonly family: Family;
  /** The speaker has offered everything: what is not desired is stale. */
  complete = false;
  readonly #prefixes: PrefixTable;
  /** 0: the prefix is not in the table. */
  readonly #desired = new Int32Column();
  readonly #actual = new Int32Column();
  readonly #part = new NlriList(PART);

  constructor(family: Family) {
    this.family = family;
    this.#prefixes = new PrefixTable(family);
  }

  /** Prefixes that are desired or in the kernel. */
  get size(): number {
    return this.#prefixes.size;
  }

  /** A set, or {@link UNWANTED}. */
  desired(id: number): number {
    return this.#desired.get(id);
  }

  /** A next-hop object, or one of the above. */
  actual(id: number): number {
    return this.#actual.get(id) >>> 0;
  }

  /**
   * Takes over what is desired.
   *
   * @param setOf What stands for the number in a record of a `RouteBatch`: a number from 1 on, or {@link UNWANTED}. It is
   *   told what was desired before.
   * @returns The ids of the prefixes. They stay in the table until they are {@link settle}d.
   */
  want(records: Uint8Array, setOf: (number: number, before: number) => number): Int32Array {
    return this.#each(records, (id, number) => {
      this.#enter(id);
      this.#desired.set(id, setOf(number, this.#desired.get(id)));
    });
  }

  /** Takes over a listing of what the kernel has. */
  readBack(routes: readonly { readonly destination: Prefix; readonly object: number }[]): void {
    for (const id of this.ids()) this.#actual.set(id, NOTHING);
    const changes = routes.map(({ destination, object }) => ({
      prefix: destination,
      nextHopSet: object,
    }));
    this.#each(packRoutes(this.family, changes), (id, object) => {
      this.#enter(id);
      this.#actual.set(id, object);
    });
    for (const id of this.ids()) this.settle(id);
  }

  /** The kernel's route is this now. */
  wrote(id: number, object: number): void {
    this.#actual.set(id, object);
  }

  /** Notes that routes through objects that are gone went with them. */
  drop(isGone: (object: number) => boolean): void {
    let [last, isLastGone] = [NOTHING, false];
    for (const id of this.ids()) {
      const object = this.actual(id);
      if (object === NOTHING || object >= FOREIGN) continue;
      // Routes come in runs through the same object.
      if (object !== last) [last, isLastGone] = [object, isGone(object)];
      if (!isLastGone) continue;
      this.#actual.set(id, NOTHING);
      this.settle(id);
    }
  }

  /** Gives the id back if its prefix is neither desired nor in the kernel. */
  settle(id: number): void {
    if (this.#desired.get(id) !== UNWANTED || this.#actual.get(id) !== NOTHING) return;
    this.#desired.set(id, 0);
    this.#prefixes.release(id);
  }

  /** Writes a record as in `PackedRoutes`. @returns The offset behind it. */
  writeRecord(id: number, object: number, target: Uint8Array, at: number): number {
    const width = ADDRESS_OCTETS[this.family];
    this.#prefixes.writeAddress(id, target, at);
    target[at + width] = this.#prefixes.length(id);
    writeU32(target, at + width + 1, object === DISCARD ? 0 : object);
    return at + width + 5;
  }

  prefix(id: number): Prefix {
    return this.#prefixes.prefix(id);
  }

  /** Those for which `test` holds. */
  where(test: (id: number) => boolean): number[] {
    const found: number[] = [];
    for (const id of this.ids()) if (test(id)) found.push(id);
    return found;
  }

  /** Every id in the table. */
  *ids(): Generator<number> {
    for (let id = 1; id <= this.#prefixes.highest; id += 1) if (this.#desired.get(id)) yield id;
  }

  #enter(id: number): void {
    if (this.#desired.get(id) !== 0) return;
    this.#prefixes.hold(id);
    this.#desired.set(id, UNWANTED);
  }

  /** Calls `visit` with the prefix and the number of each record. @returns The prefixes. */
  #each(records: Uint8Array, visit: (id: number, number: number) => void): Int32Array {
    const octets = recordOctets(this.family);
    const ids = new Int32Array(records.length / octets);
    for (let from = 0; from < ids.length; from += PART) {
      const part = ids.subarray(from, from + PART);
      this.#read(records, from, part.length);
      this.#prefixes.internAll(this.#part, part);
      for (let i = 0; i < part.length; i += 1) {
        visit(part[i] ?? 0, readU32(records, (from + i + 1) * octets - 4));
      }
    }
    return ids;
  }

  #read(records: Uint8Array, first: number, count: number): void {
    const width = ADDRESS_OCTETS[this.family];
    const octets = recordOctets(this.family);
    const part = this.#part;
    part.count = count;
    part.wordsEach = width / 4;
    for (let i = 0; i < count; i += 1) {
      const at = (first + i) * octets;
      for (let word = 0; word < part.wordsEach; word += 1) {
        part.words[i * part.wordsEach + word] = readU32(records, at + 4 * word);
      }
      part.lengths[i] = records[at + width] ?? 0;
    }
  }
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
