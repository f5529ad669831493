import type { Logger } from 'pino';
import type { PeerId, RouteEngine } from '../core/rib/route-engine.ts';
import { Deferral } from '../core/session/deferral.ts';
import type { UpSession } from '../core/session/peer-events.ts';

/** After a restart, peers that are not up within this time hold nothing up, seconds. */
const WINDOW_SECONDS = 5;

/**
 * From the last End-of-RIB to the selection of routes, seconds. FRR 8.4 sends End-of-RIB before the routes that it coalesces for a
 * second: whoever believes it at once replaces every kernel route by what the other peers offered.
 */
const SETTLE_SECONDS = 2;

/** Stands for whoever may dial from a listen range, and never comes up itself: others count as they come. */
const ANYBODY: PeerId = -1;

/** Gives the deferral of a restarted speaker its clock, and tells when it is over. */
export class RestartDeferral {
  readonly #deferral: Deferral;
  readonly #over: () => void;
  readonly #timers: NodeJS.Timeout[];
  readonly #log: Logger;
  #settling = false;
  #done = false;

  /** @param over Called once, never from within the constructor. */
  constructor(options: {
    readonly peers: Iterable<PeerId>;
    /** Peers may come that nobody knows of yet. */
    readonly hasRanges: boolean;
    readonly limitSeconds: number;
    readonly log: Logger;
    readonly over: () => void;
  }) {
    const { peers, hasRanges, limitSeconds, log, over } = options;
    this.#deferral = new Deferral(hasRanges ? [...peers, ANYBODY] : peers);
    this.#over = over;
    this.#log = log;
    const window = setTimeout(() => this.#windowEnds(), WINDOW_SECONDS * 1000);
    const limit = setTimeout(() => this.#limitReached(), limitSeconds * 1000);
    this.#timers = [window, limit];
  }

  get isOver(): boolean {
    return this.#done;
  }

  peerUp(peer: PeerId, session: UpSession): void {
    this.#deferral.peerUp(peer, session.endOfRibExpected);
    this.check();
  }

  peerDown(peer: PeerId): void {
    this.#deferral.peerDown(peer);
    this.check();
  }

  peerRemoved(peer: PeerId): void {
    this.#deferral.peerRemoved(peer);
    this.check();
  }

  /** The peer has sent something: was it End-of-RIB? */
  received(peer: PeerId, engine: RouteEngine): void {
    for (const family of engine.endOfRibReceived(peer)) this.#deferral.endOfRib(peer, family);
    this.check();
  }

  /** Ends the deferral, a little later, if there is nobody to wait for. */
  check(): void {
    if (this.#done || this.#settling || !this.#deferral.isOver) return;
    this.#settling = true;
    this.#timers.push(setTimeout(() => this.#end(), SETTLE_SECONDS * 1000));
  }

  stop(): void {
    this.#done = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #end(): void {
    this.stop();
    this.#over();
  }

  #windowEnds(): void {
    this.#deferral.windowEnds();
    this.check();
  }

  #limitReached(): void {
    this.#log.warn('the peers did not send all their routes in time after our restart');
    this.#deferral.limitReached();
    if (!this.#done) this.#end();
  }
}
