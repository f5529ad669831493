import { type Kernel, type KernelError, PROTOCOL, type Route } from '@overland/linux';
import type { IpAddress } from '@overland/net';
import type { Clock } from './clock.ts';
import { plan } from './plan.ts';
import { RetryQueue } from './retry-queue.ts';

/** Metric of routes to own workloads and blocks: before learned ones, whose metric is 1024. */
export const LOCAL_METRIC = 512;

const BATCH = 128;

/**
 * Routes to this host's workloads, and the blackholes of its blocks. What the kernel holds is mirrored:
 * listing it for every container that starts would read all learned routes as well.
 */
export class LocalRoutes {
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #retries = new RetryQueue<string>();
  /** Ours at any metric, others' at ours. */
  readonly #actual = new Map<string, Route>();
  #desired: ReadonlyMap<string, Route> = new Map();

  constructor(kernel: Kernel, clock: Clock) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  /** Takes over a full listing of both families, ours and others'. */
  readBack(routes: Iterable<Route>): void {
    this.#actual.clear();
    for (const route of routes) this.observe(route, false);
  }

  /** Takes note of a route event. @returns Whether it differs from what we know. */
  observe(route: Route, removed: boolean): boolean {
    if (!isOurs(route) && route.metric !== LOCAL_METRIC) return false;
    const key = keyOf(route);
    const known = this.#actual.get(key);
    // The end of another route at the same place says nothing about this one.
    if (removed && known?.protocol !== route.protocol) return false;
    if (removed) this.#actual.delete(key);
    else this.#actual.set(key, route);
    return removed ? known !== undefined : known === undefined || !sameRoute(known, route);
  }

  /** The link went down or away: the kernel dropped its routes, some without a word. */
  forgetDevice(device: string): void {
    for (const [key, { target }] of this.#actual) {
      if (target.type === 'device' && target.device === device) this.#actual.delete(key);
    }
  }

  /** The address went: the kernel dropped IPv4 routes that preferred it as source, without a word. */
  forgetSource(address: IpAddress): void {
    for (const [key, { source }] of this.#actual) if (source === address) this.#actual.delete(key);
  }

  /**
   * Makes the kernel agree with `desired`.
   *
   * @param mayRemove Whether the datastore is in sync.
   * @returns What the kernel refused; it is tried again.
   */
  async reconcile(desired: readonly Route[], mayRemove: boolean): Promise<KernelError[]> {
    this.#desired = new Map(desired.map((route) => [keyOf(route), route]));
    for (const { key } of this.#retries.entries()) {
      if (!this.#desired.has(key) && !this.#actual.has(key)) this.#retries.forget(key);
    }
    this.#retries.takeDue(this.#clock.now());
    const { create, replace, remove } = plan(this.#desired, this.#actual, {
      equal: sameRoute,
      owned: isOurs,
    });
    const isDue = ([key]: readonly [string, Route]): boolean => !this.#retries.isWaiting(key);
    // Removes before it adds: a moved address must not match its old, more specific route.
    return [
      ...(await this.#apply(mayRemove ? remove.filter(isDue) : [], 'remove')),
      ...(await this.#apply([...create, ...replace].filter(isDue), 'replace')),
    ];
  }

  /** Whether the kernel holds the route as it is desired. */
  isProgrammed(route: Route): boolean {
    const actual = this.#actual.get(keyOf(route));
    return actual !== undefined && isOurs(actual) && sameRoute(route, actual);
  }

  counts(): { readonly wanted: number; readonly programmed: number; readonly conflicts: number } {
    let [programmed, conflicts] = [0, 0];
    for (const [key, route] of this.#desired) {
      const actual = this.#actual.get(key);
      if (!actual) continue;
      if (!isOurs(actual)) conflicts++;
      else if (sameRoute(route, actual)) programmed++;
    }
    return { wanted: this.#desired.size, programmed, conflicts };
  }

  /** Routes that the kernel refused, by destination and metric. */
  get retries(): RetryQueue<string> {
    return this.#retries;
  }

  async #apply(
    entries: readonly (readonly [key: string, Route])[],
    how: 'replace' | 'remove',
  ): Promise<KernelError[]> {
    const refused: KernelError[] = [];
    for (let at = 0; at < entries.length; at += BATCH) {
      const batch = entries.slice(at, at + BATCH);
      const outcome = await this.#kernel.routes[how](batch.map(([, route]) => route));
      for (const [i, [key, route]] of batch.entries()) {
        const error = outcome[i];
        if (error) {
          refused.push(error);
          this.#retries.failed(key, error.code, this.#clock.now());
          continue;
        }
        this.#retries.forget(key);
        if (how === 'remove') this.#actual.delete(key);
        else this.#actual.set(key, route);
      }
    }
    return refused;
  }
}

function keyOf({ destination, metric }: Route): string {
  return `${destination} metric ${metric}`;
}

function isOurs({ protocol }: Route): boolean {
  return protocol === PROTOCOL.local;
}

function sameRoute(a: Route, b: Route): boolean {
  const deviceOf = ({ target }: Route): string | undefined =>
    target.type === 'device' ? target.device : undefined;
  return (
    a.protocol === b.protocol &&
    a.source === b.source &&
    a.target.type === b.target.type &&
    deviceOf(a) === deviceOf(b)
  );
}
