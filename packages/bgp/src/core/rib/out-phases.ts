import type { Family } from '@overland/net';
import { encodeRouteRefresh } from '../wire/route-refresh.ts';

/** What a peer is to be told between UPDATEs. */
export type Mark = 'refresh-begins' | 'refresh-ends' | 'end-of-rib';

/**
 * How far a peer is with all that there is: passes over every prefix, End-of-RIB (RFC 4724 section 2) behind the first one,
 * and begin and end of a refresh (RFC 7313).
 */
export class OutPhases {
  /** The next prefix of a pass over those that were there when it began, and the last one. */
  #at = 1;
  #end: number;
  #isFirstPass = true;
  #owesEndOfRib = true;
  /** Of a refresh, what the peer is to be told next. */
  #owesRefresh: 'begin' | 'end' | undefined;
  #isSettled = false;

  /** @param end Highest prefix. */
  constructor(end: number) {
    this.#end = end;
  }

  get isPassing(): boolean {
    return this.#at <= this.#end;
  }

  /** The first pass leaves out what a change has brought to the peer already; a repeated one must not. */
  get isFirstPass(): boolean {
    return this.#isFirstPass;
  }

  /** Begins another pass. @param end Highest prefix. */
  startPass(end: number): void {
    this.#at = 1;
    this.#end = end;
    this.#isFirstPass = false;
  }

  /** The next prefix of the pass, while there is one. */
  nextPrefix(): number {
    const prefix = this.#at;
    this.#at += 1;
    return prefix;
  }

  /** Everything that is known has been decided: End-of-RIB may follow, after the first pass. */
  settle(): void {
    if (!this.isPassing) this.#isSettled = true;
  }

  /** The peer is to be told where a refresh begins and ends. Before End-of-RIB it has no beginning: RFC 7313 section 4. */
  beginRefresh(): void {
    if (!this.#owesEndOfRib) this.#owesRefresh = 'begin';
  }

  /** Whether End-of-RIB has been sent. */
  get hasEndedRib(): boolean {
    return !this.#owesEndOfRib;
  }

  /** What the peer is to be told now. @param isIdle Nothing else waits to be sent. */
  due(isIdle: boolean): Mark | undefined {
    if (this.#owesRefresh === 'begin') return 'refresh-begins';
    if (!isIdle || this.isPassing) return undefined;
    if (this.#owesRefresh === 'end') return 'refresh-ends';
    return this.#owesEndOfRib && this.#isSettled ? 'end-of-rib' : undefined;
  }

  /** End-of-RIB is being sent. */
  endRib(): void {
    this.#owesEndOfRib = false;
  }

  /** Writes the message that says where a refresh begins or ends. @returns Its octets. */
  tellRefresh(
    mark: Exclude<Mark, 'end-of-rib'>,
    family: Family,
    { target, offset }: { readonly target: Uint8Array; readonly offset: number },
  ): number {
    const kind = mark === 'refresh-begins' ? 'begin' : 'end';
    const message = encodeRouteRefresh({ kind, family });
    target.set(message, offset);
    this.#owesRefresh = kind === 'begin' ? 'end' : undefined;
    return message.length;
  }
}
