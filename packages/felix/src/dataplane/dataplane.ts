import { once } from 'node:events';
import { type Kernel, KernelError, type KernelEvent, type Nftables } from '@overland/linux';
import { type Family, type IpAddress, type RouteBatch, WORKLOAD_LINK } from '@overland/net';
import type { Logger } from 'pino';
import type { LocalState } from '../calc/local-state.ts';
import { type Clock, systemClock } from './clock.ts';
import { LearnedReconciler } from './learned/learned-reconciler.ts';
import type { LearnedCounts } from './learned/learned-routes.ts';
import { type InterfaceStatus, LinkTable } from './link-table.ts';
import { type LocalCounts, LocalReconciler } from './local-reconciler.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const MAX_FAILURES_SHOWN = 20;
const RETRY_MS = 1000;

type LinkEvent = Extract<KernelEvent, { type: 'link' | 'link-removed' | 'address' }>;

export interface DataplaneOptions {
  readonly kernel: Kernel;
  /** Absent on a host without workloads, such as a router: none would come up. */
  readonly nftables?: Nftables;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Between full read-backs of routes and next hops, which catch what no event told. Default 90 s. */
  readonly readBackMs?: number;
  /** Between looks at the packet filter, whose changes send no event. Default 10 s. */
  readonly filterCheckMs?: number;
}

/** The only writer of this host's routes, next-hop objects and workload interfaces. */
export interface Dataplane extends AsyncDisposable {
  /** Replaces what the host's own workloads and blocks need. Nothing is written before the first call. */
  setLocalState(state: LocalState): void;
  /**
   * Programs learned routes.
   *
   * @returns The batch's sequence, once each of its routes has been tried: acknowledge it then.
   */
  applyRoutes(batch: RouteBatch): Promise<number>;
  /**
   * Resolves when the interface is up, the packet filter lets it through, and its routes to these addresses are in
   * the kernel.
   *
   * @throws The signal's reason, if it aborts before.
   */
  endpointReady(
    interfaceName: string,
    addresses: readonly IpAddress[],
    signal: AbortSignal,
  ): Promise<void>;
  /** Calls back with all interfaces but those of workloads: now, if they are known, and after every change. */
  onInterfaces(listener: (interfaces: readonly InterfaceStatus[]) => void): void;
  status(): DataplaneStatus;
  /** Rejects if the dataplane cannot go on; resolves after disposal. */
  readonly finished: Promise<void>;
  /** Stops. What is in the kernel stays there: forwarding does not depend on us. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DataplaneStatus {
  readonly local: LocalCounts;
  readonly learned: Readonly<Record<Family, LearnedCounts>>;
  readonly nextHopObjects: number;
  readonly failures: readonly {
    readonly what: string;
    readonly attempts: number;
    readonly reason: string;
  }[];
  readonly failureCount: number;
  /** Changes of ours that somebody else undid and we repaired. */
  readonly repairs: number;
  /** Milliseconds since the last full read-back; `undefined` before the first. */
  readonly readBackAgeMs: number | undefined;
}

/** Starts reconciling the kernel with what the returned handle is told. */
export function createDataplane(options: DataplaneOptions): Dataplane {
  return new ReconcilingDataplane(options);
}

class ReconcilingDataplane implements Dataplane {
  readonly #options: Required<Omit<DataplaneOptions, 'nftables'>>;
  readonly #links = new LinkTable();
  readonly #local: LocalReconciler;
  readonly #learned: LearnedReconciler;
  readonly #stop = new AbortController();
  readonly #listeners: ((interfaces: readonly InterfaceStatus[]) => void)[] = [];
  readonly #waiters = new Set<() => void>();
  readonly finished: Promise<void>;
  #interfaces: { readonly text: string; readonly list: readonly InterfaceStatus[] } | undefined;
  #wake = Promise.withResolvers<void>();
  #hasState = false;
  #linksInDoubt = true;
  #readingLinks = false;
  #routesInDoubt = true;
  /** Route events that came during a full listing: they may be newer than it. */
  #deferred: Extract<KernelEvent, { type: 'route' }>[] | undefined;
  #readBackAtMs: number | undefined;
  #filterCheckedAtMs: number;
  #repairs = 0;

  constructor(options: DataplaneOptions) {
    this.#options = { clock: systemClock, readBackMs: 90_000, filterCheckMs: 10_000, ...options };
    const { kernel, clock, log } = this.#options;
    const links = this.#links;
    this.#local = new LocalReconciler({ ...options, clock, links });
    this.#learned = new LearnedReconciler({
      kernel,
      clock,
      log,
      isUsable: (device) => links.isUsable(device),
      doubt: (reason) => this.#doubt(reason),
    });
    this.#filterCheckedAtMs = clock.now();
    this.finished = this.#run();
    // Whoever awaits `finished` learns of it; nobody having to must not end the process.
    this.finished.catch(() => undefined);
  }

  setLocalState(state: LocalState): void {
    this.#local.setState(state);
    this.#hasState = true;
    this.#updateSources();
    this.#poke();
  }

  async applyRoutes(batch: RouteBatch): Promise<number> {
    const tried = this.#learned.accept(batch);
    this.#poke();
    await tried;
    return batch.sequence;
  }

  endpointReady(
    interfaceName: string,
    addresses: readonly IpAddress[],
    signal: AbortSignal,
  ): Promise<void> {
    const isReady = (): boolean => this.#local.isReady(interfaceName, addresses);
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const check = (): void => {
        if (!isReady()) return;
        this.#waiters.delete(check);
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiters.delete(check);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiters.add(check);
      check();
    });
  }

  onInterfaces(listener: (interfaces: readonly InterfaceStatus[]) => void): void {
    this.#listeners.push(listener);
    if (this.#interfaces) listener(this.#interfaces.list);
  }

  status(): DataplaneStatus {
    const failures = [...this.#local.failures(), ...this.#learned.failures()];
    const readBackAtMs = this.#readBackAtMs;
    return {
      local: this.#local.counts(),
      learned: { ipv4: this.#learned.counts('ipv4'), ipv6: this.#learned.counts('ipv6') },
      nextHopObjects: this.#learned.objectCount,
      failures: failures.slice(0, MAX_FAILURES_SHOWN),
      failureCount: failures.length,
      repairs: this.#repairs,
      readBackAgeMs:
        readBackAtMs === undefined ? undefined : this.#options.clock.now() - readBackAtMs,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#poke();
    await this.finished.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    // Before the first listing, so that nothing falls between.
    const events = this.#options.kernel.monitor.events(signal);
    try {
      await Promise.all([this.#watch(events), this.#reconcileUntilStopped()]);
    } finally {
      this.#stop.abort();
      this.#poke();
    }
  }

  async #watch(events: AsyncIterable<KernelEvent>): Promise<void> {
    for await (const event of events) this.#handle(event);
  }

  #handle(event: KernelEvent): void {
    switch (event.type) {
      case 'route':
        if (this.#deferred) this.#deferred.push(event);
        else this.#handleRoute(event);
        break;
      case 'link':
      case 'link-removed':
      case 'address':
        this.#handleLink(event);
        break;
      case 'next-hop-object':
        this.#learned.doubtObjects();
        this.#poke();
        break;
      case 'overrun':
        this.#linksInDoubt = true;
        this.#doubt('events were lost');
        break;
      case 'neighbour':
    }
  }

  #handleRoute(event: Extract<KernelEvent, { type: 'route' }>): void {
    if (!this.#hasState) return;
    const { family, route, removed } = event;
    const isLocal = this.#local.observe(event);
    const isLearned = this.#learned.observeRoute(family, route, removed);
    if (!isLocal && !isLearned) return;
    this.#repairs++;
    this.#poke();
  }

  #handleLink(event: LinkEvent): void {
    if (this.#readingLinks) this.#linksInDoubt = true;
    if (this.#linksInDoubt) return;
    const changed = this.#links.observe(event);
    const affected = this.#local.observe(event);
    if (!changed && !affected) return;
    if (!deviceOf(event).startsWith(WORKLOAD_LINK.namePrefix)) {
      this.#announceInterfaces();
      this.#learned.linksChanged();
      this.#updateSources();
    }
    this.#poke();
  }

  #updateSources(): void {
    for (const family of FAMILIES) {
      if (this.#learned.setSource(family, this.#local.source(family))) {
        this.#doubt('preferred source address changed');
      }
    }
  }

  #announceInterfaces(): void {
    const list = this.#links.status(WORKLOAD_LINK.namePrefix);
    const text = JSON.stringify(list);
    if (text === this.#interfaces?.text) return;
    this.#interfaces = { text, list };
    for (const listener of this.#listeners) listener(list);
  }

  #doubt(reason: string): void {
    if (!this.#routesInDoubt) this.#options.log.info({ reason }, 'will read back all routes');
    this.#routesInDoubt = true;
    this.#poke();
  }

  #poke(): void {
    this.#wake.resolve();
  }

  async #reconcileUntilStopped(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      this.#wake = Promise.withResolvers();
      const hasMore = await this.#tryStep();
      for (const check of this.#waiters) check();
      if (hasMore) await clock.yield();
      else await this.#sleep();
    }
    log.debug('dataplane stopped; kernel state stays');
  }

  async #tryStep(): Promise<boolean> {
    try {
      return await this.#step();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      const { clock, log } = this.#options;
      log.error({ err: error }, 'kernel could not be read; will retry');
      this.#linksInDoubt = true;
      this.#routesInDoubt = true;
      const woken = Promise.withResolvers<void>();
      const cancel = clock.schedule(RETRY_MS, () => woken.resolve());
      await Promise.race([woken.promise, once(this.#stop.signal, 'abort')]);
      cancel();
      return true;
    }
  }

  /** What matters most first; everything else waits one batch of routes at most. */
  async #step(): Promise<boolean> {
    const { clock, readBackMs, filterCheckMs } = this.#options;
    const now = clock.now();
    if (this.#linksInDoubt) await this.#readLinks();
    if (this.#hasState && (this.#routesInDoubt || now >= (this.#readBackAtMs ?? 0) + readBackMs)) {
      await this.#readBack();
    }
    if (now >= this.#filterCheckedAtMs + filterCheckMs) {
      this.#filterCheckedAtMs = now;
      this.#local.doubtFilter();
    }
    const local = await this.#local.step();
    const learned = this.#hasState && (await this.#learned.step());
    const isInDoubt = this.#linksInDoubt || (this.#hasState && this.#routesInDoubt);
    return local || learned || isInDoubt;
  }

  async #readLinks(): Promise<void> {
    this.#linksInDoubt = false;
    this.#readingLinks = true;
    await this.#links.readBack(this.#options.kernel);
    this.#readingLinks = false;
    this.#announceInterfaces();
    this.#learned.linksChanged();
    this.#updateSources();
  }

  async #readBack(): Promise<void> {
    const { kernel, clock } = this.#options;
    this.#routesInDoubt = false;
    this.#deferred = [];
    const [ipv4, ipv6] = [await kernel.routes.list('ipv4'), await kernel.routes.list('ipv6')];
    this.#local.readBack([...ipv4, ...ipv6]);
    this.#learned.readBack('ipv4', ipv4);
    this.#learned.readBack('ipv6', ipv6);
    const deferred = this.#deferred;
    this.#deferred = undefined;
    this.#readBackAtMs = clock.now();
    for (const event of deferred) this.#handleRoute(event);
  }

  async #sleep(): Promise<void> {
    const { clock, readBackMs, filterCheckMs } = this.#options;
    const due = [
      this.#local.nextDueMs(),
      this.#hasState ? this.#learned.nextDueMs() : undefined,
      this.#readBackAtMs === undefined ? undefined : this.#readBackAtMs + readBackMs,
      this.#filterCheckedAtMs + filterCheckMs,
    ].filter((time) => time !== undefined);
    const delayMs = Math.max(0, Math.min(...due) - clock.now());
    const cancel = clock.schedule(delayMs, () => this.#poke());
    await this.#wake.promise;
    cancel();
  }
}

function deviceOf(event: LinkEvent): string {
  if (event.type === 'address') return event.device;
  return event.type === 'link' ? event.link.name : event.name;
}
