import type { CapturedStream } from '../../core/capture/pcapng.ts';
import type { PeerRunner } from '../peer-runner.ts';
import type { StreamTap } from '../transport.ts';

/** What waits to be fetched, of one capture: more is dropped, and counted. */
const MAX_OCTETS = 4 * 1024 * 1024;
const MAX_RECORDS = 4096;
/** Of one answer, octets. */
const PIECE_OCTETS = 512 * 1024;
const MAX_CAPTURES = 4;
/** A capture that nobody fetches ends, milliseconds. */
const ABANDONED_MS = 30_000;

/** Octets of one direction as they went over a session's TCP connection. */
export interface CaptureRecord {
  /** UNIX time, microseconds. */
  readonly timeMicros: number;
  readonly direction: 'sent' | 'received';
  readonly stream: CapturedStream;
  /** Base64. */
  readonly octets: string;
}

export interface CapturePiece {
  readonly records: readonly CaptureRecord[];
  /** Records that were lost because they were not fetched in time, since the last piece. */
  readonly dropped: number;
  /** Ask for the next piece with this. */
  readonly next: string;
}

type Tapped = Pick<PeerRunner, 'taps'>;

/** Captures that somebody fetches piece by piece. While there is none, sessions pay nothing for it. */
export class SessionCaptures implements Disposable {
  readonly #captures = new Map<string, SessionCapture>();
  #made = 0;

  /** Begins to listen to a peer. @returns What to fetch with; `undefined`: there are too many captures. */
  begin(runner: Tapped): string | undefined {
    if (this.#captures.size >= MAX_CAPTURES) return undefined;
    this.#made += 1;
    const id = `${this.#made}`;
    this.#captures.set(id, new SessionCapture(runner, () => this.end(id)));
    return id;
  }

  /** @returns `undefined`: there is no such capture any more. */
  async next(id: string, waitMs: number): Promise<CapturePiece | undefined> {
    const piece = await this.#captures.get(id)?.take(waitMs);
    return piece && { ...piece, next: id };
  }

  /** @returns Whether there was such a capture. */
  end(id: string): boolean {
    this.#captures.get(id)?.[Symbol.dispose]();
    return this.#captures.delete(id);
  }

  [Symbol.dispose](): void {
    for (const id of [...this.#captures.keys()]) this.end(id);
  }
}

class SessionCapture implements Disposable {
  readonly #runner: Tapped;
  readonly #abandoned: () => void;
  #isOver = false;
  readonly #tap: StreamTap = (direction, octets, stream) => this.#add(direction, octets, stream);
  #records: CaptureRecord[] = [];
  #octets = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout;
  #wake: () => void = () => undefined;

  constructor(runner: Tapped, abandoned: () => void) {
    this.#runner = runner;
    this.#abandoned = abandoned;
    this.#timer = setTimeout(abandoned, ABANDONED_MS);
    runner.taps.add(this.#tap);
  }

  async take(waitMs: number): Promise<Omit<CapturePiece, 'next'>> {
    clearTimeout(this.#timer);
    if (this.#records.length === 0 && waitMs > 0) await this.#something(waitMs);
    if (!this.#isOver) this.#timer = setTimeout(this.#abandoned, ABANDONED_MS);
    const records: CaptureRecord[] = [];
    for (let octets = 0; octets < PIECE_OCTETS; ) {
      const record = this.#records.shift();
      if (!record) break;
      records.push(record);
      octets += record.octets.length;
      this.#octets -= record.octets.length;
    }
    const dropped = this.#dropped;
    this.#dropped = 0;
    return { records, dropped };
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#runner.taps.delete(this.#tap);
    this.#wake();
  }

  async #something(waitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  #add(direction: CaptureRecord['direction'], octets: Uint8Array, stream: CapturedStream): void {
    if (this.#records.length >= MAX_RECORDS || this.#octets + octets.length > MAX_OCTETS) {
      this.#dropped += 1;
      return;
    }
    const timeMicros = Math.round((performance.timeOrigin + performance.now()) * 1000);
    const text = Buffer.from(octets).toString('base64');
    this.#octets += text.length;
    this.#records.push({ timeMicros, direction, stream, octets: text });
    this.#wake();
  }
}
