import { UnavailableError } from '@overland/datastore';
import { type Ipam, NoAddressError } from '@overland/ipam';
import { type Family, familyOf } from '@overland/net';
import type { Logger } from 'pino';
import type { StoredResources } from './stored-resources.ts';

const RETRY_MS = 5000;

/** Sees that this host has a block of each family that has a pool, so that the first container need not wait for one. */
export class BlockKeeper {
  readonly #ipam: Ipam;
  readonly #log: Logger;
  readonly #asking = new Set<Family>();
  #retry: NodeJS.Timeout | undefined;
  #lastRefusal = '';

  constructor(ipam: Ipam, log: Logger) {
    this.#ipam = ipam;
    this.#log = log;
  }

  /** Looks at what is stored now. Call after each change. */
  check(resources: StoredResources): void {
    const pooled = new Set(resources.all('IPPool').map(({ spec }) => familyOf(spec.cidr)));
    const confirmed = resources.blocks.filter((block) => block.confirmed);
    const held = new Set(confirmed.map(({ cidr }) => familyOf(cidr)));
    for (const family of held) this.#asking.delete(family);
    for (const family of pooled) {
      if (!held.has(family) && !this.#asking.has(family)) void this.#claim(family, resources);
    }
  }

  /** Claims a block ahead of need, for the containers to come. Call when addresses were given out. */
  async keepSpare(families: readonly Family[]): Promise<void> {
    for (const family of families) {
      try {
        const cidr = await this.#ipam.spareBlock(family);
        if (cidr) this.#log.info({ cidr }, 'few addresses are left: a further block is ours');
      } catch (error) {
        this.#note(error);
      }
    }
  }

  stop(): void {
    clearTimeout(this.#retry);
  }

  async #claim(family: Family, resources: StoredResources): Promise<void> {
    this.#asking.add(family);
    try {
      const cidr = await this.#ipam.ensureBlock(family);
      this.#log.info({ cidr }, 'block is ours');
    } catch (error) {
      this.#note(error);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => {
        this.#asking.clear();
        this.check(resources);
      }, RETRY_MS);
    }
  }

  #note(error: unknown): void {
    const expected = error instanceof NoAddressError || error instanceof UnavailableError;
    const message = error instanceof Error ? error.message : String(error);
    if (expected && message === this.#lastRefusal) return;
    this.#lastRefusal = message;
    this.#log.warn({ err: error }, 'no block could be claimed; will retry');
  }
}
