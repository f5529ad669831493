import type { Metric } from '@overland/bgp/metrics';
import type { PageQuery } from '@overland/bgp/paged-ring';
import { PagedRing } from '@overland/bgp/paged-ring';
import type { CollectedFlows, FlowCounts } from '@overland/felix';
import type { Logger } from 'pino';
import { type DescribedFlows, type FlowRecord, flowRecordOf } from './flow-record.ts';
import { FlowTotals } from './flow-totals.ts';

/** What the other threads do for flows. */
interface FlowSources {
  /** Begins to listen to the kernel. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly take: () => Promise<CollectedFlows>;
  /** Says which policies decided, and who has the addresses. */
  readonly describe: (flows: readonly FlowCounts[]) => Promise<DescribedFlows>;
}

/** Takes records to somewhere else. Never throws for long: what cannot be brought is dropped and counted. */
export interface FlowSink {
  write(records: readonly FlowRecord[]): Promise<void>;
}

export interface FlowServiceOptions {
  readonly node: string;
  readonly sources: FlowSources;
  readonly sinks: readonly FlowSink[];
  /** `on-demand`: while somebody asks, or there are sinks. */
  readonly collect: 'on-demand' | 'always' | 'never';
  readonly intervalMs: number;
  readonly log: Logger;
}

/** Records of the flows of this host's workloads, for whoever asks. */
export interface FlowPage {
  readonly records: readonly FlowRecord[];
  readonly next: number;
  /** Records that were forgotten before they were asked for. */
  readonly lost: number;
  /** Since the start: events for which the host had no room, and times that the kernel had to drop events. */
  readonly untold: number;
  readonly overruns: number;
}

const CAPACITY = 8192;
/** While somebody follows. */
const FOLLOWED_MS = 1000;
/** How long after the last question somebody still follows. */
const FOLLOWING_MS = 30_000;

/** Asked, though flows are not collected here. */
export class FlowsOffError extends Error {
  override readonly name = 'FlowsOffError';
}

/** Gathers the flows of each interval into records: the newest of them are kept, all go to the sinks. */
export class FlowService implements AsyncDisposable {
  readonly #options: FlowServiceOptions;
  readonly #ring = new PagedRing<FlowRecord>(CAPACITY);
  readonly #isAlways: boolean;
  #state: 'stopped' | 'running' | 'closed' = 'stopped';
  #askedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #turn: Promise<void> = Promise.resolve();
  readonly #totals = new FlowTotals();
  #dropped = { untold: 0, overruns: 0 };

  constructor(options: FlowServiceOptions) {
    this.#options = options;
    const { collect, sinks } = options;
    this.#isAlways = collect === 'always' || (collect === 'on-demand' && sinks.length > 0);
    if (this.#isAlways) this.#run();
  }

  /** @throws {FlowsOffError} If flows are not collected. */
  async read(query: PageQuery & { readonly verdict?: FlowRecord['verdict'] }): Promise<FlowPage> {
    const { verdict } = query;
    if (this.#options.collect === 'never') {
      throw new FlowsOffError('this host does not collect flows: its setting `flows` is `never`');
    }
    this.#askedAt = performance.now();
    this.#run();
    const accept = (record: FlowRecord) => verdict === undefined || record.verdict === verdict;
    const { items, ...place } = await this.#ring.read(query, accept);
    return { records: items, ...place, ...this.#dropped };
  }

  metrics(): Metric[] {
    return this.#totals.metrics();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    await this.#turn;
    this.#ring[Symbol.dispose]();
  }

  get #isFollowed(): boolean {
    return performance.now() - this.#askedAt < FOLLOWING_MS;
  }

  /** Starts, or looks sooner than it would have. */
  #run(): void {
    if (this.#state === 'closed') return;
    const isFirst = this.#state === 'stopped';
    this.#state = 'running';
    const milliseconds = isFirst ? 0 : this.#pauseMs;
    if (performance.now() + milliseconds < this.#dueAt) this.#schedule(milliseconds);
  }

  get #pauseMs(): number {
    return this.#isFollowed ? FOLLOWED_MS : this.#options.intervalMs;
  }

  #schedule(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      // Whoever asks meanwhile need not begin a second turn.
      this.#dueAt = Number.NEGATIVE_INFINITY;
      this.#turn = this.#look();
    }, milliseconds);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { sources, log } = this.#options;
    try {
      if (this.#isAlways || this.#isFollowed) {
        await sources.start();
        await this.#record(await sources.take());
      } else {
        await sources.stop();
        if (this.#state === 'running') this.#state = 'stopped';
        this.#dueAt = Number.POSITIVE_INFINITY;
      }
    } catch (error) {
      log.warn({ err: error }, 'flows cannot be collected; tried again');
    }
    if (this.#state === 'running') this.#schedule(this.#pauseMs);
  }

  async #record({ flows: counted, untold, overruns }: CollectedFlows): Promise<void> {
    const { sources, node, sinks, log } = this.#options;
    this.#dropped = { untold, overruns };
    if (counted.length === 0) return;
    const { flows, ends } = await sources.describe(counted);
    const records: FlowRecord[] = [];
    for (const flow of flows) {
      this.#ring.add((id) => {
        const record = flowRecordOf(flow, { id, node, ends });
        records.push(record);
        this.#totals.add(record);
        return record;
      });
    }
    if (records.length === 0) return;
    for (const sink of sinks) {
      await sink.write(records).catch((error: unknown) => {
        log.warn({ err: error, records: records.length }, 'flow records are lost to a sink');
      });
    }
  }
}
