/** A moment. A `Date` is one; this package has no clock and takes the time from outside. */
export interface Instant {
  /** Milliseconds since 1970, UTC. */
  getTime(): number;
  /** RFC 3339, UTC. */
  toISOString(): string;
}

/** Milliseconds since 1970 of an RFC 3339 time; NaN if it is none. */
export function instantOf(text: string): number {
  // biome-ignore lint/style/noRestrictedGlobals: parsing a time that is stored reads no clock.
  return Date.parse(text);
}
