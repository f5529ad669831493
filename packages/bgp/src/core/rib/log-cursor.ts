import type { MessageLog } from './message-log.ts';

const NO_OCTETS = new Uint8Array(0);

/** How far a peer is with the log of its class, and what of its own goes in. */
export class LogCursor {
  #generation = -1;
  #at = 0;
  /** Group and next hop of the announcement that is being packed and will be in the log; group 0: it will not. */
  #group = 0;
  #nextHop: Uint8Array = NO_OCTETS;

  /** The next message that the peer has not looked at; -1: there is none. */
  next(log: MessageLog): number {
    if (this.#generation !== log.generation) {
      this.#generation = log.generation;
      this.#at = 0;
    }
    if (this.#at >= log.count) return -1;
    this.#at += 1;
    return this.#at - 1;
  }

  /** An announcement begins. */
  begin(log: MessageLog, group: number, nextHop: Uint8Array): void {
    if (!log.isSharedWith(this)) return;
    this.#group = group;
    this.#nextHop = nextHop;
  }

  /** Whether what is being packed will be in the log. */
  get isRecording(): boolean {
    return this.#group !== 0;
  }

  /** A prefix of what is being packed. */
  add(log: MessageLog, prefix: number): void {
    if (this.isRecording) log.add(prefix);
  }

  /** The message that {@link isRecording} is said of is packed. @param nextHopAt Where in it the next hop is. */
  end(log: MessageLog, message: Uint8Array, nextHopAt: number): void {
    log.append({ message, group: this.#group, nextHopAt, nextHopOctets: this.#nextHop.length });
    this.#group = 0;
    // It is no news to this peer.
    if (this.#generation === log.generation) this.#at = log.count;
  }
}
