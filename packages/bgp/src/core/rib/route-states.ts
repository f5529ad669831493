import { Records } from './memory/records.ts';

const Field = { FirstPath: 0, Best: 1, Wanted: 2, Told: 3 } as const;
const FIELDS = 4;

/** What one speaker knows of each prefix, beside the prefix itself: 16 octets. Everything is 0 until it is set. */
export class RouteStates {
  readonly #records = new Records(FIELDS, 73);

  /** Makes room for a prefix. */
  ensure(prefix: number): void {
    this.#records.ensure(prefix);
  }

  /** The first of its paths. */
  firstPath(prefix: number): number {
    return this.#records.get(prefix, Field.FirstPath);
  }

  setFirstPath(prefix: number, path: number): void {
    this.#records.set(prefix, Field.FirstPath, path);
  }

  /** The group of its best path. */
  best(prefix: number): number {
    return this.#records.get(prefix, Field.Best);
  }

  setBest(prefix: number, group: number): void {
    this.#records.set(prefix, Field.Best, group);
  }

  /** Slot of the next-hop set that the kernel should have for it. */
  wanted(prefix: number): number {
    return this.#records.get(prefix, Field.Wanted);
  }

  setWanted(prefix: number, slot: number): void {
    this.#records.set(prefix, Field.Wanted, slot);
  }

  /** Slot of the next-hop set that the kernel was told last. */
  told(prefix: number): number {
    return this.#records.get(prefix, Field.Told);
  }

  setTold(prefix: number, slot: number): void {
    this.#records.set(prefix, Field.Told, slot);
  }
}
