import {
  type NextHopMember,
  type NextHopObject,
  nextHopGroup,
  nextHopGroupKey,
  PROTOCOL,
} from '@overland/linux';
import { type Family, familyOf, type NextHop, type WeightedNextHop } from '@overland/net';
import { NOTHING } from './fib-table.ts';

/** Where our numbers begin: below it others have theirs. */
const FIRST_ID = 86_000;

/** Instead of the number of an object: the kernel would not take the object, so routes stay as they are. */
export const PENDING = -1;

type Content = NextHopObject['content'];

/** Next hops that many routes share. */
export interface PathSet {
  readonly family: Family;
  readonly nextHops: readonly WeightedNextHop[];
}

/**
 * The next-hop objects of the kernel that are ours. A next hop has an object, and so has a set of several: a group,
 * which keeps its number while links go down and come up, so that only the group is written then and none of
 * the routes. Objects found at the start are known by what they say: they have the same numbers after a restart.
 *
 * Bookkeeping alone: the caller reads and writes the kernel. With a link the kernel drops its objects, takes them out
 * of their groups, and drops a group that is empty with all its routes, all without a word.
 */
export class NextHopTable {
  readonly #isUsable: (device: string) => boolean;
  /** What the kernel holds, as far as is known. */
  readonly #actual = new Map<number, Content>();
  #foreignIds: ReadonlySet<number> = new Set();
  /** What an object stands for, a next hop or a set, and back. */
  readonly #idByOwner = new Map<string, number>();
  readonly #ownerById = new Map<number, string>();
  /** Those that routes of another set than theirs use: nobody may change them. */
  readonly #lent = new Set<number>();
  /** Those that stand for nothing yet, by content. */
  readonly #unclaimed = new Map<string, number>();
  #nextId = FIRST_ID;

  /** @param isUsable Whether a device is up and has carrier: the kernel takes no next hop on another. */
  constructor(isUsable: (device: string) => boolean) {
    this.#isUsable = isUsable;
  }

  /**
   * @param objects Every next-hop object of the namespace, of whatever protocol.
   * @returns Those that were there and are not now: the kernel dropped their routes, too.
   */
  readBack(objects: readonly NextHopObject[]): ReadonlySet<number> {
    const before = [...this.#actual.keys()];
    this.#actual.clear();
    this.#unclaimed.clear();
    this.#foreignIds = new Set(
      objects.filter(({ protocol }) => protocol !== PROTOCOL.bgp).map(({ id }) => id),
    );
    for (const { id, protocol, content } of objects) {
      if (protocol === PROTOCOL.bgp) this.#actual.set(id, content);
    }
    for (const [id, owner] of this.#ownerById) if (!this.#isTheirs(id, owner)) this.#disown(id);
    for (const id of this.#lent) if (!this.#actual.has(id)) this.#lent.delete(id);
    for (const [id, content] of this.#actual) {
      const isFree = !this.#ownerById.has(id) && !this.#lent.has(id);
      if (isFree) this.#unclaimed.set(contentKey(content), id);
    }
    return new Set(before.filter((id) => !this.#actual.has(id)));
  }

  /** The objects of single next hops to write for these sets, before {@link missingGroups}. */
  missingPaths(sets: Iterable<PathSet>): NextHopObject[] {
    const missing = new Map<number, NextHopObject>();
    for (const set of sets) {
      for (const nextHop of set.nextHops) {
        if (!this.#isUsable(nextHop.device)) continue;
        const content = pathOf(set, nextHop);
        const id = this.#claim(contentKey(content), content);
        if (!this.#holds(id, content)) missing.set(id, ours(id, content));
      }
    }
    return [...missing.values()];
  }

  /** The groups to write for these sets, of next hops that can be used and have their objects. */
  missingGroups(sets: Iterable<PathSet>): NextHopObject[] {
    const missing = new Map<number, NextHopObject>();
    for (const set of sets) {
      const members = set.nextHops.length > 1 ? this.#members(set) : [];
      if (members.length === 0) continue;
      const content = nextHopGroup(members.toSorted((a, b) => a.id - b.id));
      const id = this.#claim(setKey(set), content);
      if (!this.#holds(id, content)) missing.set(id, ours(id, content));
    }
    return [...missing.values()];
  }

  /** Where routes of a set lead once nothing of it is missing: an object, {@link NOTHING} if all its links are down, or {@link PENDING}. */
  target(set: PathSet): number {
    const members = this.#members(set);
    const [only] = members;
    if (only === undefined) {
      return set.nextHops.some(({ device }) => this.#isUsable(device)) ? PENDING : NOTHING;
    }
    if (set.nextHops.length === 1) return only.id;
    const id = this.#idByOwner.get(setKey(set)) ?? 0;
    return this.#actual.has(id) ? id : PENDING;
  }

  /**
   * Whether an object leads where the target of the set does: a group that has lost a member, for example, as the speaker learns
   * a little later that the routes have lost a next hop. They stay where they are then.
   */
  isAsGood(id: number, set: PathSet): boolean {
    const actual = this.#actual.get(id);
    const members = this.#members(set);
    if (actual?.type !== 'group' || members.length === 0) return false;
    if (members.length === 1) return actual.members.join() === `${members[0]?.id}`;
    return nextHopGroupKey(actual) === nextHopGroupKey(nextHopGroup(members));
  }

  /** Routes of another set use it: whose it was gets another one the next time something of it is missing. */
  lend(id: number): void {
    this.#disown(id);
    this.#lent.add(id);
    for (const [key, unclaimed] of this.#unclaimed) {
      if (unclaimed === id) this.#unclaimed.delete(key);
    }
  }

  /** Whether routes use objects that are not those of their set: they are to be looked at when links have changed. */
  get hasLent(): boolean {
    return this.#lent.size > 0;
  }

  /** The kernel took it. */
  wrote({ id, content }: NextHopObject): void {
    this.#actual.set(id, content);
  }

  /** The kernel no longer has it. */
  removed(id: number): void {
    this.#actual.delete(id);
    this.#lent.delete(id);
    this.#disown(id);
  }

  /** Objects that no route in `used` needs, groups before their members. */
  unused(used: ReadonlySet<number>): number[] {
    const needed = new Set(used);
    for (const id of used) for (const member of this.#membersOf(id)) needed.add(member);
    const ids = [...this.#actual.keys()].filter((id) => !needed.has(id));
    return ids.toSorted((a, b) => this.#membersOf(b).length - this.#membersOf(a).length);
  }

  #members(set: PathSet): NextHopMember[] {
    return set.nextHops.flatMap(({ weight = 1, ...nextHop }) => {
      if (!this.#isUsable(nextHop.device)) return [];
      const content = pathOf(set, nextHop);
      const id = this.#idByOwner.get(contentKey(content)) ?? 0;
      return this.#holds(id, content) ? [{ id, weight }] : [];
    });
  }

  #holds(id: number, content: Content): boolean {
    const actual = this.#actual.get(id);
    return actual !== undefined && contentKey(actual) === contentKey(content);
  }

  /** The number of what stands for `owner`: its own, that of an object of this content that is there, or a new one. */
  #claim(owner: string, content: Content): number {
    const known = this.#idByOwner.get(owner);
    if (known !== undefined) return known;
    const key = contentKey(content);
    const id = this.#unclaimed.get(key) ?? this.#freeId();
    this.#unclaimed.delete(key);
    this.#idByOwner.set(owner, id);
    this.#ownerById.set(id, owner);
    return id;
  }

  #freeId(): number {
    const isTaken = (id: number): boolean =>
      this.#actual.has(id) || this.#ownerById.has(id) || this.#foreignIds.has(id);
    while (isTaken(this.#nextId)) this.#nextId += 1;
    return this.#nextId;
  }

  /** Whether the object is not somebody else's now, nor of a type that it cannot be turned from. */
  #isTheirs(id: number, owner: string): boolean {
    const type = this.#actual.get(id)?.type;
    const wanted = owner.startsWith('set ') ? 'group' : 'path';
    return !this.#foreignIds.has(id) && (type === undefined || type === wanted);
  }

  #disown(id: number): void {
    this.#idByOwner.delete(this.#ownerById.get(id) ?? '');
    this.#ownerById.delete(id);
  }

  #membersOf(id: number): readonly number[] {
    const content = this.#actual.get(id);
    return content?.type === 'group' ? content.members : [];
  }
}

function ours(id: number, content: Content): NextHopObject {
  return { id, protocol: PROTOCOL.bgp, content };
}

/** The gateway of an IPv4 route may be an IPv6 address (RFC 8950): the object has the gateway's family. */
function pathOf({ family }: PathSet, { address, device }: NextHop): Content {
  const own = address === null ? family : familyOf(address);
  return { type: 'path', family: own, nextHop: { address, device } };
}

function setKey(set: PathSet): string {
  const parts = set.nextHops.map((nextHop) => {
    return `${contentKey(pathOf(set, nextHop))} ${nextHop.weight ?? 1}`;
  });
  return ['set', ...parts.toSorted()].join(' ');
}

function contentKey(content: Content): string {
  if (content.type === 'group') return `group ${nextHopGroupKey(content)}`;
  const { address, device } = content.nextHop;
  return ['path', content.family, address, device].join(' ');
}
