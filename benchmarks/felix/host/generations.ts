import { openNftables } from '@overland/linux/netfilter';

/** Transactions of nftables in this network namespace, as the kernel tells of them (NFT_MSG_NEWGEN). */
export class Generations implements Disposable {
  readonly #nftables = openNftables();
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #count = 0;
  #next = Promise.withResolvers<number>();

  constructor() {
    this.#watching = this.#watch();
  }

  /** So far. */
  get count(): number {
    return this.#count;
  }

  /** @returns When the next one comes, of `performance.now`. @throws If none comes in time, or the kernel cannot tell. */
  async next(withinMs: number): Promise<number> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error('nothing has changed in nftables')),
      withinMs,
    );
    try {
      const ended = this.#watching.then((): never => {
        throw new Error('nftables tell nothing more');
      });
      return await Promise.race([this.#next.promise, ended, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#nftables[Symbol.dispose]();
  }

  async #watch(): Promise<void> {
    for await (const table of this.#nftables.foreignChanges(this.#stop.signal)) {
      if (table === undefined) throw new Error('notifications of nftables were lost');
      this.#count++;
      this.#next.resolve(performance.now());
      this.#next = Promise.withResolvers();
    }
  }
}
