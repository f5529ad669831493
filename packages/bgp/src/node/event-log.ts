import type { Family, IpAddress } from '@overland/net';
import type { PeerConfig } from '../core/config.ts';
import type { BfdState } from '../core/session/bfd-gate.ts';
import type { State } from '../core/session/fsm.ts';
import type { DrainPhase } from './drain.ts';

/** What happened to a session, or to the speaker. */
export type EventDetail =
  /** Between Idle, Connect and Active a peer that cannot be reached goes round: that is told by `error` alone. */
  | { readonly type: 'state'; readonly from: State; readonly to: State }
  | { readonly type: 'up'; readonly families: readonly Family[]; readonly holdSeconds: number }
  | { readonly type: 'down'; readonly reason: string; readonly retained: readonly Family[] }
  | {
      readonly type: 'notification';
      readonly direction: 'sent' | 'received';
      readonly code: number;
      readonly subcode: number;
      /** In words. */
      readonly name: string;
      /** What the peer's operator wrote (RFC 9003), cleaned. */
      readonly communication: string | null;
    }
  /** No session comes about, for another reason than before. */
  | { readonly type: 'error'; readonly reason: string }
  | {
      readonly type: 'refresh';
      /** `sent`: we asked the peer for its routes. */
      readonly direction: 'sent' | 'received';
      readonly kind: 'request' | 'begin';
      readonly family: Family;
    }
  | {
      readonly type: 'limit';
      readonly verdict: 'near' | 'above';
      readonly family: Family;
      readonly count: number;
      readonly most: number;
    }
  /** Routes of before a restart are dropped. */
  | { readonly type: 'flushed'; readonly families: readonly Family[]; readonly reason: string }
  | { readonly type: 'bfd'; readonly state: BfdState }
  /** The operator has cleared the peer. */
  | { readonly type: 'cleared' }
  | { readonly type: 'added' }
  | { readonly type: 'removed' }
  /** Of the speaker: after a restart, routes are selected now. */
  | { readonly type: 'selecting' }
  | { readonly type: 'drain'; readonly phase: DrainPhase };

/** An event as it is kept. */
export type SpeakerEvent = EventDetail & {
  /** Rises by one from event to event. */
  readonly id: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  /** Name and address of the peer; `null`: the speaker itself. */
  readonly peer: string | null;
  readonly address: IpAddress | null;
};

/** Events behind a point. */
export interface EventPage {
  readonly events: readonly SpeakerEvent[];
  /** Where to go on. */
  readonly next: number;
  /** Events that were forgotten before they were asked for. */
  readonly lost: number;
}

/** Which events are asked for. */
export interface EventQuery {
  /** Behind the event with this id; 0: all that there are. */
  readonly after: number;
  /** Name or address of a peer; absent: all. */
  readonly peer?: string;
  /** Longest wait for an event if there is none, milliseconds. */
  readonly waitMs: number;
}

const CAPACITY = 2048;
const PAGE = 500;
/** Who would wait beyond these is answered at once. */
const MAX_WAITING = 64;

/** The last events of a speaker. Those who follow ask again and again, and wait where there is nothing new. */
export class EventLog implements Disposable {
  readonly #capacity: number;
  readonly #events: SpeakerEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #lastId = 0;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** @param peer `undefined`: the speaker itself. */
  add(peer: Pick<PeerConfig, 'name' | 'address'> | undefined, detail: EventDetail): void {
    this.#lastId += 1;
    const head = { id: this.#lastId, time: new Date().toISOString() };
    const whose = { peer: peer?.name ?? null, address: peer?.address ?? null };
    this.#events[this.#lastId % this.#capacity] = { ...head, ...whose, ...detail };
    this.#wake();
  }

  /** Whether anything is known of a peer. @param peer Name or address. */
  knows(peer: string): boolean {
    return this.#events.some((event) => event && isAbout(event, peer));
  }

  async read(query: EventQuery): Promise<EventPage> {
    const page = this.#page(query);
    if (page.events.length > 0 || query.waitMs === 0) return page;
    await this.#something(query.waitMs);
    return this.#page({ ...query, after: page.next });
  }

  [Symbol.dispose](): void {
    this.#wake();
  }

  #page({ after, peer }: EventQuery): EventPage {
    // A speaker that has begun anew counts from the beginning.
    const from = after > this.#lastId ? 0 : after;
    const oldest = Math.max(1, this.#lastId - this.#capacity + 1);
    const events: SpeakerEvent[] = [];
    let id = Math.max(from + 1, oldest);
    for (; id <= this.#lastId && events.length < PAGE; id += 1) {
      const event = this.#events[id % this.#capacity];
      if (event && (peer === undefined || isAbout(event, peer))) events.push(event);
    }
    return { events, next: id - 1, lost: from === 0 ? 0 : Math.max(0, oldest - from - 1) };
  }

  async #something(waitMs: number): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    this.#waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}

function isAbout({ peer: name, address }: SpeakerEvent, peer: string): boolean {
  return name === peer || address === peer;
}
