import { type Family, familyOf, type NextHop, type NextHopSet } from '@overland/net';

/** One way out: a gateway on a link. Becomes one next-hop object that all sets share. */
export interface Path {
  readonly key: string;
  readonly family: Family;
  readonly nextHop: NextHop;
  /** Of the kernel's object; 0 while it has none. */
  id: number;
}

/**
 * Id of the object that routes point at. `pending`: the kernel has none yet, or refused it: leave routes as they
 * are. `unreachable`: every link of the set is down.
 */
export type Target = number | 'pending' | 'unreachable';

/** {@link Target} of a set without paths: what has no longer route is dropped (an aggregate of ours). No object has this id. */
export const DISCARD = 0xffff_fffe;

/** Equal-cost paths that many routes share. Becomes a group, or just its path if there is one only. */
export interface PathSet {
  readonly index: number;
  readonly family: Family;
  readonly paths: readonly Path[];
  /** Shares of the paths. */
  readonly weights: readonly number[];
  /** Routes that want this set. */
  routes: number;
  /** Id of the kernel's group; 0 while it has none, and always for a single path. */
  group: number;
  /** Where routes of this set are pointed. */
  target: Target;
  /** No target was worked out for it yet. */
  isNew: boolean;
}

/** The sets that the speaker has named, by its numbers, and their paths, shared by content. */
export class NextHopSets {
  readonly #paths = new Map<string, Path>();
  readonly #byContent = new Map<string, PathSet>();
  readonly #byNumber = new Map<number, PathSet>();
  /** Index 0 stays empty: it means "no set" in the route table. */
  readonly #sets: (PathSet | undefined)[] = [undefined];

  /** Takes over what a batch says about its sets. Two numbers with equal content are one set here. */
  define(family: Family, { id, nextHops }: NextHopSet): PathSet {
    const weightOf = new Map<Path, number>();
    for (const { weight = 1, ...nextHop } of nextHops) {
      weightOf.set(this.#path(family, nextHop), weight);
    }
    const paths = [...weightOf.keys()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const weights = paths.map((path) => weightOf.get(path) ?? 1);
    const key = [family, ...paths.map((path, i) => `${path.key}*${weights[i]}`)].join(' ');
    let set = this.#byContent.get(key);
    if (!set) {
      const index = this.#sets.length;
      set = { index, family, paths, weights, routes: 0, group: 0, target: 'pending', isNew: true };
      this.#sets.push(set);
      this.#byContent.set(key, set);
    }
    this.#byNumber.set(id, set);
    return set;
  }

  /** The set that the speaker calls `number`. */
  byNumber(number: number): PathSet | undefined {
    return this.#byNumber.get(number);
  }

  /** @param index From the route table. */
  at(index: number): PathSet | undefined {
    return this.#sets[index];
  }

  /** Sets that some route wants. */
  *wanted(): Generator<PathSet> {
    for (const set of this.#sets) if (set && set.routes > 0) yield set;
  }

  *paths(): Generator<Path> {
    yield* this.#paths.values();
  }

  *all(): Generator<PathSet> {
    for (const set of this.#sets) if (set) yield set;
  }

  #path(routeFamily: Family, nextHop: NextHop): Path {
    // An IPv4 route may leave through an IPv6 gateway (RFC 8950): the object has the gateway's family.
    const family = nextHop.address === null ? routeFamily : familyOf(nextHop.address);
    const key = pathKey(family, nextHop);
    let path = this.#paths.get(key);
    if (!path) {
      path = { key, family, nextHop, id: 0 };
      this.#paths.set(key, path);
    }
    return path;
  }
}

/** Identity of a path by content. */
export function pathKey(family: Family, { address, device }: NextHop): string {
  return `${family}|${address ?? ''}|${device}`;
}
