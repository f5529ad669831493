import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { FilterChoice, PacketFilter } from '../calc/filter-choice.ts';
import type { HostLinks } from '../calc/host-links.ts';
import { differenceOf, emptyPolicyState, type PolicyChange } from '../calc/policy-change.ts';
import type { PolicyState } from '../calc/policy-state.ts';
import { type Clock, systemClock } from './clock.ts';
import type { PolicyBackend, PolicyCounts, PolicyFailure } from './policy-backend.ts';
import { RetryQueue } from './retry-queue.ts';

/** The packet filters of a host. */
export interface PacketFilters {
  make(choice: FilterChoice): PolicyBackend;
  /** Filters that hold something of ours. */
  standing(): Promise<PacketFilter[]>;
  /** Takes all that is ours out of a filter. */
  remove(filter: PacketFilter): Promise<void>;
}

export interface PolicySwitchOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Whether what an earlier agent has left may be right: it stays until `choose` says otherwise. */
  readonly isOpen: boolean;
}

interface Chosen {
  readonly choice: FilterChoice;
  readonly backend: PolicyBackend;
}

/**
 * The backend of the packet filter that is chosen. When another one is chosen, it holds all of the policy before the
 * first is emptied: in between, both are asked, and what one of them denies is denied.
 */
export class PolicySwitch implements PolicyBackend {
  readonly #filters: PacketFilters;
  readonly #log: Logger;
  #current: Chosen;
  #next: Chosen | undefined;
  /** Filters that are to be emptied once the current one holds all. */
  readonly #leftovers: Set<PacketFilter>;
  readonly #clock: Clock;
  /** Ends listening to the filter in force. */
  #moved = new AbortController();
  readonly #retries = new RetryQueue<string>();
  #links: HostLinks | undefined;
  /** Whether anything has been said, and whether it was all there is. */
  #hasState = false;
  #synced = false;

  private constructor(
    filters: PacketFilters,
    { log, clock = systemClock }: PolicySwitchOptions,
    first: FilterChoice,
    standing: readonly PacketFilter[],
  ) {
    this.#filters = filters;
    this.#log = log;
    this.#clock = clock;
    this.#current = { choice: first, backend: filters.make(first) };
    this.#leftovers = new Set(standing.filter((filter) => filter !== first.filter));
  }

  /**
   * Begins with the filter that an earlier agent has left, if there is one, so that nothing is closed meanwhile.
   */
  static async start(
    filters: PacketFilters,
    choice: FilterChoice,
    options: PolicySwitchOptions,
  ): Promise<PolicySwitch> {
    const standing = await filters.standing();
    const [found = choice.filter] = standing;
    const filter = standing.includes(choice.filter) ? choice.filter : found;
    const started = new PolicySwitch(filters, options, { ...choice, filter }, standing);
    if (!options.isOpen) started.choose(choice);
    return started;
  }

  get state(): PolicyState {
    return this.#current.backend.state;
  }

  /** From now on policy is to be there. It takes effect with the next reconciliation. */
  choose(choice: FilterChoice): void {
    const { filter, insertMode } = this.#next?.choice ?? this.#current.choice;
    if (filter === choice.filter && insertMode === choice.insertMode) return;
    const { filter: current, insertMode: currentMode } = this.#current.choice;
    if (this.#next) this.#leftovers.add(this.#next.choice.filter);
    this.#next = undefined;
    if (current === choice.filter && currentMode === choice.insertMode) {
      this.#leftovers.delete(current);
      return;
    }
    this.#log.info({ from: current, ...choice }, 'policy moves to another packet filter');
    const backend = this.#filters.make(choice);
    if (this.#links) backend.linksChanged?.(this.#links);
    if (this.#hasState) {
      backend.accept(differenceOf(emptyPolicyState(), this.state, this.#synced));
    }
    this.#next = { choice, backend };
  }

  accept(change: PolicyChange): void {
    this.#hasState = true;
    this.#synced = change.synced;
    this.#current.backend.accept(change);
    this.#next?.backend.accept(change);
  }

  linksChanged(links: HostLinks): void {
    this.#links = links;
    this.#current.backend.linksChanged?.(links);
    this.#next?.backend.linksChanged?.(links);
  }

  doubt(): void {
    this.#current.backend.doubt();
    this.#next?.backend.doubt();
  }

  /** What the filter in force tells. */
  async *foreignChanges(signal: AbortSignal): AsyncGenerator<unknown> {
    while (!signal.aborted) {
      const moved = new AbortController();
      this.#moved = moved;
      const until = AbortSignal.any([signal, moved.signal]);
      const { backend } = this.#current;
      yield* backend.foreignChanges(until);
      // Nobody has ended it: there is nothing to listen to any more.
      if (!until.aborted) return;
    }
  }

  async reconcile(): Promise<boolean> {
    const written = await this.#current.backend.reconcile();
    // What goes wrong here touches nothing of what is in force.
    const moved = await this.#tried('moving to another packet filter', () => this.#move());
    const tidied = await this.#tried('emptying a packet filter', () => this.#tidy());
    return written || moved || tidied;
  }

  isEnforced(interfaceName: string, addresses: readonly IpAddress[]): boolean {
    return this.#current.backend.isEnforced(interfaceName, addresses);
  }

  nextDueMs(): number | undefined {
    const backends = [this.#current.backend, this.#next?.backend, this.#retries];
    const due = backends.flatMap((one) => one?.nextDueMs() ?? []);
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  *failures(): Generator<PolicyFailure> {
    yield* this.#current.backend.failures();
    if (this.#next) yield* this.#next.backend.failures();
    for (const { key, ...failure } of this.#retries.entries()) yield { what: key, ...failure };
  }

  counts(): PolicyCounts {
    return { ...this.#current.backend.counts(), packetFilter: this.#current.choice.filter };
  }

  async #tried(what: string, work: () => Promise<boolean>): Promise<boolean> {
    if (this.#retries.isWaiting(what) && (this.#retries.nextDueMs() ?? 0) > this.#clock.now()) {
      return false;
    }
    try {
      const done = await work();
      this.#retries.forget(what);
      return done;
    } catch (error) {
      this.#log.error({ err: error }, `${what} failed; will retry`);
      const reason = error instanceof Error ? error.message : 'failed';
      this.#retries.failed(what, reason, this.#clock.now());
      return false;
    }
  }

  /** Goes over to the next filter, if it holds all of the policy. */
  async #move(): Promise<boolean> {
    const next = this.#next;
    if (!next || !this.#hasState || !this.#synced) return false;
    const written = await next.backend.reconcile();
    if (!next.backend.failures()[Symbol.iterator]().next().done) return written;
    const { filter } = this.#current.choice;
    this.#current = next;
    this.#next = undefined;
    this.#leftovers.add(filter);
    this.#leftovers.delete(next.choice.filter);
    this.#moved.abort();
    this.#log.info(next.choice, 'policy is in another packet filter now');
    return true;
  }

  async #tidy(): Promise<boolean> {
    if (!this.#hasState || !this.#synced || this.#next) return false;
    let hasRemoved = false;
    for (const filter of [...this.#leftovers]) {
      await this.#filters.remove(filter);
      this.#leftovers.delete(filter);
      this.#log.info({ filter }, 'took our rules out of a packet filter that is not used any more');
      hasRemoved = true;
    }
    return hasRemoved;
  }
}
