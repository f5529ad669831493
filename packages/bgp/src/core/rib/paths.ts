import { Int32Column } from './memory/column.ts';
import { Ids } from './memory/ids.ts';
import type { PathGroups } from './path-groups.ts';

/**
 * One prefix from one peer, 20 octets: which prefix, which group, and the links of two lists: the paths of
 * the prefix and the paths of the group.
 */
export class Paths {
  readonly #groups: PathGroups;
  readonly #ids = new Ids();
  readonly #prefix = new Int32Column();
  readonly #group = new Int32Column();
  readonly #nextOfPrefix = new Int32Column();
  readonly #nextOfGroup = new Int32Column();
  readonly #previousOfGroup = new Int32Column();
  /** By prefix id. */
  readonly #firstOfPrefix = new Int32Column();

  constructor(groups: PathGroups) {
    this.#groups = groups;
  }

  prefix(path: number): number {
    return this.#prefix.get(path);
  }

  group(path: number): number {
    return this.#group.get(path);
  }

  /** The first path of a prefix; 0 if it has none. The order means nothing. */
  first(prefix: number): number {
    return this.#firstOfPrefix.get(prefix);
  }

  following(path: number): number {
    return this.#nextOfPrefix.get(path);
  }

  /** The path that joined the group before this one; 0 if there is none. */
  olderInGroup(path: number): number {
    return this.#nextOfGroup.get(path);
  }

  /** The path that joined the group after this one; 0 if there is none. */
  newerInGroup(path: number): number {
    return this.#previousOfGroup.get(path);
  }

  /** The path of a prefix that came from a peer; 0 if there is none. */
  fromPeer(prefix: number, peer: number): number {
    let path = this.#firstOfPrefix.get(prefix);
    while (path !== 0 && this.#groups.peer.get(this.#group.get(path)) !== peer) {
      path = this.#nextOfPrefix.get(path);
    }
    return path;
  }

  /** The path of a prefix that is in a group; 0 if there is none. */
  inGroup(prefix: number, group: number): number {
    let path = this.#firstOfPrefix.get(prefix);
    while (path !== 0 && this.#group.get(path) !== group) path = this.#nextOfPrefix.get(path);
    return path;
  }

  add(prefix: number, group: number): number {
    const path = this.#ids.take();
    this.#prefix.set(path, prefix);
    this.#nextOfPrefix.set(path, this.#firstOfPrefix.get(prefix));
    this.#firstOfPrefix.set(prefix, path);
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
    const prefix = this.#prefix.get(path);
    const after = this.#nextOfPrefix.get(path);
    let at = this.#firstOfPrefix.get(prefix);
    if (at === path) this.#firstOfPrefix.set(prefix, after);
    else {
      let following = this.#nextOfPrefix.get(at);
      while (following !== path) {
        at = following;
        following = this.#nextOfPrefix.get(at);
      }
      this.#nextOfPrefix.set(at, after);
    }
    this.#ids.giveBack(path);
  }

  #join(path: number, group: number): void {
    const groups = this.#groups;
    const first = groups.firstPath.get(group);
    this.#group.set(path, group);
    this.#nextOfGroup.set(path, first);
    this.#previousOfGroup.set(path, 0);
    if (first !== 0) this.#previousOfGroup.set(first, path);
    groups.firstPath.set(group, path);
    groups.pathCount.set(group, groups.pathCount.get(group) + 1);
  }

  #leave(path: number): void {
    const groups = this.#groups;
    const group = this.#group.get(path);
    const next = this.#nextOfGroup.get(path);
    const previous = this.#previousOfGroup.get(path);
    if (previous === 0) groups.firstPath.set(group, next);
    else this.#nextOfGroup.set(previous, next);
    if (next !== 0) this.#previousOfGroup.set(next, previous);
    groups.pathCount.set(group, groups.pathCount.get(group) - 1);
  }
}
