import { UnavailableError } from '../errors.ts';
import { discoverEndpoints } from './discover-endpoints.ts';
import { type Endpoint, type EtcdOptions, parseEndpoints } from './etcd-options.ts';

/** The members of a cluster, one after the other. Those found by DNS are looked up anew after each round. */
export class Members {
  readonly #domain: string | undefined;
  #endpoints: readonly Endpoint[] | undefined;
  #index = 0;
  #lookup: Promise<readonly Endpoint[]> | undefined;

  /** @throws {RangeError} If the endpoints are none. */
  constructor({ endpoints = [], discoverySrv }: EtcdOptions) {
    this.#domain = discoverySrv;
    if (discoverySrv !== undefined) return;
    this.#endpoints = parseEndpoints(endpoints);
    // Clients spread over the members.
    this.#index = Math.floor(Math.random() * this.#endpoints.length);
  }

  /** How many are known; 1 if none is yet. */
  get count(): number {
    return this.#endpoints?.length ?? 1;
  }

  /** @throws {UnavailableError} If they are not found in time. */
  async current(timeMs: number): Promise<Endpoint> {
    this.#endpoints ??= await within(timeMs, this.#discover());
    const endpoint = this.#endpoints[this.#index];
    if (!endpoint) throw new UnavailableError('etcd: no members are known');
    return endpoint;
  }

  /** Leaves the current one, which has failed. */
  next(): void {
    if (!this.#endpoints) return;
    this.#index = (this.#index + 1) % this.#endpoints.length;
    if (this.#domain !== undefined && this.#index === 0) this.#endpoints = undefined;
  }

  #discover(): Promise<readonly Endpoint[]> {
    this.#lookup ??= discoverEndpoints(this.#domain ?? '').finally(() => {
      this.#lookup = undefined;
    });
    return this.#lookup;
  }
}

async function within<T>(timeMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new UnavailableError('etcd: DNS does not answer in time')),
    timeMs,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
