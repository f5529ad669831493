import { Ids } from './memory/ids.ts';
import { Records } from './memory/records.ts';
import type { PathGroups } from './path-groups.ts';
import type { RouteStates } from './route-states.ts';

const Field = { Prefix: 0, Group: 1, NextOfPrefix: 2, NextOfGroup: 3, PreviousOfGroup: 4 } as const;
const FIELDS = 5;

/**
 * One prefix from one peer, 20 octets: which prefix, which group, and the links of two lists: the paths of
 * the prefix and the paths of the group.
 */
export class Paths {
  readonly #groups: PathGroups;
  readonly #states: RouteStates;
  readonly #ids = new Ids();
  readonly #records = new Records(FIELDS);

  constructor(groups: PathGroups, states: RouteStates) {
    this.#groups = groups;
    this.#states = states;
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

  /** The path of a prefix that is in a group; 0 if there is none. */
  inGroup(prefix: number, group: number): number {
    let path = this.first(prefix);
    while (path !== 0 && this.group(path) !== group) path = this.following(path);
    return path;
  }

  add(prefix: number, group: number): number {
    const path = this.#ids.take();
    this.#records.ensure(path);
    this.#records.set(path, Field.Prefix, prefix);
    this.#records.set(path, Field.NextOfPrefix, this.first(prefix));
    this.#states.setFirstPath(prefix, path);
    this.#join(path, group);
    return path;
  }

  /** Moves a path to another group: its peer announced it with other attributes. */
  move(path: number, group: number): void {
    this.#leave(path);
    this.#join(path, group);
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
    this.#ids.giveBack(path);
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
