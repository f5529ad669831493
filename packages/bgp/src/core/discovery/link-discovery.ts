import type { IpAddress } from '@overland/net';
import type { RouterMessage } from './router-message.ts';

/** What is to be sent now. */
export interface DueMessages {
  readonly advertisement: boolean;
  readonly solicitation: boolean;
}

/** The first advertisements are close to each other: RFC 4861 section 6.2.4. Milliseconds. */
const INITIAL_INTERVAL_MS = 2000;
const INITIAL_COUNT = 3;
/** Then they are as far apart as FRR's, at most. */
const INTERVAL_MS = 10_000;
/** Of an advertisement that could not be sent: the link-local address may be new, and not yet proved unique. */
const RETRY_MS = 1000;
/** Answers to solicitations are no closer to each other, whoever asks. */
const LEAST_INTERVAL_MS = 1000;
/** A router without session that is silent for so long may have been replaced, although its lifetime is not over. */
const SILENT_MS = 3 * INTERVAL_MS;

/**
 * Who is at the other end of a link: whoever sends Router Advertisements with a lifetime. We send them, too, so that the other
 * side finds us. One router per link: the first that is heard stays until it is gone. Pure: the time is an argument,
 * monotonic, in milliseconds.
 */
export class LinkDiscovery {
  readonly #random: () => number;
  readonly #isInUse: () => boolean;
  #router: { readonly address: IpAddress; heardMs: number; expiresMs: number } | undefined;
  #sent = 0;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #dueMs: number;

  /**
   * @param random A random number in 0..1.
   * @param isInUse Whether there is a session with the router: it says more than advertisements that do not come.
   */
  constructor(nowMs: number, random: () => number, isInUse: () => boolean) {
    this.#dueMs = nowMs;
    this.#random = random;
    this.#isInUse = isInUse;
  }

  /** The router, if one is there. */
  get router(): IpAddress | undefined {
    return this.#router?.address;
  }

  /** When {@link tick} is to be called, at the latest. */
  get wakeMs(): number {
    const expiresMs = this.#isInUse()
      ? Number.POSITIVE_INFINITY
      : (this.#router?.expiresMs ?? Number.POSITIVE_INFINITY);
    return Math.min(this.#dueMs, expiresMs);
  }

  /** Takes a message that came over the link. */
  heard(message: RouterMessage, nowMs: number): void {
    if (message.type === 'solicitation') this.#answer(nowMs);
    else if (message.lifetimeSeconds > 0) {
      this.#found(message.source, nowMs, nowMs + 1000 * message.lifetimeSeconds);
    } else if (message.source === this.#router?.address) this.#router.expiresMs = nowMs;
    this.#expire(nowMs);
  }

  /**
   * Somebody on the link wants a session: as good as an advertisement that has not come yet.
   *
   * @returns Whether that is the router of the link.
   */
  dialled(address: IpAddress, nowMs: number): boolean {
    this.#expire(nowMs);
    this.#found(address, nowMs, nowMs + SILENT_MS);
    return this.#router?.address === address;
  }

  /** What is to be sent. Of what cannot be sent, {@link failedToSend} is told. */
  tick(nowMs: number): DueMessages {
    this.#expire(nowMs);
    const isDue = nowMs >= this.#dueMs;
    if (isDue) {
      this.#sent += 1;
      this.#lastSentMs = nowMs;
      const interval = this.#sent < INITIAL_COUNT ? INITIAL_INTERVAL_MS : INTERVAL_MS;
      this.#dueMs = nowMs + interval * (0.75 + this.#random() / 4);
    }
    return { advertisement: isDue, solicitation: isDue && this.#router === undefined };
  }

  failedToSend(nowMs: number): void {
    this.#sent = Math.max(0, this.#sent - 1);
    this.#dueMs = nowMs + RETRY_MS;
  }

  /** The link is down: whoever is there when it comes up again is asked anew. */
  reset(nowMs: number): void {
    this.#router = undefined;
    this.#sent = 0;
    this.#dueMs = nowMs;
  }

  #answer(nowMs: number): void {
    const soonest = Math.max(nowMs, this.#lastSentMs + LEAST_INTERVAL_MS);
    this.#dueMs = Math.min(this.#dueMs, soonest);
  }

  #found(address: IpAddress, nowMs: number, expiresMs: number): void {
    const known = this.#router;
    if (known?.address === address) {
      known.heardMs = nowMs;
      known.expiresMs = Math.max(known.expiresMs, expiresMs);
    } else if (!known || (nowMs - known.heardMs >= SILENT_MS && !this.#isInUse())) {
      this.#router = { address, heardMs: nowMs, expiresMs };
    }
  }

  #expire(nowMs: number): void {
    if (this.#router && nowMs >= this.#router.expiresMs && !this.#isInUse()) {
      this.#router = undefined;
    }
  }
}
