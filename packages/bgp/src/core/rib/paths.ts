import type { IdSet } from './memory/id-set.ts';
import { Ids } from './memory/ids.ts';
import { Records } from './memory/records.ts';
import type { PathGroups } from './path-groups.ts';
import { PathIdentifiers } from './path-identifiers.ts';
import type { PrefixTable } from './prefix-table.ts';
import type { RouteStates } from './route-states.ts';

const Field = { Prefix: 0, Group: 1, NextOfPrefix: 2, NextOfGroup: 3, PreviousOfGroup: 4 } as const;
const FIELDS = 5;

/** What {@link Paths} keep in order. */
export interface PathTables {
  readonly groups: PathGroups;
  readonly states: RouteStates;
  /** Prefixes are held while they have a path. */
  readonly prefixes: PrefixTable;
  /** Gets every prefix whose paths change. */
  readonly undecided: IdSet;
}

/**
 * One prefix from one peer, 20 octets: which prefix, which group, and the links of two lists: the paths of
 * the prefix and the paths of the group. A peer that gives path identifiers (RFC 7911) may have several for a prefix,
 * also in one group: then its peer has given the same route twice.
 */
export class Paths {
  readonly #groups: PathGroups;
  readonly #states: RouteStates;
  readonly #prefixes: PrefixTable;
  readonly #undecided: IdSet;
  readonly #ids = new Ids();
  readonly #records = new Records(FIELDS);
  readonly #identifiers = new PathIdentifiers();

  constructor({ groups, states, prefixes, undecided }: PathTables) {
    this.#groups = groups;
    this.#states = states;
    this.#prefixes = prefixes;
    this.#undecided = undecided;
  }

  /** Paths in the table. */
  get size(): number {
    return this.#ids.used;
  }

  prefix(path: number): number {
    return this.#records.get(path, Field.Prefix);
  }

  group(path: number): number {
    return this.#records.get(path, Field.Group);
  }

  /** The first path of a prefix; 0 if it has none. The order means nothing. */
  first(prefix: number): number {
    return this.#states.firstPath(prefix);
  }

  following(path: number): number {
    return this.#records.get(path, Field.NextOfPrefix);
  }

  /** The path that joined the group before this one; 0 if there is none. */
  olderInGroup(path: number): number {
    return this.#records.get(path, Field.NextOfGroup);
  }

  /** The path that joined the group after this one; 0 if there is none. */
  newerInGroup(path: number): number {
    return this.#records.get(path, Field.PreviousOfGroup);
  }

  /** The path of a prefix that came from a peer; 0 if there is none. */
  fromPeer(prefix: number, peer: number): number {
    let path = this.first(prefix);
    while (path !== 0 && this.#groups.peer(this.group(path)) !== peer) path = this.following(path);
    return path;
  }

  /** Whether there have been path identifiers: a prefix may have several paths in a group. */
  get areIdentified(): boolean {
    return this.#identifiers.isUsed;
  }

  /** What the peer calls the path among those of the prefix; 0 if it gives no identifiers. RFC 7911. */
  identifier(path: number): number {
    return this.#identifiers.get(path);
  }

  /**
   * The path of a prefix that came from a peer with a path identifier, or with none if that is 0; 0 if there is none.
   */
  identified(prefix: number, peer: number, identifier: number): number {
    let path = this.first(prefix);
    for (; path !== 0; path = this.following(path)) {
      const isOfPeer = this.#groups.peer(this.group(path)) === peer;
      if (isOfPeer && this.#identifiers.get(path) === identifier) return path;
    }
    return 0;
  }

  /** A path of a prefix that is in a group; 0 if there is none. */
  inGroup(prefix: number, group: number): number {
    let path = this.first(prefix);
    while (path !== 0 && this.group(path) !== group) path = this.following(path);
    return path;
  }

  /**
   * Adds a path to a group for each of the first `count` prefixes that has no path at all yet: the common case of
   * a table that is being learned, in one loop. The prefixes that have one are moved to the front of the array.
   *
   * @returns How many these are.
   */
  addFirst(prefixes: Int32Array, count: number, group: number): number {
    const records = this.#records;
    const states = this.#states;
    let newest = this.#groups.firstPath(group);
    let left = 0;
    for (let i = 0; i < count; i += 1) {
      const prefix = prefixes[i] ?? 0;
      states.ensure(prefix);
      if (states.firstPath(prefix) !== 0) {
        prefixes[left] = prefix;
        left += 1;
        continue;
      }
      const path = this.#ids.take();
      records.ensure(path);
      records.set(path, Field.Prefix, prefix);
      records.set(path, Field.Group, group);
      records.set(path, Field.NextOfPrefix, 0);
      records.set(path, Field.NextOfGroup, newest);
      records.set(path, Field.PreviousOfGroup, 0);
      if (newest !== 0) records.set(newest, Field.PreviousOfGroup, path);
      newest = path;
      states.setFirstPath(prefix, path);
      this.#prefixes.hold(prefix);
      this.#undecided.add(prefix);
    }
    this.#groups.setFirstPath(group, newest);
    this.#groups.addToPathCount(group, count - left);
    return left;
  }

  /** Adds a path for a prefix that may have others. @param identifier What the peer calls it; 0: nothing. */
  add(prefix: number, group: number, identifier = 0): void {
    const path = this.#ids.take();
    const other = this.first(prefix);
    if (other === 0) this.#prefixes.hold(prefix);
    this.#records.ensure(path);
    this.#records.set(path, Field.Prefix, prefix);
    this.#records.set(path, Field.NextOfPrefix, other);
    this.#states.setFirstPath(prefix, path);
    this.#identifiers.set(path, identifier);
    this.#join(path, group);
    this.#undecided.add(prefix);
  }

  /** Moves a path to another group: its peer announced it with other attributes. */
  move(path: number, group: number): void {
    this.#leave(path);
    this.#join(path, group);
    this.#undecided.add(this.prefix(path));
  }

  remove(path: number): void {
    this.#leave(path);
    const prefix = this.prefix(path);
    const after = this.following(path);
    let at = this.first(prefix);
    if (at === path) this.#states.setFirstPath(prefix, after);
    else {
      while (this.following(at) !== path) at = this.following(at);
      this.#records.set(at, Field.NextOfPrefix, after);
    }
    this.#identifiers.set(path, 0);
    this.#ids.giveBack(path);
    this.#undecided.add(prefix);
    if (this.first(prefix) === 0) this.#prefixes.release(prefix);
  }

  #join(path: number, group: number): void {
    const records = this.#records;
    const first = this.#groups.firstPath(group);
    records.set(path, Field.Group, group);
    records.set(path, Field.NextOfGroup, first);
    records.set(path, Field.PreviousOfGroup, 0);
    if (first !== 0) records.set(first, Field.PreviousOfGroup, path);
    this.#groups.setFirstPath(group, path);
    this.#groups.addToPathCount(group, 1);
  }

  #leave(path: number): void {
    const records = this.#records;
    const group = this.group(path);
    const next = this.olderInGroup(path);
    const previous = this.newerInGroup(path);
    if (previous === 0) this.#groups.setFirstPath(group, next);
    else records.set(previous, Field.NextOfGroup, next);
    if (next !== 0) records.set(next, Field.PreviousOfGroup, previous);
    this.#groups.addToPathCount(group, -1);
  }
}
