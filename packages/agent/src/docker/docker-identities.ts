import { setTimeout as delay } from 'node:timers/promises';
import {
  type DockerEndpoint,
  type EngineClient,
  identityOf,
  type RecordFiles,
} from '@overland/docker';
import type { WorkloadIdentity } from '@overland/workloads';
import type { Logger } from 'pino';

export interface DockerIdentitiesOptions {
  readonly engine: EngineClient;
  readonly endpoints: RecordFiles<DockerEndpoint>;
  /** Lets an endpoint onto the network. @returns Whether it is attached. */
  readonly identify: (endpointId: string, identity: WorkloadIdentity) => Promise<boolean>;
  /** Docker answers, perhaps after a restart. */
  readonly onConnected: () => void;
  readonly log: Logger;
}

/** Docker tells of a container that has joined; should it not, it is asked so often. */
const LOOK_MS = 500;
const RECONNECT_MS = 1000;

/**
 * Finds out whose endpoints are that have joined: Docker tells it only after it was answered. Until then nothing
 * passes their links.
 */
export class DockerIdentities {
  readonly #options: DockerIdentitiesOptions;
  #wake = Promise.withResolvers<void>();

  constructor(options: DockerIdentitiesOptions) {
    this.#options = options;
  }

  /** There is an endpoint more. */
  lookSoon(): void {
    this.#wake.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#listen(signal), this.#identifyAll(signal)]);
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { engine, onConnected, log } = this.#options;
    let wasAway = false;
    while (!signal.aborted) {
      try {
        let isFirst = true;
        for await (const _ of engine.connections(signal)) {
          if (isFirst) onConnected();
          isFirst = false;
          wasAway = false;
          this.#wake.resolve();
        }
      } catch (error) {
        if (!wasAway && !signal.aborted) {
          const reason = error instanceof Error ? error.message : String(error);
          log.warn(
            { reason },
            "Docker's API does not answer: new containers wait for their labels",
          );
        }
        wasAway = true;
      }
      await delay(RECONNECT_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #identifyAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isWaiting = this.#unidentified().length > 0;
      const again = isWaiting ? [delay(LOOK_MS, undefined, { signal, ref: false })] : [];
      const stopped = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.race([this.#wake.promise, stopped, ...again]).catch(() => undefined);
      this.#wake = Promise.withResolvers();
      if (!signal.aborted) await this.#look();
    }
  }

  #unidentified(): DockerEndpoint[] {
    return this.#options.endpoints.all().filter(({ isUnidentified }) => isUnidentified);
  }

  async #look(): Promise<void> {
    const byNetwork = Map.groupBy(this.#unidentified(), ({ networkId }) => networkId);
    await Promise.all(
      [...byNetwork].map(async ([networkId, endpoints]) => {
        try {
          await this.#lookAt(networkId, endpoints);
        } catch (error) {
          this.#options.log.debug({ err: error, networkId }, 'labels are not known yet');
        }
      }),
    );
  }

  async #lookAt(networkId: string, endpoints: readonly DockerEndpoint[]): Promise<void> {
    const { engine } = this.#options;
    const holders = (await engine.network(networkId))?.containers ?? new Map<string, string>();
    const wanted = endpoints.flatMap(({ id }) => holders.get(id) ?? []);
    if (wanted.length === 0) return;
    const containers = new Map((await engine.containers(wanted)).map((one) => [one.id, one]));
    await Promise.all(
      endpoints.map(async ({ id }) => {
        const container = containers.get(holders.get(id) ?? '');
        if (container) await this.#identify(id, identityOf(container));
      }),
    );
  }

  async #identify(id: string, identity: WorkloadIdentity): Promise<void> {
    const { identify, endpoints, log } = this.#options;
    try {
      const isAttached = await identify(id, identity);
      const now = endpoints.get(id);
      if (isAttached && now?.isUnidentified) {
        await endpoints.write({ ...now, isUnidentified: false });
      }
    } catch (error) {
      log.warn({ err: error, endpoint: id }, 'container is not on the network yet; will try again');
    }
  }
}
