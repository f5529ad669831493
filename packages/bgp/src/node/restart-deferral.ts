import type { Logger } from 'pino';
import type { PeerId, RouteEngine } from '../core/rib/route-engine.ts';
import { Deferral } from '../core/session/deferral.ts';
import type { UpSession } from '../core/session/peer-events.ts';

/** After a restart, peers that are not up within this time hold nothing up, seconds. */
const WINDOW_SECONDS = 5;

/** Gives the deferral of a restarted speaker its clock, and tells when it is over. */
export class RestartDeferral {
  readonly #deferral: Deferral;
  readonly #over: () => void;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #log: Logger;
  #done = false;

  /** @param over Called once, never from within the constructor. */
  constructor(options: {
    readonly peers: Iterable<PeerId>;
    readonly limitSeconds: number;
    readonly log: Logger;
    readonly over: () => void;
  }) {
    const { peers, limitSeconds, log, over } = options;
    this.#deferral = new Deferral(peers);
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

  /** Ends the deferral if there is nobody to wait for. */
  check(): void {
    if (this.#done || !this.#deferral.isOver) return;
    this.stop();
    this.#over();
  }

  stop(): void {
    this.#done = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #windowEnds(): void {
    this.#deferral.windowEnds();
    this.check();
  }

  #limitReached(): void {
    this.#log.warn('the peers did not send all their routes in time after our restart');
    this.#deferral.limitReached();
    this.check();
  }
}
