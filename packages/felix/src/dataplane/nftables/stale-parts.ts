/** What an element is in the kernel: its verdict, `undefined` for a member of a set, or not there. */
export type Held = string | undefined | typeof ABSENT;

export const ABSENT: unique symbol = Symbol('absent');

/** Parts of a table that the kernel may hold otherwise than they are wanted. */
export class StaleParts {
  /** The kernel has no such table, or one that cannot be mended: all is made new. */
  isTableStale = false;
  /** Whether the kernel has something of the name. */
  readonly chains = new Map<string, boolean>();
  /** Likewise; of a set all members are then to be written as well, of a map those in {@link elements}. */
  readonly sets = new Map<string, boolean>();
  /** By set or map. */
  readonly elements = new Map<string, Map<string, Held>>();

  get isEmpty(): boolean {
    return (
      !this.isTableStale &&
      this.chains.size === 0 &&
      this.sets.size === 0 &&
      this.elements.size === 0
    );
  }

  /** Notes what the kernel holds of an element, unless that is known already. */
  noteElement(set: string, key: string, held: Held): void {
    let elements = this.elements.get(set);
    if (!elements) {
      elements = new Map();
      this.elements.set(set, elements);
    }
    if (!elements.has(key)) elements.set(key, held);
  }

  noteAbsent(set: string, keys: Iterable<string>): void {
    for (const key of keys) this.noteElement(set, key, ABSENT);
  }

  /** Takes back parts that were to be written and were not: what the kernel holds of them is older than what is noted here. */
  restore(parts: StaleParts): void {
    this.isTableStale ||= parts.isTableStale;
    for (const [name, was] of parts.chains) this.chains.set(name, was);
    for (const [name, was] of parts.sets) this.sets.set(name, was);
    for (const [set, elements] of parts.elements) {
      this.elements.set(set, new Map([...(this.elements.get(set) ?? []), ...elements]));
    }
  }
}
