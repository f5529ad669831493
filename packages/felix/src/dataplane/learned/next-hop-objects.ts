import {
  type NextHopMember,
  type NextHopObject,
  nextHopGroup,
  nextHopGroupKey,
  PROTOCOL,
} from '@overland/linux';
import { RetryQueue } from '../retry-queue.ts';
import {
  DISCARD,
  type NextHopSets,
  type Path,
  type PathSet,
  pathKey,
  type Target,
} from './next-hop-sets.ts';

/** Ids that we give out start here, far from those of routing daemons that count from 1. */
const FIRST_PATH_ID = 8_600_000;
const FIRST_GROUP_ID = 8_700_000;

/**
 * The next-hop objects that the wanted sets need, and those that the kernel holds. Pure bookkeeping: the
 * caller reads and writes the kernel.
 *
 * Objects found at start are matched by content, so ids stay the same over a restart. Removing a link's
 * objects is the kernel's doing: when a link goes down it drops them, takes them out of their groups, and
 * with the last member drops the group and its routes, all without a notification. Hence {@link readBack}
 * after every change of a link.
 */
export class NextHopObjectTable {
  readonly #sets: NextHopSets;
  readonly #isUsable: (device: string) => boolean;
  readonly #failures = new RetryQueue<string>();
  /** Ours, as the kernel holds them. */
  readonly #actual = new Map<number, NextHopObject['content']>();
  readonly #foreign = new Set<number>();
  /** Id to the path or set it stands for, also while the kernel has no such object. */
  readonly #assigned = new Map<number, string>();
  /** Ours that no path or group of this run uses, by content. */
  readonly #unclaimed = new Map<string, number>();
  #nextPathId = FIRST_PATH_ID;
  #nextGroupId = FIRST_GROUP_ID;

  constructor(sets: NextHopSets, isUsable: (device: string) => boolean) {
    this.#sets = sets;
    this.#isUsable = isUsable;
  }

  get size(): number {
    return this.#actual.size;
  }

  /** Paths and sets whose object the kernel refused, by key. */
  get failures(): RetryQueue<string> {
    return this.#failures;
  }

  /** Takes over a full listing of all next-hop objects, ours and others'. */
  readBack(objects: readonly NextHopObject[]): void {
    this.#actual.clear();
    this.#foreign.clear();
    for (const { id, protocol, content } of objects) {
      if (protocol !== PROTOCOL.bgp) this.#foreign.add(id);
      else this.#actual.set(id, content);
    }
    this.#reclaim();
  }

  /** Where routes of `set` should point now. */
  target(set: PathSet): Target {
    const [only] = set.paths;
    if (!only) return DISCARD;
    if (set.paths.length === 1) {
      if (this.#isPresent(only)) return only.id;
    } else if (this.#actual.has(set.group) && this.#members(set).length > 0) {
      return set.group;
    }
    const isReachable = set.paths.some(({ nextHop }) => this.#isUsable(nextHop.device));
    return isReachable ? 'pending' : 'unreachable';
  }

  /** Objects to write: paths first. Call {@link missingGroups} once they are written. */
  missingPaths(): NextHopObject[] {
    const missing = new Map<number, NextHopObject>();
    this.#forgetMoot();
    for (const set of this.#sets.wanted()) {
      for (const path of set.paths) {
        if (!this.#isUsable(path.nextHop.device) || this.#failures.isWaiting(path.key)) continue;
        if (path.id === 0) path.id = this.#claim(path.key, path.key, 'path');
        if (this.#isPresent(path)) continue;
        const { family, nextHop } = path;
        missing.set(path.id, object(path.id, { type: 'path', family, nextHop }));
      }
    }
    return [...missing.values()];
  }

  /** Failures of what is not wanted any more, or has no link to be tried on. */
  #forgetMoot(): void {
    if (this.#failures.size === 0) return;
    const wanted = new Set<string>();
    for (const set of this.#sets.wanted()) {
      wanted.add(setKey(set));
      for (const { key, nextHop } of set.paths) if (this.#isUsable(nextHop.device)) wanted.add(key);
    }
    for (const { key } of this.#failures.entries())
      if (!wanted.has(key)) this.#failures.forget(key);
  }

  /** Groups to write, each with the members that are usable and present now. */
  missingGroups(): NextHopObject[] {
    const missing: NextHopObject[] = [];
    for (const set of this.#sets.wanted()) {
      if (set.paths.length === 1 || this.#failures.isWaiting(setKey(set))) continue;
      const members = this.#members(set);
      if (members.length === 0) continue;
      const group = nextHopGroup(members);
      const key = nextHopGroupKey(group);
      if (set.group === 0) set.group = this.#claim(key, setKey(set), 'group');
      const actual = this.#actual.get(set.group);
      if (actual?.type === 'group' && nextHopGroupKey(actual) === key) continue;
      missing.push(object(set.group, group));
    }
    return missing;
  }

  /** Notes that the kernel took `written`. */
  wrote({ id, content }: NextHopObject): void {
    this.#actual.set(id, content);
    this.#failures.forget(this.#assigned.get(id) ?? '');
  }

  /** Notes that the kernel refused `written`; it is tried again later, and groups go without it. */
  refused({ id }: NextHopObject, reason: string, nowMs: number): void {
    this.#failures.failed(this.#assigned.get(id) ?? '', reason, nowMs);
  }

  /**
   * Our objects that nothing needs, groups before their members.
   *
   * @param used Objects that routes in the kernel use.
   * @param keepUnclaimed Spare what was found at start and may still be claimed.
   */
  garbage(used: ReadonlySet<number>, keepUnclaimed: boolean): number[] {
    const keep = new Set(used);
    if (keepUnclaimed) for (const id of this.#unclaimed.values()) keep.add(id);
    for (const set of this.#sets.wanted()) {
      keep.add(set.group);
      for (const path of set.paths) keep.add(path.id);
    }
    const groups: number[] = [];
    for (const [id, content] of this.#actual) {
      if (content.type !== 'group') continue;
      if (!keep.has(id)) groups.push(id);
      else for (const member of content.members) keep.add(member);
    }
    const paths = [...this.#actual].flatMap(([id, content]) =>
      content.type === 'path' && !keep.has(id) ? [id] : [],
    );
    return [...groups, ...paths];
  }

  /** Notes that an object of ours was removed. Its content keeps the id, should it come back. */
  removed(id: number): void {
    this.#actual.delete(id);
    for (const [key, unclaimed] of this.#unclaimed) {
      if (unclaimed === id) this.#unclaimed.delete(key);
    }
  }

  #members({ paths, weights }: PathSet): NextHopMember[] {
    return paths.flatMap((path, i) => {
      const isThere = this.#isUsable(path.nextHop.device) && this.#isPresent(path);
      return isThere ? [{ id: path.id, weight: weights[i] ?? 1 }] : [];
    });
  }

  #isPresent({ id, key }: Path): boolean {
    const actual = this.#actual.get(id);
    return actual?.type === 'path' && pathKey(actual.family, actual.nextHop) === key;
  }

  /** Takes ids away whose object became somebody else's or another type, and lists what is unclaimed. */
  #reclaim(): void {
    const mayKeep = (id: number, type: 'path' | 'group'): boolean =>
      !this.#foreign.has(id) && (this.#actual.get(id)?.type ?? type) === type;
    this.#assigned.clear();
    for (const path of this.#sets.paths()) {
      if (!mayKeep(path.id, 'path')) path.id = 0;
      else if (path.id !== 0) this.#assigned.set(path.id, path.key);
    }
    for (const set of this.#sets.all()) {
      if (!mayKeep(set.group, 'group')) set.group = 0;
      else if (set.group !== 0) this.#assigned.set(set.group, setKey(set));
    }
    this.#unclaimed.clear();
    for (const [id, content] of this.#actual) {
      if (this.#assigned.has(id)) continue;
      const isPath = content.type === 'path';
      const key = isPath ? pathKey(content.family, content.nextHop) : nextHopGroupKey(content);
      this.#unclaimed.set(key, id);
    }
  }

  /** An object of this content that is there already, or a new id, for the owner of `owner`. */
  #claim(content: string, owner: string, type: 'path' | 'group'): number {
    let id = this.#unclaimed.get(content);
    this.#unclaimed.delete(content);
    const next = (): number => (type === 'path' ? this.#nextPathId++ : this.#nextGroupId++);
    const isTaken = (candidate: number): boolean =>
      this.#actual.has(candidate) || this.#foreign.has(candidate) || this.#assigned.has(candidate);
    if (id === undefined) {
      do id = next();
      while (isTaken(id));
    }
    this.#assigned.set(id, owner);
    return id;
  }
}

function object(id: number, content: NextHopObject['content']): NextHopObject {
  return { id, protocol: PROTOCOL.bgp, content };
}

function setKey({ index }: PathSet): string {
  return `set ${index}`;
}
