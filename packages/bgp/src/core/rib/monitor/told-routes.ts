import { IdSet } from '../memory/id-set.ts';
import type { PrefixTable } from '../prefix-table.ts';

/** Path identifiers that a station knows of a prefix; of a session without them, this one. */
const NO_PATH_ID: readonly number[] = [0];

/**
 * What a station knows of what one peer has from us, and what it has yet to be told, by prefix. Prefixes that it knows are held: their
 * numbers mean the same until it has been told that they are gone.
 */
export class ToldRoutes {
  /** Slot. */
  readonly peer: number;
  /** The session sends path identifiers. RFC 7911. */
  readonly areIdentified: boolean;
  readonly pending = new IdSet();
  owesEndOfRib = true;
  readonly #prefixes: PrefixTable;
  readonly #known = new IdSet();
  /** Of sessions with path identifiers. */
  readonly #pathIds = new Map<number, readonly number[]>();
  #passAt = 1;
  readonly #passEnd: number;

  /** @param passEnd Highest prefix: all up to there are looked at first. */
  constructor(prefixes: PrefixTable, peer: number, areIdentified: boolean, passEnd: number) {
    this.#prefixes = prefixes;
    this.peer = peer;
    this.areIdentified = areIdentified;
    this.#passEnd = passEnd;
  }

  get isPassing(): boolean {
    return this.#passAt <= this.#passEnd;
  }

  /** The next prefix of the pass, while there is one. */
  nextPrefix(): number {
    this.#passAt += 1;
    return this.#passAt - 1;
  }

  knows(prefix: number): boolean {
    return this.#known.has(prefix);
  }

  pathIdsOf(prefix: number): readonly number[] {
    if (!this.#known.has(prefix)) return [];
    return this.areIdentified ? (this.#pathIds.get(prefix) ?? []) : NO_PATH_ID;
  }

  /** The station is being told of these paths of a prefix, and knows of no others any more. */
  learn(prefix: number, pathIds: readonly number[] = NO_PATH_ID): void {
    if (this.#known.add(prefix)) this.#prefixes.hold(prefix);
    if (this.areIdentified) this.#pathIds.set(prefix, pathIds);
  }

  /** The station is being told that the prefix is gone: call it when the prefix has been written. */
  forget(prefix: number): void {
    this.#pathIds.delete(prefix);
    if (this.#known.delete(prefix)) this.#prefixes.release(prefix);
  }

  /** Lets go of what it holds, after the session or the station is gone. @returns Units used. */
  release(units: number): number {
    let used = 0;
    for (; used < units && this.#known.size > 0; used += 1) {
      this.#prefixes.release(this.#known.take());
    }
    return used;
  }

  get isReleased(): boolean {
    return this.#known.size === 0;
  }
}
