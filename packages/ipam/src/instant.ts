/** A moment. A `Date` is one; this package has no clock and takes the time from outside. */
export interface Instant {
  /** Milliseconds since 1970, UTC. */
  getTime(): number;
  /** RFC 3339, UTC. */
  toISOString(): string;
}
