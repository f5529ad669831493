import { type MessagePort, workerData } from 'node:worker_threads';
import { speakerPort } from '@overland/bgp/speaker-api';
import type { DataplaneForSpeaker } from './dataplane-methods.ts';
import { createLogger } from './logger.ts';
import type { SpeakerForDataplane, SpeakerForStore, SpeakerMethods } from './speaker-methods.ts';
import { type BfdAccess, SpeakerService } from './speaker-service.ts';
import { runThread, type ThreadBody } from './thread-main.ts';
import { openChannel } from './thread-rpc.ts';

/** What main gives this thread. */
export interface SpeakerData {
  readonly logLevel: string;
  readonly bfd: BfdAccess;
  readonly dataplane: MessagePort;
  readonly store: MessagePort;
}

/** The thread of the BGP sessions and the RIBs. */
async function start(): Promise<ThreadBody> {
  const { logLevel, bfd, dataplane, store } = workerData as SpeakerData;
  const forDataplane: SpeakerForDataplane = {
    setInterfaces: (interfaces) => service.setInterfaces(interfaces),
  };
  const toDataplane = openChannel<DataplaneForSpeaker>(dataplane, forDataplane, {
    transfer: (_method, args) => args.flatMap(buffersOf),
  });
  const service = new SpeakerService(toDataplane, createLogger(logLevel, 'speaker'), bfd);
  const forStore: SpeakerForStore = {
    configure: (config) => service.configure(config),
    offered: (prefixes, timeoutMs) => service.offered(prefixes, timeoutMs),
  };
  openChannel(store, forStore);
  const methods: SpeakerMethods = {
    ...speakerPort(() => service.operator),
    health: () => service.health(),
  };
  return { methods, stop: () => service.stop() };
}

/** The records of a route batch move to the dataplane; nobody here needs them any more. */
function buffersOf(argument: unknown): ArrayBuffer[] {
  const { records } = (argument ?? {}) as { readonly records?: unknown };
  return records instanceof Uint8Array && records.buffer instanceof ArrayBuffer
    ? [records.buffer]
    : [];
}

runThread(start);
