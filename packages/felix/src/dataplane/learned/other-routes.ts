import { PROTOCOL, type Route } from '@overland/linux';
import type { Prefix } from '@overland/net';

/** Metric of learned routes: Calico's `ipv4NormalRoutePriority`. A static route without metric wins. */
export const LEARNED_METRIC = 1024;

/** Whether it is a route that this package writes: our protocol at our metric. */
export function isLearned({ protocol, metric }: Route): boolean {
  return protocol === PROTOCOL.bgp && metric === LEARNED_METRIC;
}

/** What else the kernel holds in one family, as far as it concerns learned routes. */
export class OtherRoutes {
  /** Destinations that somebody else has a route for, at our metric: theirs is left alone. */
  readonly #occupied = new Set<Prefix>();
  /** Next-hop objects that somebody else's routes use. */
  readonly #borrowed = new Set<number>();
  /** Ours by protocol, but at a metric that we do not write: from another version, or by hand. */
  #surplus: Route[] = [];

  clear(): void {
    this.#occupied.clear();
    this.#borrowed.clear();
    this.#surplus = [];
  }

  add(route: Route): void {
    if (route.protocol === PROTOCOL.bgp) {
      this.#surplus.push(route);
      return;
    }
    if (route.metric === LEARNED_METRIC) this.#occupied.add(route.destination);
    if (route.target.type === 'next-hop-object') this.#borrowed.add(route.target.id);
  }

  /** Objects that it used count as borrowed until the next read-back: another route may use them. */
  remove({ protocol, metric, destination }: Route): void {
    if (protocol !== PROTOCOL.bgp && metric === LEARNED_METRIC) this.#occupied.delete(destination);
  }

  isOccupied(destination: Prefix): boolean {
    return this.#occupied.size > 0 && this.#occupied.has(destination);
  }

  get borrowed(): ReadonlySet<number> {
    return this.#borrowed;
  }

  get hasSurplus(): boolean {
    return this.#surplus.length > 0;
  }

  takeSurplus(limit: number): Route[] {
    return this.#surplus.splice(0, limit);
  }
}
