/** An ADD that is being answered. */
export interface AddInFlight {
  /** A DEL of the same attachment has come since: what has not begun must not begin. */
  isCalledOff: boolean;
}

/**
 * The ADDs that are being answered, by attachment. A runtime that has given up on an ADD sends a DEL, which must not
 * be done with before the ADD is: it would come to nothing, and the ADD would be there afterwards.
 */
export class AddsInFlight {
  readonly #adds = new Map<string, Map<AddInFlight, Promise<unknown>>>();

  /** Runs an ADD. It must look whether it was called off before it makes anything. */
  async run<T>(key: string, add: (flight: AddInFlight) => Promise<T>): Promise<T> {
    const flight: AddInFlight = { isCalledOff: false };
    const flights = this.#adds.get(key) ?? new Map<AddInFlight, Promise<unknown>>();
    this.#adds.set(key, flights);
    const result = add(flight);
    flights.set(flight, result);
    try {
      return await result;
    } finally {
      flights.delete(flight);
      if (flights.size === 0) this.#adds.delete(key);
    }
  }

  /** Runs a DEL; again, if there were ADDs, when they have come to their end. It must call off what it finds begun. */
  async overtake<T>(key: string, del: () => Promise<T>): Promise<T> {
    const flights = [...(this.#adds.get(key) ?? [])];
    for (const [flight] of flights) flight.isCalledOff = true;
    const result = await del();
    if (flights.length === 0) return result;
    await Promise.allSettled(flights.map(([, end]) => end));
    return await del();
  }
}
