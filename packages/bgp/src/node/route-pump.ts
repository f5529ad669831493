import type { Prefix, RouteBatch } from '@overland/net';
import type { RouteEngine } from '../core/rib/route-engine.ts';

/** Batches on their way to the kernel at one time, and records in each. */
const MOST_IN_FLIGHT = 4;
const BATCH_RECORDS = 2048;

/** Takes route batches from the engine, as many at a time as the receiver keeps up with. */
export class RoutePump {
  readonly #engine: RouteEngine;
  readonly #deliver: (batch: RouteBatch) => Promise<readonly Prefix[]>;
  readonly #events: { settled(): void; failed(error: unknown): void };
  #inFlight = 0;

  /** @param deliver Resolves when the batch is applied, to what of it the kernel does not have. A rejection is fatal: the kernel's state is then unknown. */
  constructor(
    engine: RouteEngine,
    deliver: (batch: RouteBatch) => Promise<readonly Prefix[]>,
    events: { settled(): void; failed(error: unknown): void },
  ) {
    this.#engine = engine;
    this.#deliver = deliver;
    this.#events = events;
  }

  /** Whether batches are on their way. */
  get isDelivering(): boolean {
    return this.#inFlight > 0;
  }

  /** @returns Whether there is more that could be delivered now. */
  pump(deadlineMs: number): boolean {
    while (this.#inFlight < MOST_IN_FLIGHT) {
      const batch = this.#engine.nextRouteBatch(BATCH_RECORDS);
      if (!batch) return false;
      this.#inFlight += 1;
      this.#deliver(batch).then(
        (missing) => {
          this.#inFlight -= 1;
          this.#engine.routesApplied(batch.sequence, missing);
          this.#events.settled();
        },
        (error: unknown) => this.#events.failed(error),
      );
      if (performance.now() >= deadlineMs) return true;
    }
    return false;
  }
}
