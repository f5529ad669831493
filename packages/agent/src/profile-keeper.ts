import { AccessDeniedError, type Datastore } from '@overland/datastore';
import type { AnyResource } from '@overland/model';
import type { Logger } from 'pino';
import { createIfAbsent } from './resource-writer.ts';

/** Makes the profiles of runtimes' networks when they are first needed. */
export class ProfileKeeper {
  readonly #datastore: Datastore;
  readonly #log: Logger;
  /** Made, or seen, by this process. */
  readonly #seen = new Set<string>();

  constructor(datastore: Datastore, log: Logger) {
    this.#datastore = datastore;
    this.#log = log;
  }

  /** One that is there is left as it is. */
  async ensure(profile: AnyResource): Promise<void> {
    const { name } = profile.metadata;
    if (this.#seen.has(name)) return;
    try {
      if (await createIfAbsent(this.#datastore, profile)) {
        this.#log.info({ profile: name }, 'profile made');
      }
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      // Fails closed: without it the endpoint is denied what policies do not allow.
      this.#log.warn(
        { profile: name },
        'profile cannot be made: the datastore does not let this host',
      );
    }
    this.#seen.add(name);
  }
}
