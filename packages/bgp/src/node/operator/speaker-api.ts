import type { RoutePage } from '../../core/rib/route-engine.ts';
import type { BmpStationView } from '../bmp/bmp-station.ts';
import type { DrainPhase } from '../drain.ts';
import type { EventPage, EventQuery } from '../event-log.ts';
import type { Metric } from '../metrics-text.ts';
import type { SpeakerSummary } from '../speaker-summary.ts';
import type { ClearedPeer, ClearKind } from './clear-peer.ts';
import type { NeighborDetail } from './neighbor-detail.ts';
import {
  captureRequest,
  clearKind,
  drainPhase,
  dumpRequest,
  eventQuery,
  explainQuery,
  neededPeer,
  routeQuery,
  rpkiRequest,
} from './route-parameters.ts';
import type { CapturePiece } from './session-captures.ts';
import type {
  AboutPeers,
  DumpRequest,
  ExplainedPeer,
  ExplainedRoute,
  NamedExplainQuery,
  NamedRouteQuery,
  NamedUpdateGroup,
  RpkiAnswer,
  RpkiRequest,
  SpeakerOperator,
} from './speaker-operator.ts';
import { SpeakerRequestError } from './speaker-request-error.ts';
import type { SpeakerStatistics } from './speaker-statistics.ts';
import type { DumpPiece } from './table-dumps.ts';

export { SpeakerRequestError };

/** A speaker as those see it who answer for it, maybe from another thread. `null`: it has no configuration yet. */
export interface SpeakerPort {
  summary(): Promise<SpeakerSummary | null>;
  neighbors(peer: string): Promise<readonly NeighborDetail[] | null>;
  clear(peer: string, kind: ClearKind): Promise<readonly ClearedPeer[] | null>;
  drain(phase: DrainPhase): Promise<SpeakerSummary['drain'] | null>;
  routes(query: NamedRouteQuery): Promise<AboutPeers<RoutePage> | null>;
  stations(): Promise<readonly BmpStationView[] | null>;
  rpki(request: RpkiRequest): Promise<RpkiAnswer | null>;
  /** `ended`: there is no such dump any more. */
  dump(request: DumpRequest): Promise<DumpPiece | 'ended' | null>;
  explain(query: NamedExplainQuery): Promise<AboutPeers<ExplainedRoute> | null>;
  explainPeer(peer: string): Promise<readonly ExplainedPeer[] | null>;
  updateGroups(): Promise<readonly NamedUpdateGroup[] | null>;
  statistics(): Promise<SpeakerStatistics | null>;
  metrics(): Promise<readonly Metric[] | null>;
  /** `next` is `null`: there are too many captures. */
  beginCapture(peer: string): Promise<AboutPeers<{ readonly next: string | null }> | null>;
  /** `ended`: there is no such capture any more. */
  nextCapture(id: string, waitMs: number): Promise<CapturePiece | 'ended' | null>;
  endCapture(id: string): Promise<boolean | null>;
  events(query: EventQuery): Promise<AboutPeers<EventPage> | null>;
}

/** One question of the API: an agent and `overland bgp run` answer the same. */
export interface SpeakerRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** @throws {SpeakerRequestError} */
  answer(speaker: SpeakerPort, query: URLSearchParams): Promise<unknown>;
}

/**
 *   GET /v1/bgp/summary
 *   GET /v1/bgp/neighbors?peer=spine1
 *   POST /v1/bgp/clear?peer=spine1&kind=hard|in|out|soft
 *   POST /v1/bgp/drain?phase=active|draining|drained
 *   GET /v1/bgp/routes?family=ipv4&limit=200&after=10.65.0.0/26&from=spine1&paths=refused
 *   GET /v1/bgp/stations
 *   GET /v1/bgp/rpki, GET /v1/bgp/rpki/vrps?prefix=10.0.0.0/8&limit=200&after=…, GET /v1/bgp/rpki/check?prefix=10.0.0.0/24&asn=65001
 *   GET /v1/bgp/dump?view=accepted|received, then GET /v1/bgp/dump?next=7 until next is null
 *   GET /v1/bgp/explain?prefix=10.65.0.0/26&to=spine1
 *   GET /v1/bgp/explain-peer?peer=spine1
 *   GET /v1/bgp/update-groups
 *   GET /v1/bgp/statistics
 *   POST /v1/bgp/capture?peer=spine1, then GET /v1/bgp/capture?next=7&waitMs=5000, and POST /v1/bgp/capture?end=7
 *   GET /v1/bgp/events?after=0&peer=spine1&waitMs=10000
 */
export const SPEAKER_ROUTES: readonly SpeakerRoute[] = [
  {
    method: 'GET',
    path: '/v1/bgp/summary',
    answer: async (speaker) => running(await speaker.summary()),
  },
  {
    method: 'GET',
    path: '/v1/bgp/neighbors',
    async answer(speaker, query) {
      const peer = neededPeer(query);
      const neighbors = running(await speaker.neighbors(peer));
      if (neighbors.length === 0) throw noPeer(peer);
      return { neighbors };
    },
  },
  {
    method: 'POST',
    path: '/v1/bgp/clear',
    async answer(speaker, query) {
      const peer = neededPeer(query);
      const cleared = running(await speaker.clear(peer, clearKind(query)));
      if (cleared.length === 0) throw noPeer(peer);
      return { cleared };
    },
  },
  {
    method: 'POST',
    path: '/v1/bgp/drain',
    answer: async (speaker, query) => running(await speaker.drain(drainPhase(query))),
  },
  {
    method: 'GET',
    path: '/v1/bgp/routes',
    answer: async (speaker, query) => known(running(await speaker.routes(routeQuery(query)))),
  },
  {
    method: 'GET',
    path: '/v1/bgp/stations',
    answer: async (speaker) => ({ stations: running(await speaker.stations()) }),
  },
  ...(['status', 'vrps', 'check'] as const).map((ask) => ({
    method: 'GET' as const,
    path: ask === 'status' ? '/v1/bgp/rpki' : `/v1/bgp/rpki/${ask}`,
    answer: async (speaker: SpeakerPort, query: URLSearchParams) =>
      running(await speaker.rpki(rpkiRequest(ask, query))),
  })),
  {
    method: 'GET',
    path: '/v1/bgp/dump',
    async answer(speaker, query) {
      const piece = running(await speaker.dump(dumpRequest(query)));
      if (piece !== 'ended') return piece;
      throw new SpeakerRequestError('not-found', 'the dump has ended: begin anew');
    },
  },
  {
    method: 'GET',
    path: '/v1/bgp/explain',
    answer: async (speaker, query) => known(running(await speaker.explain(explainQuery(query)))),
  },
  {
    method: 'GET',
    path: '/v1/bgp/update-groups',
    answer: async (speaker) => ({ groups: running(await speaker.updateGroups()) }),
  },
  {
    method: 'GET',
    path: '/v1/bgp/statistics',
    answer: async (speaker) => running(await speaker.statistics()),
  },
  {
    method: 'POST',
    path: '/v1/bgp/capture',
    async answer(speaker, query) {
      const end = query.get('end');
      if (end !== null) return { ended: running(await speaker.endCapture(end)) };
      const begun = known(running(await speaker.beginCapture(neededPeer(query))));
      if (begun.next !== null) return begun;
      throw new SpeakerRequestError('invalid', 'there are as many captures as there may be');
    },
  },
  {
    method: 'GET',
    path: '/v1/bgp/capture',
    async answer(speaker, query) {
      const { next, waitMs } = captureRequest(query);
      const piece = running(await speaker.nextCapture(next, waitMs));
      if (piece !== 'ended') return piece;
      throw new SpeakerRequestError('not-found', 'the capture has ended: begin anew');
    },
  },
  {
    method: 'GET',
    path: '/v1/bgp/events',
    answer: async (speaker, query) => known(running(await speaker.events(eventQuery(query)))),
  },
  {
    method: 'GET',
    path: '/v1/bgp/explain-peer',
    async answer(speaker, query) {
      const peer = neededPeer(query);
      const peers = running(await speaker.explainPeer(peer));
      if (peers.length === 0) throw noPeer(peer);
      return { peers };
    },
  },
];

/** Answers for a speaker of this thread. @param operator `undefined` before its first configuration. */
export function speakerPort(operator: () => SpeakerOperator | undefined): SpeakerPort {
  return {
    summary: async () => operator()?.summary() ?? null,
    neighbors: async (peer) => operator()?.neighbors(peer) ?? null,
    clear: async (peer, kind) => operator()?.clear(peer, kind) ?? null,
    drain: async (phase) => operator()?.drain(phase) ?? null,
    routes: async (query) => (await operator()?.routes(query)) ?? null,
    stations: async () => operator()?.stations() ?? null,
    rpki: async (request) => operator()?.rpki(request) ?? null,
    dump: async (request) => (await operator()?.dump(request)) ?? null,
    explain: async (query) => operator()?.explain(query) ?? null,
    explainPeer: async (peer) => (await operator()?.explainPeer(peer)) ?? null,
    updateGroups: async () => operator()?.updateGroups() ?? null,
    statistics: async () => operator()?.statistics() ?? null,
    metrics: async () => operator()?.metrics() ?? null,
    beginCapture: async (peer) => operator()?.beginCapture(peer) ?? null,
    nextCapture: async (id, waitMs) => (await operator()?.nextCapture(id, waitMs)) ?? null,
    endCapture: async (id) => operator()?.endCapture(id) ?? null,
    events: async (query) => (await operator()?.events(query)) ?? null,
  };
}

function running<T>(answer: T | null): T {
  if (answer !== null) return answer;
  throw new SpeakerRequestError('starting', 'the speaker has no configuration yet');
}

function known<T extends object>(answer: AboutPeers<T>): T {
  if (!('unknownPeer' in answer)) return answer;
  const { unknownPeer, count } = answer;
  if (count === 0) throw noPeer(unknownPeer);
  throw new SpeakerRequestError('invalid', `${unknownPeer} is ${count} peers: say which by name`);
}

function noPeer(peer: string): SpeakerRequestError {
  return new SpeakerRequestError('not-found', `no peer is called ${peer} or has that address`);
}
