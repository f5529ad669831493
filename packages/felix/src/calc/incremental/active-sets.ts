import type { Expression, ProfileLabels } from '@overland/model';
import { type IpAddress, networkAddress, type Prefix } from '@overland/net';
import type { SetId } from '../policy/active-rule.ts';
import {
  type NamedPort,
  type SetDefinition,
  type SetTexts,
  setText,
} from '../policy/address-sets.ts';
import type { SetChange } from '../policy-change.ts';
import type { SetState } from '../policy-state.ts';
import { netMember, portMember } from '../set-member.ts';
import { type AddressHolder, addressHolders } from './address-holders.ts';
import { CountedMembers } from './counted-members.ts';
import type { LabelClass } from './label-class.ts';
import { LabelMatcher, type Work } from './label-matcher.ts';
import type { SetSource } from './set-source.ts';

interface ActiveSet {
  readonly id: SetId;
  readonly expression: Expression;
  readonly portName: string | undefined;
  readonly members: CountedMembers;
  users: number;
}

type SourceClass = LabelClass<ActiveSet, PlacedSource>;

interface PlacedSource {
  readonly labelClass: SourceClass;
  readonly members: readonly (Prefix | IpAddress)[];
  readonly ports: readonly NamedPort[];
}

/** Shared by all that have none: there are many. */
const NO_PORTS: readonly NamedPort[] = [];

/** The sets that rules in use ask about, each with its members. */
export class ActiveSets implements SetTexts {
  readonly #sets = new Map<SetId, ActiveSet>();
  readonly #sources = new Map<string, PlacedSource>();
  readonly #matcher: LabelMatcher<ActiveSet, PlacedSource>;
  /** Sets that nobody uses. They stay until that is told: they may be wanted again by then. */
  readonly #unused = new Set<ActiveSet>();
  /** Sets that may have something to tell. */
  readonly #changed = new Set<ActiveSet>();
  readonly #told = new Set<SetId>();
  /** Sets that were told, and are no more. */
  readonly #gone = new Set<SetId>();

  constructor(parentLabels: ProfileLabels) {
    this.#matcher = new LabelMatcher(parentLabels, {
      matched: (set, { items }) => {
        for (const source of items) this.#enter(set, source);
      },
      unmatched: (set, { items }) => {
        for (const source of items) this.#leave(set, source);
      },
    });
  }

  /** Puts a source in the place of the one with its key; `undefined`: nothing. */
  put(key: string, source: SetSource | undefined): void {
    const before = this.#sources.get(key);
    const after = source && this.#placed(source);
    const shared = before && after ? sharedEnds(before, after) : NOTHING;
    if (before && shared.isAll) return;
    if (after) {
      this.#sources.set(key, after);
      after.labelClass.items.add(after);
      // What it had before and has still stays where it is: so it enters before it leaves.
      for (const set of after.labelClass.matches) this.#enter(set, after, shared);
    } else this.#sources.delete(key);
    if (!before) return;
    for (const set of before.labelClass.matches) this.#leave(set, before, shared);
    this.#matcher.leave(before, before.labelClass);
  }

  text(id: SetId): string {
    const set = this.#sets.get(id);
    return set ? setText({ selector: set.expression, portName: set.portName }) : id;
  }

  size(id: SetId): number {
    return this.#sets.get(id)?.members.state.members.size ?? 0;
  }

  /** Who has these addresses, of all that sets could hold. */
  holdersOf(addresses: Iterable<IpAddress>): Map<IpAddress, AddressHolder> {
    return addressHolders(addresses, this.#sources);
  }

  parentChanged(profile: string): void {
    this.#matcher.parentChanged(profile);
  }

  /** Counts one more rule list that asks about a set. */
  acquire({ id, selector, portName }: SetDefinition): void {
    let set = this.#sets.get(id);
    if (!set) {
      const members = new CountedMembers(portName !== undefined);
      set = { id, expression: selector, portName, members, users: 0 };
      this.#sets.set(id, set);
      this.#matcher.add(set);
      this.#changed.add(set);
    }
    set.users++;
    this.#unused.delete(set);
  }

  release(id: SetId): void {
    const set = this.#sets.get(id);
    if (!set) return;
    set.users--;
    if (set.users === 0) this.#unused.add(set);
  }

  get hasWork(): boolean {
    return this.#matcher.hasWork;
  }

  work(): Work {
    return this.#matcher.work();
  }

  dropUnused(): void {
    for (const set of this.#unused) {
      this.#sets.delete(set.id);
      this.#matcher.delete(set);
      this.#changed.delete(set);
      if (this.#told.delete(set.id)) this.#gone.add(set.id);
    }
    this.#unused.clear();
  }

  /**
   * What has changed since the last call, but for sets that are no more.
   *
   * @param budget About how many members it may speak of; at least one set.
   */
  tell(budget: number): Map<SetId, SetChange> {
    const changes = new Map<SetId, SetChange>();
    let left = budget;
    for (const set of this.#changed) {
      const { telling } = set.members;
      if (telling > left && changes.size > 0) break;
      left -= telling;
      this.#changed.delete(set);
      const change = set.members.tell();
      if (!change) continue;
      changes.set(set.id, change);
      this.#told.add(set.id);
      this.#gone.delete(set.id);
    }
    return changes;
  }

  /** Sets that were told, as they are now. */
  get states(): Map<SetId, SetState> {
    const states = new Map<SetId, SetState>();
    for (const { id, members } of this.#sets.values()) {
      if (this.#told.has(id)) states.set(id, members.state);
    }
    return states;
  }

  /** Whether `tell` has said all. */
  get isTold(): boolean {
    return this.#changed.size === 0;
  }

  /** Sets that were told and are no more, once. */
  tellGone(): SetId[] {
    const ids = [...this.#gone];
    this.#gone.clear();
    return ids;
  }

  #placed({ labels, parents, nets, ports }: SetSource): PlacedSource {
    return {
      labelClass: this.#matcher.classOf(labels, parents),
      members: nets.map(netMember),
      ports: ports.length === 0 ? NO_PORTS : ports,
    };
  }

  #enter(set: ActiveSet, source: PlacedSource, but = NOTHING): void {
    for (const member of membersIn(set, source, but)) set.members.add(member);
    this.#changed.add(set);
  }

  #leave(set: ActiveSet, source: PlacedSource, but = NOTHING): void {
    for (const member of membersIn(set, source, but)) set.members.remove(member);
    this.#changed.add(set);
  }
}

/** What a source brings into a set. @param but What is left out. */
function membersIn(
  { portName }: ActiveSet,
  { members, ports }: PlacedSource,
  { head, tail }: Ends,
): readonly string[] {
  const some = head + tail === 0 ? members : members.slice(head, members.length - tail);
  if (portName === undefined) return some;
  return ports.flatMap(({ name, protocol, port }) =>
    name === portName ? some.map((member) => portMember(addressOf(member), protocol, port)) : [],
  );
}

function addressOf(member: Prefix | IpAddress): IpAddress {
  return member.includes('/') ? networkAddress(member as Prefix) : (member as IpAddress);
}

/** How many members two sources have in common, at the begin and at the end. */
interface Ends {
  readonly head: number;
  readonly tail: number;
  /** Whether they have nothing else, either. */
  readonly isAll: boolean;
}

const NOTHING: Ends = { head: 0, tail: 0, isAll: false };

/** Of a list of many thousands mostly one place changes, and all that is around it need not be looked up in sets. */
function sharedEnds(before: PlacedSource, after: PlacedSource): Ends {
  if (before.labelClass !== after.labelClass || !areSamePorts(before, after)) return NOTHING;
  const [a, b] = [before.members, after.members];
  const most = Math.min(a.length, b.length);
  let head = 0;
  while (head < most && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < most - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return { head, tail, isAll: head + tail === Math.max(a.length, b.length) };
}

function areSamePorts({ ports: a }: PlacedSource, { ports: b }: PlacedSource): boolean {
  const isSame = (port: NamedPort, i: number): boolean =>
    port.name === b[i]?.name && port.protocol === b[i].protocol && port.port === b[i].port;
  return a.length === b.length && a.every(isSame);
}
