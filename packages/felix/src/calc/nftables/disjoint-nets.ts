import {
  hostPrefix,
  type IpAddress,
  isHostPrefix,
  networkAddress,
  type Prefix,
  PrefixTable,
} from '@overland/net';

/** What a change of members changes among the elements. */
export interface ElementChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/**
 * Members of a set that may hold prefixes, and the elements of the kernel's set: those that no other member contains,
 * because elements of intervals must not overlap. Of two prefixes that share an address, one contains the other, so
 * nothing is ever split or joined.
 *
 * A change costs what it changes, however large the set is.
 */
export class DisjointNets {
  readonly #members = new PrefixTable<true>();
  /** The members that are in no other one. */
  readonly #outermost = new PrefixTable<true>();

  /** @param members Addresses and prefixes in canonical text; of both families, if they are mixed. */
  constructor(members: Iterable<string> = []) {
    const difference = new Difference();
    for (const member of members) this.#add(prefixOf(member), difference);
  }

  /** In order. */
  elements(): string[] {
    return Array.from(this.#outermost, ({ prefix }) => textOf(prefix));
  }

  /** Removes, then adds. What is absent, or there already, changes nothing. */
  change(members: ElementChange): ElementChange {
    const difference = new Difference();
    for (const member of members.remove) this.#remove(prefixOf(member), difference);
    for (const member of members.add) this.#add(prefixOf(member), difference);
    return difference;
  }

  #add(member: Prefix, difference: Difference): void {
    if (this.#members.has(member)) return;
    this.#members.set(member, true);
    if (this.#outermost.longestMatch(member)) return;
    // It takes in what was outermost until now.
    for (const { prefix } of [...this.#outermost.covered(member)]) {
      this.#outermost.delete(prefix);
      difference.removed(textOf(prefix));
    }
    this.#outermost.set(member, true);
    difference.added(textOf(member));
  }

  #remove(member: Prefix, difference: Difference): void {
    if (!this.#members.delete(member) || !this.#outermost.delete(member)) return;
    difference.removed(textOf(member));
    // General ones come before those that they contain.
    for (const { prefix } of this.#members.covered(member)) {
      if (this.#outermost.longestMatch(prefix)) continue;
      this.#outermost.set(prefix, true);
      difference.added(textOf(prefix));
    }
  }
}

/** What is left of steps that may undo each other. */
class Difference implements ElementChange {
  readonly #isAdded = new Map<string, boolean>();

  added(element: string): void {
    this.#step(element, true);
  }

  removed(element: string): void {
    this.#step(element, false);
  }

  get add(): string[] {
    return [...this.#isAdded].flatMap(([element, isAdded]) => (isAdded ? [element] : []));
  }

  get remove(): string[] {
    return [...this.#isAdded].flatMap(([element, isAdded]) => (isAdded ? [] : [element]));
  }

  #step(element: string, isAdded: boolean): void {
    if (this.#isAdded.get(element) === !isAdded) this.#isAdded.delete(element);
    else this.#isAdded.set(element, isAdded);
  }
}

function prefixOf(member: string): Prefix {
  return (member.includes('/') ? member : hostPrefix(member as IpAddress)) as Prefix;
}

/** A prefix of full length is written as an address. */
function textOf(prefix: Prefix): string {
  return isHostPrefix(prefix) ? networkAddress(prefix) : prefix;
}
