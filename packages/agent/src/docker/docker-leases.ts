import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '@overland/datastore';
import type { AddressLease, AddressWish, RecordFiles } from '@overland/docker';
import type { Ipam } from '@overland/ipam';
import { workloadHandlePrefix } from '@overland/model';
import type { IpAddress, Prefix } from '@overland/net';
import type { Logger } from 'pino';

export interface DockerLeasesOptions {
  readonly node: string;
  readonly ipam: Pick<Ipam, 'assign' | 'release' | 'allocationsByHandle'>;
  readonly records: RecordFiles<AddressLease>;
  readonly log: Logger;
}

const RETRY_MS = 2000;

/** Begins no handle of a container: their ids have no such character. */
const MARK = '+docker+';

/** The addresses that Docker holds, each under a handle of its own. */
export class DockerLeases {
  readonly #options: DockerLeasesOptions;
  /** Handles that are being asked for: what they hold is no leftover. */
  readonly #asked = new Set<string>();
  /** Whether what an earlier process may have left has been looked for. */
  #isSwept = false;

  constructor(options: DockerLeasesOptions) {
    this.#options = options;
  }

  /** @returns The address, and by what the fabric finds it. */
  async assign({
    family,
    pool,
    address,
  }: AddressWish): Promise<{ address: IpAddress; routes: readonly Prefix[] }> {
    const { node, ipam, records } = this.#options;
    const known = address === undefined ? undefined : records.get(idOf(address));
    if (known && !known.isReturned) return { address: known.address, routes: [] };
    if (known) await this.#settle(known);
    const handle = this.#prefix + randomUUID();
    this.#asked.add(handle);
    try {
      const assigned = await ipam.assign({
        handle,
        families: [family],
        attributes: { node, network: 'docker' },
        ...(pool !== undefined && { pools: [pool] }),
        ...(address !== undefined && { addresses: [address] }),
      });
      const [given] = assigned.addresses;
      if (given === undefined) throw new Error('no address was assigned');
      await records.write({
        version: 1,
        id: idOf(given),
        address: given,
        handle,
        isReturned: false,
      });
      return { address: given, routes: assigned.routes };
    } catch (error) {
      // It may have been assigned; the sweep looks again.
      await ipam.release(handle).catch(() => {
        this.#isSwept = false;
      });
      throw error;
    } finally {
      this.#asked.delete(handle);
    }
  }

  /** Every address that Docker has and has not given back. */
  held(): readonly IpAddress[] {
    const held = this.#options.records.all().filter(({ isReturned }) => !isReturned);
    return held.map(({ address }) => address);
  }

  isHeld(address: IpAddress): boolean {
    const lease = this.#options.records.get(idOf(address));
    return lease !== undefined && !lease.isReturned;
  }

  async release(address: IpAddress): Promise<void> {
    const { records } = this.#options;
    const lease = records.get(idOf(address));
    if (!lease) return;
    const returned = { ...lease, isReturned: true };
    await records.write(returned);
    try {
      await this.#settle(returned);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }

  /** Finishes what waits for the datastore, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { records, log } = this.#options;
    while (!signal.aborted) {
      try {
        for (const lease of records.all()) if (lease.isReturned) await this.#settle(lease);
        if (!this.#isSwept) await this.#sweep();
        this.#isSwept = true;
      } catch (error) {
        log.debug({ err: error }, 'addresses of Docker could not be given back yet');
      }
      await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  get #prefix(): string {
    return workloadHandlePrefix(this.#options.node) + MARK;
  }

  async #settle(lease: AddressLease): Promise<void> {
    const { ipam, records } = this.#options;
    await ipam.release(lease.handle);
    // It may have been given anew meanwhile.
    if (records.get(lease.id)?.handle === lease.handle) await records.remove(lease.id);
  }

  /** Gives back what was assigned and never written down: Docker was not told of it. */
  async #sweep(): Promise<void> {
    const { ipam, records, log } = this.#options;
    if (records.unreadable.length > 0) return;
    for (const { handle, address } of await ipam.allocationsByHandle(this.#prefix)) {
      const isKnown = records.all().some((lease) => lease.handle === handle);
      if (handle === undefined || isKnown || this.#asked.has(handle)) continue;
      log.warn({ address }, 'gave back an address that Docker was never told of');
      await ipam.release(handle);
    }
  }
}

function idOf(address: IpAddress): string {
  return address.replaceAll(':', '-');
}
