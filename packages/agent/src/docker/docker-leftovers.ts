import { setTimeout as delay } from 'node:timers/promises';
import type { DockerEndpoint, DockerNetwork, EngineClient, RecordFiles } from '@overland/docker';
import type { IpAddress } from '@overland/net';
import { MissedTwice } from '@overland/workloads';
import type { Logger } from 'pino';

export interface DockerLeftoversOptions {
  readonly engine: Pick<EngineClient, 'network'>;
  readonly networks: Pick<RecordFiles<DockerNetwork>, 'all' | 'get' | 'remove' | 'unreadable'>;
  readonly endpoints: Pick<RecordFiles<DockerEndpoint>, 'all' | 'get' | 'remove' | 'unreadable'>;
  readonly leases: {
    /** Every address that Docker is thought to hold. */
    held(): readonly IpAddress[];
    release(address: IpAddress): Promise<void>;
  };
  readonly detach: (endpointId: string) => Promise<void>;
  readonly log: Logger;
}

/** Longer than Docker leaves an endpoint half made: it asks a driver again for half a minute. */
const LOOK_MS = 60_000;

/**
 * Finds what Docker has forgotten without a word: it was killed between two calls, or lost its data. What is missing
 * in two looks, one after the other, is taken apart. While Docker does not answer, or a record cannot be read, nothing is.
 */
export class DockerLeftovers {
  readonly #options: DockerLeftoversOptions;
  readonly #missing = new MissedTwice();

  constructor(options: DockerLeftoversOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        this.#missing.failed();
        this.#options.log.debug({ err: error }, 'Docker could not be asked what it has');
      });
      await delay(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** @throws If Docker does not answer. */
  async look(): Promise<void> {
    const { engine, networks, endpoints, leases, detach, log } = this.#options;
    if (networks.unreadable.length + endpoints.unreadable.length > 0) return;
    const listed = new Set<string>();
    for (const { id } of networks.all()) {
      const found = await engine.network(id);
      for (const endpoint of found?.containers.keys() ?? []) listed.add(endpoint);
      if (!found && this.#missing.miss(id) && networks.get(id)) {
        log.warn({ network: id }, 'Docker has the network no more: forgotten');
        await networks.remove(id);
      }
    }
    for (const { id } of endpoints.all()) {
      if (listed.has(id) || !this.#missing.miss(id) || !endpoints.get(id)) continue;
      log.warn({ endpoint: id }, 'Docker has the endpoint no more: taken off the network');
      await detach(id);
      await endpoints.remove(id);
    }
    const inUse = new Set(endpoints.all().flatMap(({ addresses }) => addresses));
    for (const address of leases.held()) {
      if (inUse.has(address) || !this.#missing.miss(address)) continue;
      log.warn({ address }, 'Docker has no endpoint of the address: given back');
      await leases.release(address);
    }
    this.#missing.ended();
  }
}
