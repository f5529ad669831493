import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Prefix } from '@overland/net';
import type { SpeakerConfig } from '../../core/config.ts';
import type { UpdateGroup } from '../../core/rib/engine-statistics.ts';
import type {
  RouteEngine,
  RoutePage,
  RouteQuery,
  Sliced,
  TableDumpView,
} from '../../core/rib/route-engine.ts';
import type {
  ExplainQuery,
  PeerCensus,
  RouteExplanation,
} from '../../core/rib/route-explanation.ts';
import type { BmpStationView } from '../bmp/bmp-station.ts';
import type { DrainPhase } from '../drain.ts';
import type { EventLog, EventPage, EventQuery } from '../event-log.ts';
import type { Metric } from '../metrics-text.ts';
import { monitoringMetrics } from '../monitoring-metrics.ts';
import type { PeerRunner } from '../peer-runner.ts';
import type { RpkiStatus } from '../rpki/rpki-caches.ts';
import type { OriginAnswer, RpkiSource, VrpPage, VrpQuery } from '../rpki/rpki-source.ts';
import { speakerMetrics } from '../speaker-metrics.ts';
import type { SpeakerSummary } from '../speaker-summary.ts';
import { type ClearedPeer, type ClearKind, clearPeer } from './clear-peer.ts';
import { describeNeighbor, type NeighborDetail } from './neighbor-detail.ts';
import { type CapturePiece, SessionCaptures } from './session-captures.ts';
import { type SpeakerStatistics, speakerStatistics } from './speaker-statistics.ts';
import { type DumpPiece, TableDumps } from './table-dumps.ts';

/** What the operator's questions are answered from. */
export interface OperatedSpeaker {
  readonly config: SpeakerConfig;
  readonly engine: RouteEngine;
  peers(): Iterable<PeerRunner>;
  summary(): SpeakerSummary;
  drain(phase: DrainPhase): void;
  readonly events: EventLog;
  readonly rpki: RpkiSource;
  times(): Pick<SpeakerStatistics, 'convergence' | 'loopDelay'>;
  /** Of BMP. */
  stations(): BmpStationView[];
  /** There may be work. */
  wake(): void;
}

/** Prefixes looked at in one go: well below a millisecond. */
const SEARCH_UNITS = 16_384;
/** Prefixes counted in one go, each with its paths and what the peer may have of it: below a millisecond. */
const CENSUS_UNITS = 256;

/** A query for routes by the names or addresses of peers. */
export interface NamedRouteQuery extends Omit<RouteQuery, 'from' | 'advertisedTo'> {
  readonly from?: string;
  readonly advertisedTo?: string;
}

/** A question about route origins: RFC 6811. */
export type RpkiRequest =
  | { readonly ask: 'status' }
  | ({ readonly ask: 'vrps' } & VrpQuery)
  | { readonly ask: 'check'; readonly prefix: Prefix; readonly asn: number };

export type RpkiAnswer = RpkiStatus | VrpPage | OriginAnswer;

/** A new dump, or the next piece of one. */
export type DumpRequest = { readonly view: TableDumpView } | { readonly next: string };

/** A query for an explanation by the name or address of a peer. */
export interface NamedExplainQuery extends Omit<ExplainQuery, 'to'> {
  readonly to?: string;
}

/** An explanation, and the peer that it is about, if it is. */
export interface ExplainedRoute {
  readonly route: RouteExplanation;
  readonly to: NeighborDetail | null;
}

/** Why a peer has the routes that it has, and why we have those that we have of it. */
export interface ExplainedPeer {
  readonly neighbor: NeighborDetail;
  /** Of each family that is configured. */
  readonly census: readonly PeerCensus[];
  /** The speaker has restarted, and nothing leaves before the peers' routes are there. */
  readonly deferring: boolean;
}

/** A class of peers that are sent the same. */
export interface NamedUpdateGroup extends Omit<UpdateGroup, 'members'> {
  readonly members: readonly (UpdateGroup['members'][number] & { readonly name: string })[];
}

/** An answer, or the peer that there is not, or that is more than one. */
export type AboutPeers<T> = T | { readonly unknownPeer: string; readonly count: number };

/** What an operator may ask of a running speaker. Each answer is bounded, and plain data. */
export class SpeakerOperator implements Disposable {
  readonly #speaker: OperatedSpeaker;
  readonly #dumps: TableDumps;
  readonly #captures = new SessionCaptures();

  constructor(speaker: OperatedSpeaker) {
    this.#speaker = speaker;
    this.#dumps = new TableDumps(speaker.engine, () => speaker.peers());
  }

  summary(): SpeakerSummary {
    return this.#speaker.summary();
  }

  /** @param peer Name or address. @returns None if there is no such peer; an address may have several. */
  neighbors(peer: string): NeighborDetail[] {
    return this.#find(peer).map((runner) => this.#describe(runner));
  }

  /** @param peer Name or address. @returns None if there is no such peer; an address may have several. */
  clear(peer: string, kind: ClearKind): ClearedPeer[] {
    const { engine } = this.#speaker;
    const cleared = this.#find(peer).map((runner) => clearPeer(runner, engine, kind));
    this.#speaker.wake();
    return cleared;
  }

  /** Takes the speaker out of service, or back into it. */
  drain(phase: DrainPhase): SpeakerSummary['drain'] {
    this.#speaker.drain(phase);
    return this.#speaker.summary().drain;
  }

  /** A page of routes. A large table is gone through in slices: sessions have their turns between them. */
  async routes({ from, advertisedTo, ...rest }: NamedRouteQuery): Promise<AboutPeers<RoutePage>> {
    const sources = this.#resolve(from);
    if ('unknownPeer' in sources) return sources;
    const targets = this.#resolve(advertisedTo);
    if ('unknownPeer' in targets) return targets;
    const search = this.#speaker.engine.search({
      ...rest,
      ...(sources.runner && { from: sources.runner.id }),
      ...(targets.runner && { advertisedTo: targets.runner.id }),
    });
    return await inSlices(search, SEARCH_UNITS);
  }

  /** Why a prefix is routed as it is, and whether a peer gets it. */
  explain({ prefix, to }: NamedExplainQuery): AboutPeers<ExplainedRoute> {
    const { engine } = this.#speaker;
    const target = this.#resolve(to);
    if ('unknownPeer' in target) return target;
    const { runner } = target;
    const route = engine.explain({ prefix, ...(runner && { to: runner.id }) });
    return { route, to: runner ? this.#describe(runner) : null };
  }

  /**
   * How the routes of a peer fare, in either direction. A large table is gone through in slices.
   *
   * @param peer Name or address. @returns None if there is no such peer; an address may have several.
   */
  async explainPeer(peer: string): Promise<ExplainedPeer[]> {
    const explained: ExplainedPeer[] = [];
    for (const runner of this.#find(peer)) {
      const census: PeerCensus[] = [];
      for (const family of runner.config.families) {
        census.push(await inSlices(this.#speaker.engine.census(runner.id, family), CENSUS_UNITS));
      }
      const { deferring } = this.#speaker.summary();
      explained.push({ neighbor: this.#describe(runner), census, deferring });
    }
    return explained;
  }

  #describe(runner: PeerRunner): NeighborDetail {
    const { config, engine } = this.#speaker;
    const { id } = runner;
    const endOfRib = { sent: engine.endOfRibSent(id), received: engine.endOfRibReceived(id) };
    return describeNeighbor(runner, config, { counters: engine.counters(id), endOfRib });
  }

  /** The one peer that is meant, if one is. */
  #resolve(name: string | undefined): AboutPeers<{ readonly runner: PeerRunner | undefined }> {
    if (name === undefined) return { runner: undefined };
    const [runner, ...others] = this.#find(name);
    if (runner && others.length === 0) return { runner };
    return { unknownPeer: name, count: runner ? others.length + 1 : 0 };
  }

  /** BMP stations, and how they fare. */
  stations(): BmpStationView[] {
    return this.#speaker.stations();
  }

  /** What is known of route origins. */
  rpki(request: RpkiRequest): RpkiAnswer {
    const { rpki } = this.#speaker;
    switch (request.ask) {
      case 'status':
        return rpki.status();
      case 'vrps':
        return rpki.list(request);
      case 'check':
        return rpki.check(request.prefix, request.asn);
    }
  }

  /** A piece of a dump of the RIBs; `ended`: the one that is to be gone on with is no more. */
  async dump(request: DumpRequest): Promise<DumpPiece | 'ended'> {
    if ('view' in request) return await this.#dumps.begin(request.view);
    return (await this.#dumps.next(request.next)) ?? 'ended';
  }

  /** The speaker stops. */
  [Symbol.dispose](): void {
    this.#captures[Symbol.dispose]();
  }

  /** Classes of peers that are sent the same, by the names of their members. */
  updateGroups(): NamedUpdateGroup[] {
    const names = new Map(Array.from(this.#speaker.peers(), ({ id, config }) => [id, config.name]));
    return this.#speaker.engine.updateGroups().map(({ members, ...group }) => ({
      ...group,
      members: members.map((member) => ({ ...member, name: names.get(member.peer) ?? '' })),
    }));
  }

  /** Begins to record what goes over the sessions of a peer. @returns What to fetch with; `null`: there are too many. */
  beginCapture(peer: string): AboutPeers<{ readonly next: string | null }> {
    const found = this.#resolve(peer);
    if ('unknownPeer' in found) return found;
    return { next: (found.runner && this.#captures.begin(found.runner)) ?? null };
  }

  /** @returns `ended`: there is no such capture any more. */
  async nextCapture(id: string, waitMs: number): Promise<CapturePiece | 'ended'> {
    return (await this.#captures.next(id, waitMs)) ?? 'ended';
  }

  endCapture(id: string): boolean {
    return this.#captures.end(id);
  }

  statistics(): SpeakerStatistics {
    const { engine } = this.#speaker;
    const members = engine.updateGroups().flatMap((group) => group.members);
    return speakerStatistics({
      summary: this.#speaker.summary(),
      runners: this.#speaker.peers(),
      tables: engine.statistics(),
      pending: {
        announcing: members.reduce((sum, { announcing }) => sum + announcing, 0),
        withdrawing: members.reduce((sum, { withdrawing }) => sum + withdrawing, 0),
      },
      ...this.#speaker.times(),
    });
  }

  metrics(): Metric[] {
    const { rpki } = this.#speaker;
    return [
      ...speakerMetrics(this.#speaker.summary(), this.statistics()),
      ...monitoringMetrics(this.#speaker.stations(), rpki.status()),
    ];
  }

  /** What has happened since, or what happens next. A peer that is no more may be asked for while it is remembered. */
  async events(query: EventQuery): Promise<AboutPeers<EventPage>> {
    const { events } = this.#speaker;
    const { peer } = query;
    if (peer !== undefined && this.#find(peer).length === 0 && !events.knows(peer)) {
      return { unknownPeer: peer, count: 0 };
    }
    return await events.read(query);
  }

  /** A name is unique, and wins over an address. */
  #find(peer: string): PeerRunner[] {
    const peers = [...this.#speaker.peers()];
    const named = peers.filter(({ config }) => config.name === peer);
    return named.length > 0 ? named : peers.filter(({ config }) => config.address === peer);
  }
}

async function inSlices<T>(search: Sliced<T>, units: number): Promise<T> {
  while (search.step(units)) await nextTurn();
  return search.result();
}
