import { setTimeout as delay } from 'node:timers/promises';
import { createRouteEngine, type InterfaceState, type SpeakerConfig } from '@overland/bgp';
import { BfdWatch } from '@overland/bgp/bfd-watch';
import type { SpeakerSummary } from '@overland/bgp/node';
// Not from `node`: that one can read YAML too, for which this thread would pay with 20 MB.
import { type Speaker, startSpeaker } from '@overland/bgp/speaker';
import { contains, type Family, familyOf, type Prefix } from '@overland/net';
import type { Logger } from 'pino';
import type { DataplaneForSpeaker } from './dataplane-methods.ts';
import type { PartReport } from './health.ts';
import type { Remote } from './thread-rpc.ts';

const OFFER_POLL_MS = 20;

/** Where BFD is to be had. */
export interface BfdAccess {
  readonly socket: string;
  /** How the agent was started, to start the process. */
  readonly command: readonly string[];
}

/** The speaker and its life: it starts with the first configuration, and every later one is a difference. */
export class SpeakerService {
  readonly #dataplane: Remote<DataplaneForSpeaker>;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #bfd: BfdWatch;
  #speaker: Speaker | undefined;
  #config: SpeakerConfig | undefined;
  #interfaces: readonly InterfaceState[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(dataplane: Remote<DataplaneForSpeaker>, log: Logger, bfd: BfdAccess) {
    this.#dataplane = dataplane;
    this.#log = log;
    this.#bfd = new BfdWatch({
      ...bfd,
      log,
      name: 'agent',
      changed: (path, change) => this.#speaker?.bfdChanged(path, change),
    });
  }

  /**
   * Takes over a configuration; calls are worked off in order.
   *
   * @throws {ListenError} If an address cannot be listened on.
   */
  configure(config: SpeakerConfig): Promise<void> {
    const done = this.#work.then(() => this.#configure(config));
    this.#work = done.catch(() => undefined);
    return done;
  }

  setInterfaces(interfaces: readonly InterfaceState[]): void {
    this.#interfaces = interfaces;
    this.#speaker?.setInterfaces(interfaces);
    if (this.#speaker) this.#bfd.update(this.#speaker.config, interfaces);
  }

  summary(): SpeakerSummary | null {
    return this.#speaker?.summary() ?? null;
  }

  /** `undefined` before the first configuration. */
  get operator(): Speaker['operator'] | undefined {
    return this.#speaker?.operator;
  }

  /**
   * Waits until some peer of each prefix's family has been sent everything this host originates of it.
   *
   * @returns Whether that came about in time.
   */
  async offered(prefixes: readonly Prefix[], timeoutMs: number): Promise<boolean> {
    const families = new Set(prefixes.map(familyOf));
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const known = prefixes.every((prefix) => this.#config?.originate.includes(prefix));
      const peers = known ? (this.summary()?.peers ?? []) : [];
      const isOffered = [...families].every((family) => {
        const own = this.#config ? offeredOf(this.#config, family) : [];
        return peers.some(
          ({ session, prefixesSent }) =>
            session?.families.includes(family) && prefixesSent[family] >= own.length,
        );
      });
      if (known && isOffered) return true;
      if (performance.now() >= deadline || this.#stop.signal.aborted) return false;
      await delay(OFFER_POLL_MS);
    }
  }

  health(): PartReport {
    const summary = this.summary();
    if (!summary) return { ready: false, detail: 'waiting for its configuration' };
    if (summary.drain.phase === 'drained') return { ready: false, detail: 'drained: no sessions' };
    const up = summary.peers.filter(({ state }) => state === 'Established').length;
    const detail = `${up} of ${summary.peers.length} peers up`;
    // A host with peers and none of them up is cut off; one without peers is as it should be.
    return { ready: up > 0 || summary.peers.length === 0, detail };
  }

  /** Parts from the peers without a word, so that they keep our routes while we are away (RFC 4724). */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#bfd[Symbol.dispose]();
    await this.#speaker?.stop('restart');
  }

  async #configure(config: SpeakerConfig): Promise<void> {
    this.#config = config;
    if (this.#speaker) await this.#speaker.reconfigure(config);
    else this.#speaker = await this.#start(config);
    this.#bfd.update(this.#speaker.config, this.#interfaces);
  }

  async #start(config: SpeakerConfig): Promise<Speaker> {
    const preserved = await this.#dataplane.preserved();
    const restarting = preserved.length > 0;
    const engine = createRouteEngine(config);
    engine.setInterfaces(this.#interfaces);
    const speaker = await startSpeaker(
      {
        config,
        engine,
        restarting,
        preserved,
        log: this.#log,
        onPeersInForce: (now) => this.#bfd.update(now, this.#interfaces),
        onRouteBatch: async (batch) => {
          await this.#dataplane.applyRoutes(batch);
          return [];
        },
        probe: (nextHop) => {
          this.#dataplane
            .probe(nextHop)
            .catch((error: unknown) => this.#log.debug({ err: error }, 'next hop not probed'));
        },
      },
      this.#stop.signal,
    );
    speaker.setInterfaces(this.#interfaces);
    this.#log.info({ peers: config.peers.length, restarting, preserved }, 'speaker started');
    speaker.done.catch(endThread);
    return speaker;
  }
}

/** What every peer of the family is sent of this host's own, filters apart: not what an aggregate stands for. */
function offeredOf({ originate, aggregates = [] }: SpeakerConfig, family: Family): Prefix[] {
  const summaries = aggregates.filter(({ summaryOnly }) => summaryOnly);
  const isInside = (prefix: Prefix): boolean =>
    summaries.some((summary) => contains(summary.prefix, prefix));
  return originate.filter((prefix) => familyOf(prefix) === family && !isInside(prefix));
}

/** The kernel's state is unknown when the dataplane has not taken a batch: only a fresh start mends that. */
function endThread(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
