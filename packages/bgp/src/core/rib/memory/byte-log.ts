import { Int32Column } from './column.ts';

const SEGMENT_BITS = 16;
const SEGMENT_OCTETS = 1 << SEGMENT_BITS;
const FIRST_SEGMENT_OCTETS = 4096;
const HEADER_OCTETS = 6;

/** Largest block, octets. */
export const MAX_BLOCK_OCTETS = SEGMENT_OCTETS - HEADER_OCTETS;

/**
 * Memory for many small byte strings, each owned by an id. Blocks are appended to segments of 64 kB; a segment
 * that is mostly garbage has its living blocks moved to the end of the log, so that fragmentation is bounded,
 * whatever sizes come and go, and so is the work of one call.
 *
 *   +-----------+------------+---------------+
 *   | Owner (4) | Length (2) | Octets        |   Owner 0: garbage.
 *   +-----------+------------+---------------+
 *
 * The first segments are smaller: a speaker with ten routes takes 4 kB.
 */
export class ByteLog {
  readonly #moved: (owner: number, position: number) => void;
  readonly #segments: Uint8Array[] = [];
  readonly #spare: number[] = [];
  /** Octets of living blocks, headers included, and octets written, by segment. */
  readonly #living = new Int32Column();
  readonly #written = new Int32Column();
  /** Segments that became sparse while they were written; each append deals with one. */
  readonly #sparse: number[] = [];
  #current = 0;

  /** @param moved Told where the block of `owner` is now. */
  constructor(moved: (owner: number, position: number) => void) {
    this.#moved = moved;
    this.#segments.push(new Uint8Array(FIRST_SEGMENT_OCTETS));
  }

  /** Octets allocated. */
  get capacity(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.length, 0);
  }

  /** The segment that holds a position; the octets begin at {@link offsetOf} in it. */
  segmentOf(position: number): Uint8Array {
    return this.#segments[position >>> SEGMENT_BITS] as Uint8Array;
  }

  offsetOf(position: number): number {
    return position & (SEGMENT_OCTETS - 1);
  }

  /**
   * Stores the first `length` octets of `source`.
   *
   * @param length At most {@link MAX_BLOCK_OCTETS}.
   * @returns The position of the octets, valid until `moved` tells another.
   */
  append(owner: number, source: Uint8Array, length: number): number {
    const position = this.#store(owner, source, length);
    const sparse = this.#sparse.pop();
    if (sparse !== undefined && this.#isSparse(sparse)) this.#evacuate(sparse);
    return position;
  }

  /** Frees the block at `position`. May move others. */
  free(position: number, length: number): void {
    const index = position >>> SEGMENT_BITS;
    const segment = this.segmentOf(position);
    segment.fill(0, this.offsetOf(position) - HEADER_OCTETS, this.offsetOf(position) - 2);
    this.#living.set(index, this.#living.get(index) - HEADER_OCTETS - length);
    if (this.#isSparse(index)) this.#evacuate(index);
  }

  #store(owner: number, source: Uint8Array, length: number): number {
    const position = this.#reserve(owner, length);
    const segment = this.segmentOf(position);
    const offset = this.offsetOf(position);
    for (let i = 0; i < length; i += 1) segment[offset + i] = source[i] ?? 0;
    return position;
  }

  #reserve(owner: number, length: number): number {
    const octets = HEADER_OCTETS + length;
    let segment = this.#segments[this.#current] as Uint8Array;
    let at = this.#written.get(this.#current);
    if (at + octets > segment.length) {
      segment = this.#open(octets);
      at = 0;
    }
    segment[at] = owner >>> 24;
    segment[at + 1] = owner >>> 16;
    segment[at + 2] = owner >>> 8;
    segment[at + 3] = owner;
    segment[at + 4] = length >>> 8;
    segment[at + 5] = length;
    this.#written.set(this.#current, at + octets);
    this.#living.set(this.#current, this.#living.get(this.#current) + octets);
    return ((this.#current << SEGMENT_BITS) | (at + HEADER_OCTETS)) >>> 0;
  }

  /** Makes another segment the current one. */
  #open(octets: number): Uint8Array {
    const full = this.#current;
    const last = this.#segments[full] as Uint8Array;
    const size = Math.min(SEGMENT_OCTETS, Math.max(octets, last.length * 2));
    this.#current = this.#spare.pop() ?? this.#segments.length;
    const segment = new Uint8Array(size);
    this.#segments[this.#current] = segment;
    this.#written.set(this.#current, 0);
    this.#living.set(this.#current, 0);
    if (this.#isSparse(full)) this.#sparse.push(full);
    return segment;
  }

  /** Whether less than a quarter of what was written to the segment is alive. */
  #isSparse(index: number): boolean {
    return index !== this.#current && this.#living.get(index) * 4 < this.#written.get(index);
  }

  #evacuate(index: number): void {
    const segment = this.#segments[index] as Uint8Array;
    const written = this.#written.get(index);
    const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
    for (let at = 0; at < written; ) {
      const owner = view.getUint32(at);
      const length = view.getUint16(at + 4);
      const from = at + HEADER_OCTETS;
      if (owner !== 0) {
        this.#moved(owner, this.#store(owner, segment.subarray(from, from + length), length));
      }
      at = from + length;
    }
    this.#segments[index] = new Uint8Array(0);
    this.#living.set(index, 0);
    this.#written.set(index, 0);
    this.#spare.push(index);
  }
}
