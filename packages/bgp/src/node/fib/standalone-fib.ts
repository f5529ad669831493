import { setImmediate } from 'node:timers/promises';
import { type Kernel, type NextHopObject, PROTOCOL, type Route } from '@overland/linux';
import type { Family, Prefix, RouteBatch } from '@overland/net';
import type { Logger } from 'pino';
import { DISCARD, FibTable, FOREIGN, NOTHING, UNWANTED } from './fib-table.ts';
import { NextHopTable, type PathSet, PENDING } from './next-hop-table.ts';
import { RecordList } from './record-list.ts';

/** Next-hop objects in one netlink send. */
const BATCH = 128;
/** Routes between two looks at what is more urgent: about a millisecond of the kernel's time. */
const PART = 512;
const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

interface FibSet extends PathSet {
  /** Where its routes lead: an object, {@link DISCARD}, {@link NOTHING} or {@link PENDING}. */
  target: number;
  /** Its objects were looked after, and still are whenever a link changes. */
  isReady: boolean;
  /** That want it. */
  routes: number;
}

/**
 * The kernel's routes of a router without agent. Small on purpose: a host has felix. Routes stay when the router
 * stops, and are found again, with their next-hop objects, when it starts.
 */
export class StandaloneFib {
  readonly #kernel: Kernel;
  readonly #log: Logger;
  readonly #objects: NextHopTable;
  readonly #tables: Readonly<Record<Family, FibTable>> = {
    ipv4: new FibTable('ipv4'),
    ipv6: new FibTable('ipv6'),
  };
  /** By the speaker's number. */
  readonly #sets = new Map<number, FibSet>();
  /** The last answer of {@link #mayStay}; none when objects may have changed. */
  #stay: { readonly object: number; readonly set: FibSet; readonly may: boolean } | undefined;
  /** Prefixes that {@link apply} called missing, by their ids. */
  readonly #missing: Readonly<Record<Family, Set<number>>> = { ipv4: new Set(), ipv6: new Set() };
  /** Told of prefixes that were missing, and that the kernel has by now. */
  onArrived: (prefixes: readonly Prefix[]) => void = () => undefined;
  #objectsInDoubt = false;
  #routesInDoubt = false;
  /** Objects that went while routes are listed: some of their routes may be in the list. */
  #goneWhileListing: Set<number> | undefined;
  #work: Promise<void> = Promise.resolve();

  /** @param isUsable Whether a device is up and has carrier: the kernel takes no next hop on another. */
  constructor(kernel: Kernel, isUsable: (device: string) => boolean, log: Logger) {
    this.#kernel = kernel;
    this.#objects = new NextHopTable(isUsable);
    this.#log = log;
  }

  /** Families of which the kernel holds routes of ours, once {@link resync} has read them. */
  get preserved(): readonly Family[] {
    return FAMILIES.filter((family) => this.#tables[family].size > 0);
  }

  /**
   * Takes a batch; resolves when it is in the kernel, or refused, which is logged and mended by {@link resync}: {@link onArrived} is
   * told then.
   *
   * @returns Prefixes of it that the kernel is to have a route of, and has none.
   */
  apply(batch: RouteBatch): Promise<readonly Prefix[]> {
    return this.#inTurn(async () => {
      const { family, nextHopSets, records, endOfRib } = batch;
      for (const { id, nextHops } of nextHopSets) {
        if (this.#sets.has(id)) continue;
        this.#sets.set(id, { family, nextHops, target: PENDING, isReady: false, routes: 0 });
      }
      const table = this.#tables[family];
      const used = new Set<FibSet>();
      const ids = table.want(records, (number, before) => {
        const [set, former] = [this.#sets.get(number), this.#sets.get(before)];
        if (former) former.routes -= 1;
        if (!set) return UNWANTED;
        set.routes += 1;
        if (!set.isReady) used.add(set);
        return number;
      });
      await this.#provide([...used]);
      await this.#write(table, ids);
      if (endOfRib) {
        table.complete = true;
        await this.#write(table, this.#differing(table));
        await this.#removeGarbage();
      }
      return this.#noteMissing(table, ids);
    });
  }

  /** @returns Those of the prefixes that the kernel has no route of, though it should. */
  #noteMissing(table: FibTable, ids: Int32Array): Prefix[] {
    const missing = this.#missing[table.family];
    const noted: Prefix[] = [];
    for (const id of ids) {
      const isMissing = this.#sets.has(table.desired(id)) && table.actual(id) === NOTHING;
      if (!isMissing) missing.delete(id);
      else {
        missing.add(id);
        noted.push(table.prefix(id));
      }
    }
    return noted;
  }

  /** Tells of what was missing and is there by now. */
  #tellArrived(): void {
    for (const family of FAMILIES) {
      const [missing, table] = [this.#missing[family], this.#tables[family]];
      const arrived: Prefix[] = [];
      for (const id of missing) {
        const isWanted = this.#sets.has(table.desired(id));
        if (isWanted && table.actual(id) === NOTHING) continue;
        missing.delete(id);
        if (isWanted) arrived.push(table.prefix(id));
      }
      if (arrived.length > 0) this.onArrived(arrived);
    }
  }

  /**
   * A link went down or came up: groups of next hops are put right at once, before whatever routes wait. Routes are written only
   * where all their next hops went or came; none is read.
   */
  async linksChanged(): Promise<void> {
    this.#objectsInDoubt = true;
    if (this.#goneWhileListing) await this.#review();
    return this.#inTurn(() => this.#catchUp());
  }

  /** Reads the kernel back and writes what differs: at the start, and now and then. */
  resync(): Promise<void> {
    return this.#inTurn(async () => {
      for (const family of FAMILIES) {
        const gone = new Set<number>();
        this.#goneWhileListing = gone;
        const routes = await this.#kernel.routes.list(family, PROTOCOL.bgp);
        this.#goneWhileListing = undefined;
        const table = this.#tables[family];
        table.readBack(
          routes.map(({ destination, target }) => ({ destination, object: numberOf(target) })),
        );
        table.drop((object) => gone.has(object));
      }
      this.#objectsInDoubt = true;
      this.#routesInDoubt = true;
      await this.#catchUp();
      await this.#removeGarbage();
    });
  }

  /** One piece of work at a time, in the order of the calls. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** What a change of a link, or a listing, left to do. */
  async #catchUp(): Promise<void> {
    if (this.#objectsInDoubt) await this.#review();
    while (this.#routesInDoubt) {
      this.#routesInDoubt = false;
      for (const family of FAMILIES) {
        const table = this.#tables[family];
        await this.#write(table, this.#differing(table));
      }
    }
    this.#tellArrived();
  }

  /** Reads the next-hop objects back and writes those that differ; routes may differ then. */
  async #review(): Promise<void> {
    this.#objectsInDoubt = false;
    for (const set of this.#sets.values()) if (set.routes === 0) set.isReady = false;
    const sets = [...this.#sets.values()].filter(({ isReady }) => isReady);
    const before = sets.map(({ target }) => target);
    const objects = await this.#kernel.nextHopObjects.list();
    const gone = this.#objects.readBack(objects);
    for (const id of gone) this.#goneWhileListing?.add(id);
    await this.#provide(sets);
    const isAnyMoved = sets.some(({ target }, i) => target !== before[i]);
    if (gone.size > 0 || isAnyMoved || this.#objects.hasLent) this.#routesInDoubt = true;
    if (!this.#routesInDoubt) return;
    // As it was before: objects that are there again have lost their routes all the same.
    const present = new Set(objects.map(({ id }) => id));
    for (const family of FAMILIES) this.#tables[family].drop((object) => !present.has(object));
  }

  /** Sees to it that sets have their objects, and works out where their routes lead. */
  async #provide(sets: readonly FibSet[]): Promise<void> {
    await this.#writeObjects(this.#objects.missingPaths(sets));
    await this.#writeObjects(this.#objects.missingGroups(sets));
    this.#stay = undefined;
    for (const set of sets) {
      set.target = set.nextHops.length === 0 ? DISCARD : this.#objects.target(set);
      set.isReady = true;
    }
  }

  async #writeObjects(objects: readonly NextHopObject[]): Promise<void> {
    for (let at = 0; at < objects.length; at += BATCH) {
      const batch = objects.slice(at, at + BATCH);
      const outcome = await this.#kernel.nextHopObjects.replace(batch);
      for (const [i, object] of batch.entries()) if (!outcome[i]) this.#objects.wrote(object);
      const refused = outcome.filter((error) => error !== undefined);
      if (refused.length === 0) continue;
      const fields = { err: refused[0], count: refused.length };
      this.#log.warn(fields, 'kernel refused next-hop objects');
    }
  }

  /**
   * Where a route is to lead, {@link NOTHING} if it is to go; `undefined` if it stays as it is.
   *
   * @param mayRemove Whether it may go although nobody has said so: one from before the start may not, at first.
   */
  #change(table: FibTable, id: number, mayRemove: boolean): number | undefined {
    const desired = table.desired(id);
    const set = this.#sets.get(desired);
    if (!set && !mayRemove) return undefined;
    const target = set ? set.target : NOTHING;
    const actual = table.actual(id);
    if (target === PENDING || target === actual) return undefined;
    return set && this.#mayStay(actual, set) ? undefined : target;
  }

  /** Whether routes of a set may stay with an object that is not its own. */
  #mayStay(object: number, set: FibSet): boolean {
    if (object === NOTHING || object >= FOREIGN || set.target === NOTHING) return false;
    // Routes come in runs with the same object and set.
    if (this.#stay?.object !== object || this.#stay.set !== set) {
      const may = this.#objects.isAsGood(object, set);
      if (may) this.#objects.lend(object);
      this.#stay = { object, set, may };
    }
    return this.#stay.may;
  }

  /** Routes that are to change: of those from before the start, none until the speaker has offered all. */
  #differing(table: FibTable): number[] {
    return table.where((id) => this.#change(table, id, table.complete) !== undefined);
  }

  /** Writes what is to change of these routes. */
  async #write(table: FibTable, ids: ArrayLike<number>): Promise<void> {
    for (let from = 0; from < ids.length; from += PART) {
      if (this.#objectsInDoubt) await this.#review();
      const [remove, replace] = [new RecordList(table, PART), new RecordList(table, PART)];
      for (let i = from; i < Math.min(from + PART, ids.length); i += 1) {
        const id = ids[i] ?? 0;
        const target = this.#change(table, id, true);
        if (target === NOTHING) remove.add(id, NOTHING);
        else if (target !== undefined) replace.add(id, target);
        else table.settle(id);
      }
      await this.#send(remove, 'removePacked');
      await this.#send(replace, 'replacePacked');
      await setImmediate();
    }
  }

  async #send(list: RecordList, action: 'replacePacked' | 'removePacked'): Promise<void> {
    if (list.count === 0) return;
    const refused = await this.#kernel.routes[action](list.routes);
    list.wrote((at) => !refused.has(at));
    if (refused.size === 0) return;
    const [err] = refused.values();
    this.#log.warn({ err, action, count: refused.size }, 'kernel refused routes');
  }

  /** Only once both families are complete: until then routes from before may use what we do not know. */
  async #removeGarbage(): Promise<void> {
    const tables = FAMILIES.map((family) => this.#tables[family]);
    if (!tables.every(({ complete }) => complete)) return;
    const used = new Set<number>();
    for (const table of tables) for (const id of table.ids()) used.add(table.actual(id));
    const ids = this.#objects.unused(used);
    for (let at = 0; at < ids.length; at += BATCH) {
      await this.#kernel.nextHopObjects.remove(ids.slice(at, at + BATCH));
    }
    this.#stay = undefined;
    const gone = new Set(ids);
    for (const id of ids) this.#objects.removed(id);
    for (const set of this.#sets.values()) if (gone.has(set.target)) set.isReady = false;
  }
}

function numberOf(target: Route['target']): number {
  if (target.type === 'blackhole') return DISCARD;
  if (target.type !== 'next-hop-object') return FOREIGN;
  return Math.min(target.id, FOREIGN);
}
