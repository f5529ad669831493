import { Worker } from 'node:worker_threads';
import type { Family, IpAddress } from '@overland/net';
import type { Messages } from './tables.ts';

export interface PeerSpec {
  readonly address: IpAddress;
  readonly asn: number;
  /** What it can send, by name. */
  readonly tables: Readonly<Record<string, Messages>>;
  /** Whether it keeps count of what it gets. */
  readonly tallies: boolean;
}

export interface PeersData {
  readonly namespace: string;
  readonly family: Family;
  readonly speaker: IpAddress;
  readonly holdSeconds: number;
  readonly peers: readonly PeerSpec[];
}

export type Request =
  /** Every peer that has this table sends it. */
  | { readonly type: 'send'; readonly table: string }
  /** The same, so many messages a second. */
  | { readonly type: 'pace'; readonly table: string; readonly perSecond: number }
  /** Every peer ends TCP without a word. */
  | { readonly type: 'close' }
  /** Answered when every peer has so many prefixes. */
  | { readonly type: 'await'; readonly present: number }
  /** Answered with when the last UPDATE came. */
  | { readonly type: 'last update' }
  /** Answered with when messages of a `pace` were sent, or marked ones arrived: by number, 0 if it did not. */
  | { readonly type: 'sent' | 'arrived' };

export type Told =
  | { readonly type: 'answer'; readonly atMs: number; readonly times?: readonly number[] }
  | { readonly type: 'lost'; readonly peer: string; readonly reason: string };

type Answer = Extract<Told, { type: 'answer' }>;

/** Peers of the router in a thread of their own. One request at a time. */
export class Peers implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #lost = Promise.withResolvers<never>();
  #answer = Promise.withResolvers<Answer>();

  constructor(data: PeersData) {
    this.#worker = new Worker(new URL('./peers-worker.ts', import.meta.url), { workerData: data });
    this.#worker.on('message', (told: Told) => {
      if (told.type === 'answer') this.#answer.resolve(told);
      else this.#lost.reject(new Error(`session of ${told.peer} lost: ${told.reason}`));
    });
    this.#worker.on('error', (error) => this.#lost.reject(error));
    // A session may be lost while nobody waits.
    this.#lost.promise.catch(() => undefined);
  }

  /** Rejects when a session is lost. */
  get lost(): Promise<never> {
    return this.#lost.promise;
  }

  /** All sessions are up. */
  ready(seconds: number): Promise<number> {
    return this.#answered('sessions up', seconds).then(({ atMs }) => atMs);
  }

  /** @returns When it was done, milliseconds of `nowMs`. */
  async ask(request: Request, seconds: number): Promise<number> {
    this.#worker.postMessage(request);
    return (await this.#answered(request.type, seconds)).atMs;
  }

  /** When messages were sent or arrived, by number. */
  async times(type: 'sent' | 'arrived'): Promise<readonly number[]> {
    this.#worker.postMessage({ type } satisfies Request);
    return (await this.#answered(type, 60)).times ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async #answered(what: string, seconds: number): Promise<Answer> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`${what}: nothing in ${seconds} s`)),
      seconds * 1000,
    );
    try {
      const answer = await Promise.race([this.#answer.promise, this.lost, late.promise]);
      this.#answer = Promise.withResolvers();
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }
}
