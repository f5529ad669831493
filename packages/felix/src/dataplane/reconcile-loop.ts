import { type Kernel, KernelError, type KernelEvent } from '@overland/linux';
import { type Family, isWorkloadLink, type RouteBatch } from '@overland/net';
import type { Logger } from 'pino';
import type { LocalState } from '../calc/local-state.ts';
import type { PolicyChange } from '../calc/policy-change.ts';
import type { Clock } from './clock.ts';
import { LearnedReconciler } from './learned/learned-reconciler.ts';
import { LinkTable } from './link-table.ts';
import { LocalReconciler } from './local-reconciler.ts';
import type { PolicyBackend } from './policy-backend.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
/** After the kernel could not even be read. */
const RETRY_MS = 1000;

type LinkEvent = Extract<KernelEvent, { type: 'link' | 'link-removed' | 'address' }>;
type NeighbourEvent = Extract<KernelEvent, { type: 'neighbour' }>;
type RouteEvent = Extract<KernelEvent, { type: 'route' }>;

export interface ReconcileLoopOptions {
  readonly kernel: Kernel;
  readonly policy?: PolicyBackend | undefined;
  readonly log: Logger;
  readonly clock: Clock;
  readonly readBackMs: number;
  readonly objectGraceMs: number;
  /** Links, addresses or dead neighbours changed: called before anything is written, because the speaker waits for it. */
  readonly onLinks: (links: LinkTable) => void;
  /** Something was written, or found to be as it should. */
  readonly onStep: () => void;
}

/**
 * The one loop that writes: takes events in, then does the most urgent work, then looks again. Learned routes
 * come last and in batches, so that a container or a link never waits for more than one of them.
 */
export class ReconcileLoop {
  readonly #options: ReconcileLoopOptions;
  readonly #links = new LinkTable();
  readonly local: LocalReconciler;
  readonly learned: LearnedReconciler;
  #wake = Promise.withResolvers<void>();
  #hasState = false;
  #linksInDoubt = true;
  #isReadingLinks = false;
  #routesInDoubt = true;
  /** Route events that came during a full listing: they may be newer than it. */
  #deferred: RouteEvent[] | undefined;
  #readBackAtMs: number | undefined;
  #repairs = 0;

  constructor(options: ReconcileLoopOptions) {
    const { kernel, clock, log, objectGraceMs } = options;
    const links = this.#links;
    this.#options = options;
    this.local = new LocalReconciler({ ...options, links });
    this.learned = new LearnedReconciler({
      kernel,
      clock,
      log,
      objectGraceMs,
      isUsable: (device) => links.isUsable(device),
      doubt: (reason) => this.#doubtRoutes(reason),
    });
  }

  /** Changes of ours that somebody else undid. */
  get repairs(): number {
    return this.#repairs;
  }

  /** When routes were last read back in full. */
  get readBackAtMs(): number | undefined {
    return this.#readBackAtMs;
  }

  setLocalState(state: LocalState): void {
    this.local.setState(state);
    this.#hasState = true;
    this.#updateSources();
    this.#poke();
  }

  changePolicy(change: PolicyChange): void {
    this.local.changePolicy(change);
    this.#poke();
  }

  reconcilePolicy(): void {
    this.local.policyChanged();
    this.#poke();
  }

  /** Resolves when each route of the batch has been tried once. */
  accept(batch: RouteBatch): Promise<void> {
    const tried = this.learned.accept(batch);
    this.#poke();
    return tried;
  }

  /** Runs until `signal` aborts. @throws What cannot be mended by trying again. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const stopped = AbortSignal.any([signal, stop.signal]);
    stopped.addEventListener('abort', () => this.#poke(), { once: true });
    // Before the first listing, so that nothing falls between.
    const events = this.#options.kernel.monitor.events(stopped);
    try {
      await Promise.all([
        this.#watch(events),
        this.#watchFilter(stopped),
        this.#reconcile(stopped),
      ]);
    } finally {
      stop.abort();
    }
  }

  async #watch(events: AsyncIterable<KernelEvent>): Promise<void> {
    for await (const event of events) this.#handle(event);
  }

  async #watchFilter(stopped: AbortSignal): Promise<void> {
    for await (const _ of this.#options.policy?.foreignChanges(stopped) ?? []) {
      this.local.doubtFilter();
      this.#poke();
    }
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
        this.learned.doubtObjects();
        this.#poke();
        break;
      case 'overrun':
        this.#linksInDoubt = true;
        this.#doubtRoutes('events were lost');
        break;
      case 'traffic-control':
        if (this.local.observe(event)) this.#poke();
        break;
      case 'neighbour':
        this.#handleNeighbour(event);
    }
  }

  #handleRoute(event: RouteEvent): void {
    if (!this.#hasState) return;
    const isLocal = this.local.observe(event);
    const isLearned = this.learned.observeRoute(event.family, event.route, event.removed);
    if (!isLocal && !isLearned) return;
    this.#repairs++;
    this.#poke();
  }

  #handleLink(event: LinkEvent): void {
    if (this.#isReadingLinks) this.#linksInDoubt = true;
    if (this.#linksInDoubt) return;
    const changed = this.#links.observe(event);
    const affected = this.local.observe(event);
    if (!changed && !affected) return;
    if (!isWorkloadLink(deviceOf(event))) this.#linksChanged();
    this.#poke();
  }

  #handleNeighbour(event: NeighbourEvent): void {
    if (this.#isReadingLinks) this.#linksInDoubt = true;
    if (this.#linksInDoubt || !this.#links.observe(event)) return;
    const { device } = event.neighbour;
    if (!isWorkloadLink(device)) this.#options.onLinks(this.#links);
  }

  #linksChanged(): void {
    const links = this.#links.status();
    this.#options.policy?.linksChanged?.(
      new Map(links.map(({ name, addresses }) => [name, addresses.map(({ address }) => address)])),
    );
    this.local.policyChanged();
    this.#options.onLinks(this.#links);
    this.learned.linksChanged();
    this.#updateSources();
  }

  #updateSources(): void {
    for (const family of FAMILIES) {
      if (this.learned.setSource(family, this.local.source(family))) {
        this.#doubtRoutes('preferred source address changed');
      }
    }
  }

  #doubtRoutes(reason: string): void {
    if (!this.#routesInDoubt) this.#options.log.info({ reason }, 'will read back all routes');
    this.#routesInDoubt = true;
    this.#poke();
  }

  #poke(): void {
    this.#wake.resolve();
  }

  async #reconcile(stopped: AbortSignal): Promise<void> {
    const { clock, log, onStep } = this.#options;
    while (!stopped.aborted) {
      this.#wake = Promise.withResolvers();
      const next = await this.#tryStep();
      onStep();
      if (next === 'more') await clock.yield();
      else await this.#sleep(next === 'failed' ? RETRY_MS : this.#idleMs());
    }
    log.debug('dataplane stopped; kernel state stays');
  }

  async #tryStep(): Promise<'more' | 'idle' | 'failed'> {
    try {
      return (await this.#step()) ? 'more' : 'idle';
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#options.log.error({ err: error }, 'kernel could not be read; will retry');
      this.#linksInDoubt = true;
      this.#routesInDoubt = true;
      this.#isReadingLinks = false;
      this.#deferred = undefined;
      return 'failed';
    }
  }

  /** What matters most first; everything else waits one batch of routes at most. */
  async #step(): Promise<boolean> {
    const { clock, readBackMs } = this.#options;
    const now = clock.now();
    if (this.#linksInDoubt) await this.#readLinks();
    const isStale = now >= (this.#readBackAtMs ?? now) + readBackMs;
    if (this.#hasState && (this.#routesInDoubt || isStale)) await this.#readBack();
    const local = await this.local.step();
    const learned = this.#hasState && (await this.learned.step());
    const isInDoubt = this.#linksInDoubt || (this.#hasState && this.#routesInDoubt);
    return local || learned || isInDoubt;
  }

  async #readLinks(): Promise<void> {
    this.#linksInDoubt = false;
    this.#isReadingLinks = true;
    await this.#links.readBack(this.#options.kernel);
    this.#isReadingLinks = false;
    this.local.linksRead();
    this.#linksChanged();
  }

  async #readBack(): Promise<void> {
    const { kernel, clock } = this.#options;
    this.#routesInDoubt = false;
    this.#deferred = [];
    const ipv4 = await kernel.routes.list('ipv4');
    const ipv6 = await kernel.routes.list('ipv6');
    this.local.readBack([...ipv4, ...ipv6]);
    this.learned.readBack('ipv4', ipv4);
    this.learned.readBack('ipv6', ipv6);
    const deferred = this.#deferred;
    this.#deferred = undefined;
    this.#readBackAtMs = clock.now();
    for (const event of deferred) this.#handleRoute(event);
  }

  /** Until something that failed, or a periodic look, is due. */
  #idleMs(): number {
    const { clock, readBackMs } = this.#options;
    const due = [
      this.local.nextDueMs(),
      this.#hasState ? this.learned.nextDueMs() : undefined,
      (this.#readBackAtMs ?? clock.now()) + readBackMs,
    ].filter((time) => time !== undefined);
    return Math.max(0, Math.min(...due) - clock.now());
  }

  async #sleep(delayMs: number): Promise<void> {
    const cancel = this.#options.clock.schedule(delayMs, () => this.#poke());
    await this.#wake.promise;
    cancel();
  }
}

function deviceOf(event: LinkEvent): string {
  if (event.type === 'address') return event.device;
  return event.type === 'link' ? event.link.name : event.name;
}
