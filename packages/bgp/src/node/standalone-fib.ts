import { type Kernel, type NextHopObject, PROTOCOL, type Route } from '@overland/linux';
import {
  type Family,
  type Prefix,
  type RouteBatch,
  unpackRoutes,
  type WeightedNextHop,
} from '@overland/net';
import type { Logger } from 'pino';
import { NextHopTable } from './next-hop-table.ts';

/** Metric of learned routes: FRR's for eBGP. */
const METRIC = 20;
/** Instead of the number of a next-hop object: the kernel drops what has no longer route. */
const DISCARD = 0;
/** The same of a route that is none of those we make. */
const FOREIGN = -1;
/** Messages in one netlink send. */
const BATCH = 128;
const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

interface PathSet {
  readonly family: Family;
  readonly nextHops: readonly WeightedNextHop[];
}

/** What the kernel shall and does have of one family. */
interface Table {
  readonly desired: Map<Prefix, PathSet>;
  /** Number of the next-hop object of each route, or one of the above. */
  readonly actual: Map<Prefix, number>;
  /** The speaker has offered everything: what is not desired is stale. */
  complete: boolean;
}

/**
 * The kernel's routes of a router without agent. Small on purpose: a host has felix. Routes stay when the router
 * stops, and are found again, with their next-hop objects, when it starts.
 */
export class StandaloneFib {
  readonly #kernel: Kernel;
  readonly #log: Logger;
  readonly #isUsable: (device: string) => boolean;
  readonly #sets = new Map<number, PathSet>();
  readonly #tables: Readonly<Record<Family, Table>> = { ipv4: emptyTable(), ipv6: emptyTable() };
  #objects = new NextHopTable([]);
  #work: Promise<void> = Promise.resolve();

  /** @param isUsable Whether a device is up and has carrier: the kernel takes no next hop on another. */
  constructor(kernel: Kernel, isUsable: (device: string) => boolean, log: Logger) {
    this.#kernel = kernel;
    this.#isUsable = isUsable;
    this.#log = log;
  }

  /** Families of which the kernel holds routes of ours, once {@link resync} has read them. */
  get preserved(): readonly Family[] {
    return FAMILIES.filter((family) => this.#tables[family].actual.size > 0);
  }

  /** Takes a batch; resolves when it is in the kernel, or refused, which is logged and mended by {@link resync}. */
  apply(batch: RouteBatch): Promise<void> {
    return this.#inTurn(async () => {
      const { family, nextHopSets } = batch;
      for (const { id, nextHops } of nextHopSets) this.#sets.set(id, { family, nextHops });
      const table = this.#tables[family];
      const changed: Prefix[] = [];
      for (const { prefix, nextHopSet } of unpackRoutes(batch)) {
        const set = this.#sets.get(nextHopSet);
        if (set) table.desired.set(prefix, set);
        else table.desired.delete(prefix);
        changed.push(prefix);
      }
      await this.#write(family, changed, () => true);
      if (!batch.endOfRib) return;
      table.complete = true;
      await this.#write(family, [...table.actual.keys()], () => true);
      await this.#removeGarbage();
    });
  }

  /** Reads the kernel back and writes what differs: at the start, after a link event, and now and then. */
  resync(): Promise<void> {
    return this.#inTurn(async () => {
      this.#objects = new NextHopTable(await this.#kernel.nextHopObjects.list());
      for (const family of FAMILIES) {
        const { actual, desired, complete } = this.#tables[family];
        actual.clear();
        for (const route of await this.#kernel.routes.list(family, PROTOCOL.bgp)) {
          actual.set(route.destination, numberOf(route));
        }
        const prefixes = new Set([...actual.keys(), ...desired.keys()]);
        await this.#write(family, prefixes, (prefix) => complete || desired.has(prefix));
      }
      await this.#removeGarbage();
    });
  }

  /** One piece of work at a time, in the order of the calls. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** @param mayRemove Whether a route without a usable next hop is to go: one from before the start is not, at first. */
  async #write(
    family: Family,
    prefixes: Iterable<Prefix>,
    mayRemove: (prefix: Prefix) => boolean,
  ): Promise<void> {
    const { desired, actual } = this.#tables[family];
    const replace = new Map<Prefix, Route>();
    const remove = new Map<Prefix, Route>();
    const missing: NextHopObject[] = [];
    for (const prefix of prefixes) {
      const target = this.#target(desired.get(prefix), missing);
      if (target !== undefined) {
        if (actual.get(prefix) !== target) replace.set(prefix, routeTo(prefix, target));
      } else if (actual.has(prefix) && mayRemove(prefix)) {
        remove.set(prefix, routeTo(prefix, actual.get(prefix) ?? FOREIGN));
      }
    }
    await this.#writeObjects(missing);
    await this.#each([...remove.values()], 'remove', (route) => actual.delete(route.destination));
    await this.#each([...replace.values()], 'replace', (route) => {
      actual.set(route.destination, numberOf(route));
    });
  }

  /** The object for a set, without next hops whose link is down; `undefined` if none is left. An empty set is to be dropped. */
  #target(set: PathSet | undefined, missing: NextHopObject[]): number | undefined {
    const usable = set?.nextHops.filter(({ device }) => this.#isUsable(device)) ?? [];
    if (set?.nextHops.length === 0) return DISCARD;
    if (!set || usable.length === 0) return undefined;
    const found = this.#objects.objectFor(set.family, usable);
    missing.push(...found.missing);
    return found.id;
  }

  async #writeObjects(objects: readonly NextHopObject[]): Promise<void> {
    for (let at = 0; at < objects.length; at += BATCH) {
      const batch = objects.slice(at, at + BATCH);
      const outcome = await this.#kernel.nextHopObjects.replace(batch);
      const refused = batch.filter((_, i) => outcome[i] !== undefined);
      if (refused.length === 0) continue;
      this.#objects.forget(refused.map(({ id }) => id));
      const err = outcome.find((error) => error !== undefined);
      this.#log.warn({ err, count: refused.length }, 'kernel refused next-hop objects');
    }
  }

  async #each(
    routes: readonly Route[],
    action: 'replace' | 'remove',
    succeeded: (route: Route) => void,
  ): Promise<void> {
    for (let at = 0; at < routes.length; at += BATCH) {
      const batch = routes.slice(at, at + BATCH);
      const outcome = await this.#kernel.routes[action](batch);
      for (const [i, route] of batch.entries()) if (!outcome[i]) succeeded(route);
      const errors = outcome.filter((error) => error !== undefined);
      if (errors.length === 0) continue;
      this.#log.warn({ err: errors[0], action, count: errors.length }, 'kernel refused routes');
    }
  }

  /** Only once both families are complete: until then routes from before may use what we do not know. */
  async #removeGarbage(): Promise<void> {
    if (!FAMILIES.every((family) => this.#tables[family].complete)) return;
    const used = new Set(FAMILIES.flatMap((family) => [...this.#tables[family].actual.values()]));
    const ids = this.#objects.unused(used);
    for (let at = 0; at < ids.length; at += BATCH) {
      await this.#kernel.nextHopObjects.remove(ids.slice(at, at + BATCH));
    }
    this.#objects.forget(ids);
  }
}

function emptyTable(): Table {
  return { desired: new Map(), actual: new Map(), complete: false };
}

function numberOf({ target }: Route): number {
  if (target.type === 'blackhole') return DISCARD;
  return target.type === 'next-hop-object' ? target.id : FOREIGN;
}

function routeTo(destination: Prefix, id: number): Route {
  const target =
    id === DISCARD
      ? ({ type: 'blackhole' } as const)
      : ({ type: 'next-hop-object', id: Math.max(id, 0) } as const);
  return { destination, metric: METRIC, protocol: PROTOCOL.bgp, target };
}
