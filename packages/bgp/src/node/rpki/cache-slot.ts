import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RpkiCache } from '../../core/config.ts';
import type { RtrIntervals } from '../../core/rpki/rtr-pdu.ts';
import { errorReport, RtrPduError, RtrReader } from '../../core/rpki/rtr-pdu.ts';
import { type RtrEffect, RtrSession } from '../../core/rpki/rtr-session.ts';
import { DialledStream } from '../dialled-stream.ts';
import type { OpenSocket } from '../transport.ts';

/** PDUs that are worked on in one go: some milliseconds. */
const PDUS_AT_A_TIME = 1000;

/** What comes of a cache. */
export interface CacheEvents {
  /** Octets have come, or TCP is up. */
  alive(slot: CacheSlot): void;
  came(slot: CacheSlot, effect: Extract<RtrEffect, { type: 'loaded' | 'changed' }>): Promise<void>;
  /** The connection is over. @param again It is to be opened anew at once. */
  failed(slot: CacheSlot, reason: string, again: boolean): void;
}

/** One cache: its session, which outlives connections, and the connection. */
export class CacheSlot {
  readonly cache: RpkiCache;
  readonly session = new RtrSession();
  /** Connections that ended without data, in a row. */
  failures = 0;
  /** Waits before it is dialled again. */
  isBackingOff = false;
  lastError: string | undefined;
  intervals: RtrIntervals | undefined;
  readonly #events: CacheEvents;
  readonly #open: OpenSocket;
  #stream: DialledStream | undefined;
  #reader = new RtrReader();

  constructor(cache: RpkiCache, events: CacheEvents, open: OpenSocket) {
    this.cache = cache;
    this.#events = events;
    this.#open = open;
  }

  get isConnected(): boolean {
    return this.#stream !== undefined;
  }

  dial(): void {
    this.#reader = new RtrReader();
    const stream = DialledStream.dial(
      this.cache,
      {
        connected: () => {
          this.#stream?.write(this.session.connected());
          this.#events.alive(this);
        },
        received: (chunk) => this.#receive(chunk, stream),
        drained: () => undefined,
        lost: (reason) => this.#fail(reason, false),
      },
      this.#open,
    );
    this.#stream = stream;
  }

  /** Asks what has changed, unless an answer is on its way. */
  refresh(): void {
    const question = this.session.refresh();
    if (question) this.#stream?.write(question);
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.session.disconnected();
  }

  /** The connection has to end. */
  fail(reason: string): void {
    this.#fail(reason, false);
  }

  async #receive(chunk: Uint8Array, stream: DialledStream): Promise<void> {
    this.#events.alive(this);
    this.#reader.push(chunk);
    try {
      for (let count = 1; this.#stream === stream; count += 1) {
        const pdu = this.#reader.next();
        if (!pdu) return;
        for (const effect of this.session.receive(pdu)) await this.#perform(effect);
        if (count % PDUS_AT_A_TIME === 0) await nextTurn();
      }
    } catch (error) {
      if (!(error instanceof RtrPduError)) throw error;
      const { code, octets, message } = error;
      stream.write(errorReport(this.session.version, code, octets, message));
      this.#fail(message, false);
    }
  }

  async #perform(effect: RtrEffect): Promise<void> {
    switch (effect.type) {
      case 'send':
        this.#stream?.write(effect.octets);
        return;
      case 'failed':
        this.#fail(effect.reason, effect.again);
        return;
      default:
        this.failures = 0;
        this.lastError = undefined;
        this.intervals = effect.intervals ?? this.intervals;
        await this.#events.came(this, effect);
    }
  }

  #fail(reason: string, again: boolean): void {
    if (!this.#stream) return;
    this.close();
    this.failures += 1;
    this.lastError = reason;
    this.#events.failed(this, reason, again);
  }
}
