import type { Gateway, PeerId, RouteEngine } from '../../src/core/rib/route-engine.ts';
import { encodeMessage, MAX_MESSAGE_OCTETS, MessageType } from '../../src/core/wire/header.ts';
import { NO_ANSWERS } from './no-answers.ts';

const HEADER_OCTETS = 19;
const LARGEST = encodeMessage(
  MessageType.Update,
  new Uint8Array(MAX_MESSAGE_OCTETS - HEADER_OCTETS),
);
const NONE = { ipv4: 0, ipv6: 0 };

/** A route engine that always has one more UPDATE of the largest size for everybody. */
export class Chatterbox implements RouteEngine {
  readonly #packed = new Map<PeerId, number>();

  /** UPDATEs packed for the peer so far. */
  packed(peer: PeerId): number {
    return this.#packed.get(peer) ?? 0;
  }

  nextUpdate(peer: PeerId, target: Uint8Array, offset: number): number {
    this.#packed.set(peer, this.packed(peer) + 1);
    target.set(LARGEST, offset);
    return LARGEST.length;
  }

  hasUpdate(): boolean {
    return true;
  }

  counters(): ReturnType<RouteEngine['counters']> {
    return {
      received: NONE,
      stale: NONE,
      filtered: NONE,
      sent: NONE,
      heldBack: NONE,
      updatesReceived: 0,
      updatesSent: 0,
      refused: {},
      refusedByRule: {},
    };
  }

  configure(): void {}
  setInterfaces(): void {}
  received(): number {
    return 0;
  }
  unreachableNextHops(): readonly Gateway[] {
    return [];
  }
  peerUp(): void {}
  peerDown(): void {}
  peerRemoved(): void {}
  flushStale(): void {}
  beginLongLived(): void {}
  beginRefresh(): void {}
  refresh(): void {}
  routesApplied(): void {}
  routesArrived(): void {}
  endDeferral(): void {}
  receiveUpdate = () => undefined;
  step = () => false;
  nextRouteBatch = () => undefined;
  endOfRibReceived = () => [];
  endOfRibSent = () => [];
  routes = NO_ANSWERS.routes;
  search = NO_ANSWERS.search;
  explain = NO_ANSWERS.explain;
  census = NO_ANSWERS.census;
  dump = NO_ANSWERS.dump;
  monitor = NO_ANSWERS.monitor;
  originateUpdate = NO_ANSWERS.originateUpdate;
  vrpsChanged(): void {}
  statistics = NO_ANSWERS.statistics;
  updateGroups = NO_ANSWERS.updateGroups;
}
