import { networkInterfaces } from 'node:os';
import { type MessagePort, workerData } from 'node:worker_threads';
import type { DataplaneForStore } from './dataplane-methods.ts';
import type { KernelMethods } from './kernel-channel.ts';
import { createLogger } from './logger.ts';
import type { Config } from './settings.ts';
import type { SpeakerForStore } from './speaker-methods.ts';
import { STORE_ERRORS } from './store-errors.ts';
import type { StoreForDataplane } from './store-methods.ts';
import { StoreService } from './store-service.ts';
import { runThread, type ThreadBody } from './thread-main.ts';
import { openChannel } from './thread-rpc.ts';

/** What main gives this thread. */
export interface StoreData {
  readonly config: Config;
  readonly hostId: string;
  /** Documents of the bootstrap file. */
  readonly manifests: readonly unknown[];
  readonly speaker: MessagePort;
  readonly dataplane: MessagePort;
}

/** The thread that talks to the datastore, and computes from it what the others do. */
async function start(): Promise<ThreadBody> {
  const { config, hostId, manifests, speaker, dataplane } = workerData as StoreData;
  let uplinkMtu: number | undefined;
  const local: StoreForDataplane = {
    setUplinkMtu(octets) {
      uplinkMtu = octets;
    },
  };
  const service = new StoreService({
    config,
    hostId,
    manifests,
    interfaces: networkInterfaces(),
    log: createLogger(config.logLevel, 'store'),
    speaker: openChannel<SpeakerForStore>(speaker, {}),
    dataplane: openChannel<DataplaneForStore & KernelMethods>(dataplane, local, {
      errors: STORE_ERRORS,
    }),
    uplinkMtu: () => uplinkMtu,
  });
  await service.start();
  return { methods: service.methods(), stop: () => service.stop() };
}

runThread(start);
