import type { Logger } from 'pino';
import type { SpeakerConfig } from '../core/config.ts';
import { ListenError } from './listeners.ts';

export interface ReloadOptions {
  readonly log: Logger;
  /** Reads the configuration; a rejection leaves in force what is. */
  read(): Promise<SpeakerConfig>;
  /** @throws {ListenError} If an address cannot be listened on; everything else is in force. */
  apply(config: SpeakerConfig): Promise<void>;
}

/** Takes over the configuration anew with each SIGHUP, one after the other, until disposed. */
export function reloadOnHangup({ log, read, apply }: ReloadOptions): AsyncDisposable {
  let work = Promise.resolve();
  const reload = async (): Promise<void> => {
    try {
      const config = await read();
      await apply(config);
      log.info({ peers: config.peers.length }, 'configuration taken over');
    } catch (error) {
      const kept =
        error instanceof ListenError ? 'the rest is in force' : 'what was in force stays';
      log.error({ err: error }, `configuration not taken over as it is: ${kept}`);
    }
  };
  const onHangup = (): void => {
    work = work.then(reload);
  };
  process.on('SIGHUP', onHangup);
  return {
    async [Symbol.asyncDispose]() {
      process.off('SIGHUP', onHangup);
      await work;
    },
  };
}
