import type { SpeakerConfig } from '../../core/config.ts';
import type { RouteEngine, RoutePage, RouteQuery } from '../../core/rib/route-engine.ts';
import type { PeerRunner } from '../peer-runner.ts';
import type { SpeakerSummary } from '../speaker-summary.ts';
import { describeNeighbor, type NeighborDetail } from './neighbor-detail.ts';

/** What the operator's questions are answered from. */
export interface OperatedSpeaker {
  readonly config: SpeakerConfig;
  readonly engine: RouteEngine;
  peers(): Iterable<PeerRunner>;
  summary(): SpeakerSummary;
}

/** What an operator may ask of a running speaker. Each answer is bounded, and plain data. */
export class SpeakerOperator {
  readonly #speaker: OperatedSpeaker;

  constructor(speaker: OperatedSpeaker) {
    this.#speaker = speaker;
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

  /** A page of the Loc-RIB. */
  routes(query: RouteQuery): RoutePage {
    return this.#speaker.engine.routes(query);
  }

  /** A name is unique, and wins over an address. */
  #find(peer: string): PeerRunner[] {
    const peers = [...this.#speaker.peers()];
    const named = peers.filter(({ config }) => config.name === peer);
    return named.length > 0 ? named : peers.filter(({ config }) => config.address === peer);
  }
}
