import {
  type BatchOutcome,
  type Kernel,
  type NextHopObject,
  PROTOCOL,
  type Route,
} from '@overland/linux';
import type { Family, IpAddress, RouteBatch } from '@overland/net';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { Grace } from './grace.ts';
import { type LearnedCounts, LearnedRoutes } from './learned-routes.ts';
import { NextHopObjectTable } from './next-hop-objects.ts';
import { NextHopSets, type PathSet } from './next-hop-sets.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const BATCH = 128;

export interface LearnedReconcilerOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the device is up and has carrier. */
  readonly isUsable: (device: string) => boolean;
  /** Between the last use of a next-hop object and its removal. */
  readonly objectGraceMs: number;
  /** Something that is in doubt needs a full read-back of routes. */
  readonly doubt: (reason: string) => void;
}

/** Next-hop objects and learned routes of both families: objects before the routes that use them. */
export class LearnedReconciler {
  readonly #options: LearnedReconcilerOptions;
  readonly #sets = new NextHopSets();
  readonly #objects: NextHopObjectTable;
  readonly #routes: Readonly<Record<Family, LearnedRoutes>>;
  #objectsInDoubt = true;
  #objectsWanted = false;
  #hasGarbage = true;
  readonly #grace: Grace;
  #turn: Family = 'ipv4';

  constructor(options: LearnedReconcilerOptions) {
    this.#options = options;
    this.#grace = new Grace(options.objectGraceMs);
    this.#objects = new NextHopObjectTable(this.#sets, options.isUsable);
    const routesOf = (family: Family): LearnedRoutes =>
      new LearnedRoutes({
        family,
        kernel: options.kernel,
        clock: options.clock,
        setAt: (index) => this.#sets.at(index),
      });
    this.#routes = { ipv4: routesOf('ipv4'), ipv6: routesOf('ipv6') };
  }

  /** Takes over a batch; resolves when each of its routes has been tried once. */
  accept(batch: RouteBatch): Promise<void> {
    for (const set of batch.nextHopSets) this.#sets.define(batch.family, set);
    this.#objectsWanted = true;
    this.#hasGarbage = true;
    return this.#routes[batch.family].accept(batch, (number) => this.#setOf(number));
  }

  #setOf(number: number): PathSet {
    const set = this.#sets.byNumber(number);
    if (!set) throw new RangeError(`a batch names next-hop set ${number} before defining it`);
    return set;
  }

  /** @returns Whether the preferred source address is another one now: that takes a {@link readBack}. */
  setSource(family: Family, source: IpAddress | undefined): boolean {
    return this.#routes[family].setSource(source);
  }

  /** Takes over a full listing of one family's routes. The objects are read again as well. */
  readBack(family: Family, routes: readonly Route[]): void {
    this.#routes[family].readBack(routes);
    this.#objectsInDoubt = true;
    this.#hasGarbage = true;
  }

  /** Takes note of a route event. @returns Whether work came of it. */
  observeRoute(family: Family, route: Route, removed: boolean): boolean {
    return this.#routes[family].observe(route, removed);
  }

  /** Somebody changed a next-hop object, or a link did: they are read again. */
  doubtObjects(): void {
    this.#objectsInDoubt = true;
  }

  /** A link or an address changed: what failed may work now, and objects may be gone. */
  linksChanged(): void {
    this.#objectsInDoubt = true;
    this.#objects.failures.hurry();
    for (const family of FAMILIES) this.#routes[family].hurry();
  }

  /** Does one batch of work. @returns Whether there may be more. */
  async step(): Promise<boolean> {
    if (this.#objects.failures.takeDue(this.#options.clock.now()).length > 0) {
      this.#objectsWanted = true;
    }
    if (this.#objectsInDoubt) await this.#readObjects();
    if (this.#objectsWanted) await this.#writeObjects();
    // A batch came meanwhile: routes must not be looked at before their sets.
    if (this.#objectsWanted || this.#objectsInDoubt) return true;
    const routes = this.#nextRoutes();
    if (routes) {
      await this.#stepRoutes(routes);
      return true;
    }
    if (this.#hasGarbage || this.#isDue(this.#grace.nextDueMs())) await this.#removeGarbage();
    return false;
  }

  /** When something that failed is to be tried again, or `undefined`. */
  nextDueMs(): number | undefined {
    const due = [
      this.#objects.failures.nextDueMs(),
      this.#grace.nextDueMs(),
      ...FAMILIES.map((family) => this.#routes[family].nextDueMs()),
    ].filter((time) => time !== undefined);
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  counts(family: Family): LearnedCounts {
    return this.#routes[family].counts();
  }

  /** Next-hop objects of ours in the kernel. */
  get objectCount(): number {
    return this.#objects.size;
  }

  /** What fails now: `route 10.65.0.0/26`, `next hop …`. */
  *failures(): Generator<{
    readonly what: string;
    readonly attempts: number;
    readonly reason: string;
  }> {
    for (const { key, ...failure } of this.#objects.failures.entries()) {
      yield { what: `next hop ${key}`, ...failure };
    }
    for (const family of FAMILIES) {
      for (const { key, ...failure } of this.#routes[family].retries.entries()) {
        yield { what: `route ${key}`, ...failure };
      }
    }
  }

  /** A family with work; they take turns. */
  #nextRoutes(): LearnedRoutes | undefined {
    this.#turn = this.#turn === 'ipv4' ? 'ipv6' : 'ipv4';
    const [first, second] =
      this.#turn === 'ipv4'
        ? [this.#routes.ipv4, this.#routes.ipv6]
        : [this.#routes.ipv6, this.#routes.ipv4];
    return [first, second].find((routes) => routes.hasWork || this.#isDue(routes.nextDueMs()));
  }

  async #readObjects(): Promise<void> {
    this.#objectsInDoubt = false;
    const objects = await this.#options.kernel.nextHopObjects.list();
    this.#objects.readBack(objects);
    // First: traffic waits for it. Routes, of which there are many, are looked at afterwards.
    await this.#writeObjects();
    // As it was before: what is there again has lost its routes all the same.
    const present = new Set(
      objects.flatMap(({ id, protocol }) => (protocol === PROTOCOL.bgp ? [id] : [])),
    );
    for (const family of FAMILIES) this.#routes[family].objectsRead(present);
  }

  async #writeObjects(): Promise<void> {
    this.#objectsWanted = false;
    await this.#replaceObjects(this.#objects.missingPaths());
    await this.#replaceObjects(this.#objects.missingGroups());
    let changed = false;
    for (const set of this.#sets.wanted()) {
      const target = this.#objects.target(set);
      // Routes of a set that is new wait in the queue anyway.
      changed ||= set.target !== target && !set.isNew;
      set.isNew = false;
      set.target = target;
    }
    if (changed) for (const family of FAMILIES) this.#routes[family].targetsChanged();
  }

  async #replaceObjects(objects: readonly NextHopObject[]): Promise<void> {
    for (let at = 0; at < objects.length; at += BATCH) {
      const batch = objects.slice(at, at + BATCH);
      this.#noteObjects(batch, await this.#options.kernel.nextHopObjects.replace(batch));
    }
  }

  #noteObjects(batch: readonly NextHopObject[], outcome: BatchOutcome): void {
    const { clock, log } = this.#options;
    for (const [i, object] of batch.entries()) {
      const error = outcome[i];
      if (!error) {
        this.#objects.wrote(object);
        continue;
      }
      this.#objects.refused(object, error.code, clock.now());
      // ENETDOWN: the link has just gone, and its event is still to come.
      if (error.code === 'ENETDOWN') log.debug({ object }, 'link of a next-hop object is down');
      else {
        log.warn({ err: error, object }, 'kernel refused a next-hop object; will retry');
      }
    }
  }

  async #stepRoutes(routes: LearnedRoutes): Promise<void> {
    const { refused } = await routes.step();
    const [first] = refused;
    if (!first) return;
    this.#options.log.warn(
      { err: first, count: refused.length },
      'kernel refused learned routes; will retry',
    );
    // EINVAL: most likely the object went with a link whose event is still to come.
    this.#objectsInDoubt = true;
    if (refused.some(({ code }) => code === 'ENOBUFS')) this.#options.doubt('ENOBUFS');
  }

  async #removeGarbage(): Promise<void> {
    const { kernel, clock } = this.#options;
    this.#hasGarbage = false;
    const used = FAMILIES.map((family) => this.#routes[family].usedObjects());
    const ended = FAMILIES.every((family) => this.#routes[family].ended);
    const unneeded = this.#objects.garbage(new Set(used.flatMap((set) => [...set])), !ended);
    const ids = this.#grace.expired(unneeded, clock.now());
    for (let at = 0; at < ids.length; at += BATCH) {
      const batch = ids.slice(at, at + BATCH);
      const outcome = await kernel.nextHopObjects.remove(batch);
      for (const [i, id] of batch.entries()) {
        this.#grace.forget(id);
        if (!outcome[i]) this.#objects.removed(id);
      }
    }
  }

  #isDue(dueMs: number | undefined): boolean {
    return dueMs !== undefined && dueMs <= this.#options.clock.now();
  }
}
