import type { Gateway, InterfaceState, RouteEngine } from '../core/rib/route-engine.ts';

/** As often as the kernel itself asks for a neighbour, milliseconds. */
const INTERVAL_MS = 1000;

/** Has the kernel look for the next hop again. A failure is another second without it. */
export type Probe = (nextHop: Gateway) => void;

/**
 * Asks again for next hops that have stopped answering, until they do: with their routes gone, no packet would.
 * Idle while there are none.
 */
export class NeighbourProbe implements Disposable {
  readonly #engine: RouteEngine;
  readonly #probe: Probe;
  #timer: NodeJS.Timeout | undefined;

  constructor(engine: RouteEngine, probe: Probe) {
    this.#engine = engine;
    this.#probe = probe;
  }

  interfacesChanged(interfaces: readonly InterfaceState[]): void {
    const isNeeded = interfaces.some(({ unreachable = [] }) => unreachable.length > 0);
    if (!isNeeded) this[Symbol.dispose]();
    else this.#timer ??= setInterval(() => this.#ask(), INTERVAL_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #ask(): void {
    for (const nextHop of this.#engine.unreachableNextHops()) this.#probe(nextHop);
  }
}
