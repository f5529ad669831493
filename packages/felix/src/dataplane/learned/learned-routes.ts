import { type Kernel, type KernelError, PROTOCOL, type Route } from '@overland/linux';
import {
  type Family,
  type IpAddress,
  type Prefix,
  type RouteBatch,
  unpackRoutes,
} from '@overland/net';
import type { Clock } from '../clock.ts';
import { RetryQueue } from '../retry-queue.ts';
import type { PathSet } from './next-hop-sets.ts';
import { ALTERED, LearnedRouteTable } from './route-table.ts';

/** Metric of learned routes: Calico's `ipv4NormalRoutePriority`. A static route without metric wins. */
export const LEARNED_METRIC = 1024;

/** Messages per send: with more, a burst of errors overflows the socket's receive buffer. */
const BATCH = 128;

type Work = 'write' | 'remove' | 'forget' | 'nothing';

export interface LearnedRoutesOptions {
  readonly family: Family;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly setAt: (index: number) => PathSet | undefined;
  /** Whether any link of the set's paths is up. */
  readonly isReachable: (set: PathSet) => boolean;
}

/** What one call of {@link LearnedRoutes.step} met; the caller logs and acts. */
export interface StepOutcome {
  readonly changed: number;
  readonly refused: readonly KernelError[];
}

/**
 * Makes the kernel's learned routes of one family agree with what the speaker's batches want. Routes point
 * at next-hop objects; this class never changes those.
 */
export class LearnedRoutes {
  readonly #options: LearnedRoutesOptions;
  readonly #table = new LearnedRouteTable();
  readonly #retries = new RetryQueue<Prefix>();
  /** Destinations that somebody else has a route for, at our metric: theirs is left alone. */
  readonly #foreign = new Set<Prefix>();
  /** Objects of ours that others' routes use. */
  readonly #borrowed = new Set<number>();
  /** Ours by protocol, but at a metric that we do not write. */
  #surplus: Route[] = [];
  #waiters: { readonly until: number; readonly resolve: () => void }[] = [];
  #source: IpAddress | undefined;
  #ended = false;

  constructor(options: LearnedRoutesOptions) {
    this.#options = options;
  }

  /**
   * Takes over a batch.
   *
   * @returns Resolves when each of its routes has been tried once: that is what to acknowledge.
   */
  accept(batch: RouteBatch, setOf: (number: number) => PathSet): Promise<void> {
    for (const { prefix, nextHopSet } of unpackRoutes(batch)) {
      const set = nextHopSet === 0 ? undefined : setOf(nextHopSet);
      const before = this.#options.setAt(this.#table.want(prefix, set?.index ?? 0));
      if (before) before.routes--;
      if (set) set.routes++;
    }
    if (batch.endOfRib) {
      this.#ended = true;
      this.#rescan();
    }
    const until = this.#table.queued;
    return new Promise((resolve) => this.#waiters.push({ until, resolve }));
  }

  /** @returns Whether the preferred source address is another one now: that takes a {@link readBack}. */
  setSource(source: IpAddress | undefined): boolean {
    const changed = this.#source !== source;
    this.#source = source;
    return changed;
  }

  /** Takes over a full listing of the family's routes, ours and others'. */
  readBack(routes: readonly Route[]): void {
    this.#foreign.clear();
    this.#borrowed.clear();
    this.#surplus = [];
    this.#table.beginReadBack();
    for (const route of routes) {
      if (route.protocol !== PROTOCOL.bgp) this.#noteForeign(route);
      else if (route.metric !== LEARNED_METRIC) this.#surplus.push(route);
      else this.#table.found(route.destination, this.#valueOf(route));
    }
    this.#table.endReadBack();
    this.#rescan();
  }

  /**
   * Takes note of a route event. Echoes of our own changes agree with what we know and cost nothing.
   *
   * @returns Whether somebody else changed what is ours, and it will be repaired.
   */
  observe(route: Route, removed: boolean): boolean {
    const { destination, metric, protocol } = route;
    if (protocol !== PROTOCOL.bgp) return this.#observeForeign(route, removed);
    if (metric !== LEARNED_METRIC) {
      if (!removed) this.#surplus.push(route);
      return !removed;
    }
    const slot = this.#table.found(destination, removed ? 0 : this.#valueOf(route));
    if (slot === undefined || this.#workFor(slot) === 'nothing') return false;
    this.#table.touch(slot);
    return true;
  }

  /** Objects were read back: those that are gone took their routes along. */
  objectsRead(exists: (id: number) => boolean): void {
    if (this.#table.dropMissing(exists)) this.#rescan();
  }

  /** The target of some set has changed: looks at every route again. */
  targetsChanged(): void {
    this.#rescan();
  }

  /** Objects that routes in the kernel use, ours or not. */
  usedObjects(): Set<number> {
    const used = new Set(this.#borrowed);
    for (const slot of this.#table.slots()) used.add(this.#table.actual(slot));
    return used;
  }

  /** Whether all stale routes were dealt with: End-of-RIB came. */
  get ended(): boolean {
    return this.#ended;
  }

  get hasWork(): boolean {
    return this.#table.pending > 0 || (this.#ended && this.#surplus.length > 0);
  }

  /** Does one batch of work. */
  async step(): Promise<StepOutcome> {
    const { clock } = this.#options;
    for (const prefix of this.#retries.takeDue(clock.now())) {
      const slot = this.#table.slotOf(prefix);
      if (slot === undefined) this.#retries.forget(prefix);
      else this.#table.touch(slot);
    }
    const slots = this.#table.take(BATCH);
    const writes = slots.filter((slot) => this.#workFor(slot) === 'write');
    const removals = slots.filter((slot) => this.#workFor(slot) === 'remove');
    const refused = [
      ...(await this.#write(writes)),
      ...(await this.#remove(removals)),
      ...(await this.#removeSurplus()),
    ];
    for (const slot of slots) if (this.#workFor(slot) === 'forget') this.#forget(slot);
    this.#settleWaiters();
    return { changed: writes.length + removals.length - refused.length, refused };
  }

  /** When the next route that failed is to be tried again, or `undefined`. */
  nextDueMs(): number | undefined {
    return this.#retries.nextDueMs();
  }

  /** What failed last may work now. */
  hurry(): void {
    this.#retries.hurry();
  }

  get retries(): RetryQueue<Prefix> {
    return this.#retries;
  }

  /** Counts for the operator: walks the table. */
  counts(): LearnedCounts {
    const counts = { wanted: 0, programmed: 0, stale: 0, unreachable: 0, conflicts: 0 };
    for (const slot of this.#table.slots()) {
      const set = this.#options.setAt(this.#table.desired(slot));
      const actual = this.#table.actual(slot);
      if (!set) {
        counts.stale += Number(actual !== 0);
        continue;
      }
      counts.wanted++;
      if (this.#isForeign(slot)) counts.conflicts++;
      else if (!set.target) counts.unreachable++;
      else if (actual === set.target) counts.programmed++;
    }
    return counts;
  }

  #workFor(slot: number): Work {
    const actual = this.#table.actual(slot);
    const set = this.#options.setAt(this.#table.desired(slot));
    if (!set) {
      if (actual === 0) return 'forget';
      return this.#ended || this.#table.isWithdrawn(slot) ? 'remove' : 'nothing';
    }
    if (this.#isForeign(slot)) return 'nothing';
    // The kernel has dropped these routes with their links; if it has not, they lead nowhere.
    if (!set.target) return actual !== 0 && !this.#options.isReachable(set) ? 'remove' : 'nothing';
    return actual === set.target ? 'nothing' : 'write';
  }

  async #write(slots: readonly number[]): Promise<KernelError[]> {
    if (slots.length === 0) return [];
    const targets = slots.map(
      (slot) => this.#options.setAt(this.#table.desired(slot))?.target ?? 0,
    );
    const routes = slots.map((slot, i) => this.#route(slot, targets[i] ?? 0));
    const outcome = await this.#options.kernel.routes.replace(routes);
    return this.#note(slots, outcome, (slot, i) => this.#table.wrote(slot, targets[i] ?? 0));
  }

  async #remove(slots: readonly number[]): Promise<KernelError[]> {
    if (slots.length === 0) return [];
    const routes = slots.map((slot) => this.#route(slot, this.#table.actual(slot)));
    const outcome = await this.#options.kernel.routes.remove(routes);
    return this.#note(slots, outcome, (slot) => this.#table.wrote(slot, 0));
  }

  #note(
    slots: readonly number[],
    outcome: readonly (KernelError | undefined)[],
    succeeded: (slot: number, index: number) => void,
  ): KernelError[] {
    const refused: KernelError[] = [];
    for (const [i, slot] of slots.entries()) {
      const prefix = this.#table.prefixOf(slot);
      const error = outcome[i];
      if (prefix === undefined) continue;
      if (error) {
        refused.push(error);
        this.#retries.failed(prefix, error.code, this.#options.clock.now());
      } else {
        succeeded(slot, i);
        this.#retries.forget(prefix);
      }
    }
    return refused;
  }

  async #removeSurplus(): Promise<KernelError[]> {
    if (!this.#ended || this.#surplus.length === 0) return [];
    const routes = this.#surplus.slice(0, BATCH);
    this.#surplus = this.#surplus.slice(BATCH);
    const outcome = await this.#options.kernel.routes.remove(routes);
    return outcome.filter((error) => error !== undefined);
  }

  #route(slot: number, nextHopObject: number): Route {
    return {
      destination: this.#table.prefixOf(slot) as Prefix,
      metric: LEARNED_METRIC,
      protocol: PROTOCOL.bgp,
      target: { type: 'next-hop-object', id: nextHopObject },
      ...(this.#source === undefined ? {} : { source: this.#source }),
    };
  }

  /** The table's number for a route of ours that the kernel holds. */
  #valueOf({ target, source }: Route): number {
    return target.type === 'next-hop-object' && source === this.#source ? target.id : ALTERED;
  }

  #noteForeign({ destination, metric, target }: Route): void {
    if (metric === LEARNED_METRIC) this.#foreign.add(destination);
    if (target.type === 'next-hop-object') this.#borrowed.add(target.id);
  }

  #observeForeign(route: Route, removed: boolean): boolean {
    if (route.metric !== LEARNED_METRIC && route.target.type !== 'next-hop-object') return false;
    if (removed) this.#foreign.delete(route.destination);
    else this.#noteForeign(route);
    const slot = this.#table.slotOf(route.destination);
    if (slot === undefined || route.metric !== LEARNED_METRIC) return false;
    // `ip route replace` overwrites ours without a word about it.
    if (!removed) this.#table.found(route.destination, 0);
    this.#table.touch(slot);
    return removed;
  }

  #isForeign(slot: number): boolean {
    const prefix = this.#table.prefixOf(slot);
    return prefix !== undefined && this.#foreign.size > 0 && this.#foreign.has(prefix);
  }

  #rescan(): void {
    this.#table.touchWhere((slot) => this.#workFor(slot) !== 'nothing');
  }

  #forget(slot: number): void {
    const prefix = this.#table.prefixOf(slot);
    if (prefix !== undefined) this.#retries.forget(prefix);
    this.#table.release(slot);
  }

  #settleWaiters(): void {
    const isDone = ({ until }: { until: number }): boolean => until <= this.#table.taken;
    for (const waiter of this.#waiters.filter(isDone)) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
  }
}

export interface LearnedCounts {
  readonly wanted: number;
  /** In the kernel as wanted. */
  readonly programmed: number;
  /** From before the start, named by no batch yet. */
  readonly stale: number;
  /** Wanted, but no path of theirs is usable. */
  readonly unreachable: number;
  /** Wanted, but somebody else has a route for the destination at our metric. */
  readonly conflicts: number;
}
