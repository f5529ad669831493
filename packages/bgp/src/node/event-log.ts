import type { Family, IpAddress } from '@overland/net';
import type { PeerConfig } from '../core/config.ts';
import type { BfdState } from '../core/session/bfd-gate.ts';
import type { State } from '../core/session/fsm.ts';
import type { DrainPhase } from './drain.ts';
import { PagedRing, type PageQuery } from './paged-ring.ts';

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
export interface EventQuery extends PageQuery {
  /** Name or address of a peer; absent: all. */
  readonly peer?: string;
}

const CAPACITY = 2048;

/** The last events of a speaker. */
export class EventLog implements Disposable {
  readonly #ring: PagedRing<SpeakerEvent>;

  constructor(capacity = CAPACITY) {
    this.#ring = new PagedRing(capacity);
  }

  /** @param peer `undefined`: the speaker itself. */
  add(peer: Pick<PeerConfig, 'name' | 'address'> | undefined, detail: EventDetail): void {
    const time = new Date().toISOString();
    const whose = { peer: peer?.name ?? null, address: peer?.address ?? null };
    this.#ring.add((id) => ({ id, time, ...whose, ...detail }));
  }

  /** Whether anything is known of a peer. @param peer Name or address. */
  knows(peer: string): boolean {
    return this.#ring.some((event) => isAbout(event, peer));
  }

  async read({ peer, ...query }: EventQuery): Promise<EventPage> {
    const accept = (event: SpeakerEvent) => peer === undefined || isAbout(event, peer);
    const { items, ...place } = await this.#ring.read(query, accept);
    return { events: items, ...place };
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
  }
}

function isAbout({ peer: name, address }: SpeakerEvent, peer: string): boolean {
  return name === peer || address === peer;
}
