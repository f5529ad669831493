import { IdSet } from './memory/id-set.ts';
import type { Rings } from './memory/rings.ts';
import type { PathGroups } from './path-groups.ts';
import type { Paths } from './paths.ts';

/** What a sweep passes over. */
export interface SweepTarget {
  readonly groups: PathGroups;
  readonly paths: Paths;
  /** Which rings the sweep follows. */
  readonly rings: Rings;
  /** Called once for each group, before its paths. */
  readonly visitGroup: (group: number) => void;
  /** May move the path into another group. */
  readonly visitPath: (path: number) => void;
}

/**
 * Visits all paths in all groups of a ring, a slice at a time: a next hop came or went, or the import rules of a peer
 * changed. Lists may change between slices; whoever takes something out of
 * one says so first.
 */
export class Sweep {
  readonly #target: SweepTarget;
  readonly #pending = new IdSet();
  #ring = 0;
  #group = 0;
  #path = 0;
  /** The group is still to be visited. */
  #isAhead = false;

  constructor(target: SweepTarget) {
    this.#target = target;
  }

  get isIdle(): boolean {
    return this.#ring === 0 && this.#pending.size === 0;
  }

  /** @param ring Sentinel. */
  request(ring: number): void {
    this.#pending.add(ring);
  }

  /** @returns Whether the ring was to be swept, or half swept. */
  cancel(ring: number): boolean {
    const wasPending = this.#pending.delete(ring);
    if (this.#ring !== ring) return wasPending;
    this.#ring = 0;
    this.#group = 0;
    this.#path = 0;
    this.#isAhead = false;
    return true;
  }

  /** @returns Units used. */
  step(units: number): number {
    const { paths, rings, visitPath } = this.#target;
    let used = 0;
    while (used < units) {
      if (this.#ring === 0) {
        this.#ring = this.#pending.take();
        if (this.#ring === 0) return used;
        this.#enter(rings.first(this.#ring));
      }
      if (this.#isAhead) this.#enter(this.#group);
      else if (this.#group === this.#ring) {
        this.#ring = 0;
        this.#group = 0;
      } else if (this.#path === 0) {
        this.#enter(rings.following(this.#group));
      } else {
        const path = this.#path;
        this.#path = paths.olderInGroup(path);
        visitPath(path);
      }
      used += 1;
    }
    return used;
  }

  /** The path is about to leave its group. */
  pathLeaves(path: number): void {
    if (path === this.#path) this.#path = this.#target.paths.olderInGroup(path);
  }

  /**
   * The group is about to leave its ring. The one behind it is not visited here: whoever says so is in the middle of moving
   * the last path of the group, perhaps to that one.
   */
  groupLeaves(group: number): void {
    if (group !== this.#group) return;
    this.#group = this.#target.rings.following(group);
    this.#path = 0;
    this.#isAhead = true;
  }

  #enter(group: number): void {
    this.#group = group;
    this.#isAhead = false;
    if (group === this.#ring) {
      this.#path = 0;
      return;
    }
    this.#target.visitGroup(group);
    this.#path = this.#target.groups.firstPath(group);
  }
}
