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
import { DISCARD, type PathSet } from './next-hop-sets.ts';
import { isLearned, LEARNED_METRIC, OtherRoutes } from './other-routes.ts';
import { ALTERED, LearnedRouteTable } from './route-table.ts';

/** Messages per send: with more, a burst of errors overflows the socket's receive buffer. */
const BATCH = 128;

type Work = 'write' | 'remove' | 'forget' | 'nothing';

export interface LearnedRoutesOptions {
  readonly family: Family;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly setAt: (index: number) => PathSet | undefined;
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
  readonly #others = new OtherRoutes();
  #waiters: { readonly until: number; readonly resolve: () => void }[] = [];
  /** Slots of the queue that were tried, of all that ever were in it. */
  #tried = 0;
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
    if (until <= this.#tried) return Promise.resolve();
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
    this.#others.clear();
    this.#table.beginReadBack();
    for (const route of routes) {
      if (isLearned(route)) this.#table.found(route.destination, this.#valueOf(route));
      else this.#others.add(route);
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
    if (!isLearned(route)) return this.#observeOther(route, removed);
    const slot = this.#table.found(route.destination, removed ? 0 : this.#valueOf(route));
    if (slot === undefined || this.#workFor(slot) === 'nothing') return false;
    this.#table.touch(slot);
    return true;
  }

  /** Objects were read back: those that are gone took their routes along. */
  objectsRead(present: ReadonlySet<number>): void {
    if (this.#table.dropMissing(present)) this.#rescan();
  }

  /** The target of some set has changed: looks at every route again. */
  targetsChanged(): void {
    this.#rescan();
  }

  /** Objects that routes in the kernel use, ours or not. */
  usedObjects(): Set<number> {
    const used = new Set(this.#others.borrowed);
    for (const slot of this.#table.slots()) used.add(this.#table.actual(slot));
    return used;
  }

  /** Whether all stale routes were dealt with: End-of-RIB came. */
  get ended(): boolean {
    return this.#ended;
  }

  get hasWork(): boolean {
    return this.#table.pending > 0 || (this.#ended && this.#others.hasSurplus);
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
    for (const slot of slots) this.#settle(slot);
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
      if (this.#isOccupied(slot)) counts.conflicts++;
      else if (set.target === 'unreachable') counts.unreachable++;
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
    if (this.#isOccupied(slot)) return 'nothing';
    if (set.target === 'pending') return 'nothing';
    // Usually the kernel has dropped the route with its links.
    if (set.target === 'unreachable') return actual === 0 ? 'nothing' : 'remove';
    return actual === set.target ? 'nothing' : 'write';
  }

  async #write(slots: readonly number[]): Promise<KernelError[]> {
    if (slots.length === 0) return [];
    const targets = slots.map((slot) => {
      const target = this.#options.setAt(this.#table.desired(slot))?.target;
      return typeof target === 'number' ? target : 0;
    });
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
    if (!this.#ended || !this.#others.hasSurplus) return [];
    const outcome = await this.#options.kernel.routes.remove(this.#others.takeSurplus(BATCH));
    return outcome.filter((error) => error !== undefined);
  }

  /** @param target A next-hop object, or {@link DISCARD}. */
  #route(slot: number, target: number): Route {
    return {
      destination: this.#table.prefixOf(slot) as Prefix,
      metric: LEARNED_METRIC,
      protocol: PROTOCOL.bgp,
      ...(target === DISCARD
        ? { target: { type: 'blackhole' } }
        : {
            target: { type: 'next-hop-object', id: target },
            ...(this.#source === undefined ? {} : { source: this.#source }),
          }),
    };
  }

  /** The table's number for a route of ours that the kernel holds. */
  #valueOf({ target, source }: Route): number {
    if (target.type === 'blackhole') return DISCARD;
    return target.type === 'next-hop-object' && source === this.#source ? target.id : ALTERED;
  }

  #observeOther(route: Route, removed: boolean): boolean {
    if (removed) this.#others.remove(route);
    else this.#others.add(route);
    if (route.protocol === PROTOCOL.bgp) return !removed;
    const slot = this.#table.slotOf(route.destination);
    if (slot === undefined || route.metric !== LEARNED_METRIC) return false;
    // `ip route replace` overwrites ours without a word about it.
    if (!removed) this.#table.found(route.destination, 0);
    this.#table.touch(slot);
    return removed;
  }

  #isOccupied(slot: number): boolean {
    const prefix = this.#table.prefixOf(slot);
    return prefix !== undefined && this.#others.isOccupied(prefix);
  }

  #rescan(): void {
    this.#table.touchWhere((slot) => this.#workFor(slot) !== 'nothing');
  }

  /** After a slot was looked at: gives it back, and forgets a failure that nothing is to be done about. */
  #settle(slot: number): void {
    const work = this.#workFor(slot);
    const prefix = this.#table.prefixOf(slot);
    if (prefix !== undefined && (work === 'forget' || work === 'nothing')) {
      this.#retries.forget(prefix);
    }
    if (work === 'forget') this.#table.release(slot);
  }

  #settleWaiters(): void {
    this.#tried = this.#table.taken;
    const isDone = ({ until }: { until: number }): boolean => until <= this.#tried;
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
