import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SpeakerConfig } from '../../core/config.ts';
import type {
  PeerId,
  RouteEngine,
  RoutePage,
  RouteQuery,
  TableDumpView,
} from '../../core/rib/route-engine.ts';
import type { DrainPhase } from '../drain.ts';
import type { PeerRunner } from '../peer-runner.ts';
import type { SpeakerSummary } from '../speaker-summary.ts';
import { type ClearedPeer, type ClearKind, clearPeer } from './clear-peer.ts';
import { describeNeighbor, type NeighborDetail } from './neighbor-detail.ts';
import { type DumpPiece, TableDumps } from './table-dumps.ts';

/** What the operator's questions are answered from. */
export interface OperatedSpeaker {
  readonly config: SpeakerConfig;
  readonly engine: RouteEngine;
  peers(): Iterable<PeerRunner>;
  summary(): SpeakerSummary;
  drain(phase: DrainPhase): void;
  /** There may be work. */
  wake(): void;
}

/** Prefixes looked at in one go: well below a millisecond. */
const SEARCH_UNITS = 16_384;

/** A query for routes by the names or addresses of peers. */
export interface NamedRouteQuery extends Omit<RouteQuery, 'from' | 'advertisedTo'> {
  readonly from?: string;
  readonly advertisedTo?: string;
}

/** A new dump, or the next piece of one. */
export type DumpRequest = { readonly view: TableDumpView } | { readonly next: string };

/** An answer, or the peer that there is not, or that is more than one. */
export type AboutPeers<T> = T | { readonly unknownPeer: string; readonly count: number };

/** What an operator may ask of a running speaker. Each answer is bounded, and plain data. */
export class SpeakerOperator {
  readonly #speaker: OperatedSpeaker;
  readonly #dumps: TableDumps;

  constructor(speaker: OperatedSpeaker) {
    this.#speaker = speaker;
    this.#dumps = new TableDumps(speaker.engine, () => speaker.peers());
  }

  summary(): SpeakerSummary {
    return this.#speaker.summary();
  }

  /** @param peer Name or address. @returns None if there is no such peer; an address may have several. */
  neighbors(peer: string): NeighborDetail[] {
    const { config, engine } = this.#speaker;
    return this.#find(peer).map((runner) => {
      const { id } = runner;
      const endOfRib = { sent: engine.endOfRibSent(id), received: engine.endOfRibReceived(id) };
      return describeNeighbor(runner, config, { counters: engine.counters(id), endOfRib });
    });
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
    const peers: { from?: PeerId; advertisedTo?: PeerId } = {};
    for (const [field, name] of Object.entries({ from, advertisedTo })) {
      if (name === undefined) continue;
      const [peer, ...others] = this.#find(name);
      if (!peer || others.length > 0) {
        return { unknownPeer: name, count: peer ? others.length + 1 : 0 };
      }
      peers[field as keyof typeof peers] = peer.id;
    }
    const search = this.#speaker.engine.search({ ...rest, ...peers });
    while (search.step(SEARCH_UNITS)) await nextTurn();
    return search.result();
  }

  /** A piece of a dump of the RIBs; `ended`: the one that is to be gone on with is no more. */
  async dump(request: DumpRequest): Promise<DumpPiece | 'ended'> {
    if ('view' in request) return await this.#dumps.begin(request.view);
    return (await this.#dumps.next(request.next)) ?? 'ended';
  }

  /** A name is unique, and wins over an address. */
  #find(peer: string): PeerRunner[] {
    const peers = [...this.#speaker.peers()];
    const named = peers.filter(({ config }) => config.name === peer);
    return named.length > 0 ? named : peers.filter(({ config }) => config.address === peer);
  }
}
