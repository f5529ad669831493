import { openFlowEvents, readPacketHeader } from '@overland/linux/netfilter';
import type { Logger } from 'pino';
import { DENIED_GROUP } from './denied-group.ts';
import { type FlowCounts, FlowTable } from './flow-table.ts';

/** IPv6 header, some extension headers and ports. */
const COPY_OCTETS = 128;
const MAX_FLOWS = 4096;

/** Flows since the last look. Plain data, fit for `postMessage`. */
export interface CollectedFlows {
  readonly flows: readonly FlowCounts[];
  /** Since the start: events that found no room, and times that the kernel dropped what was not read in time. */
  readonly untold: number;
  readonly overruns: number;
}

/** Listens to the kernel while somebody wants to know about flows. */
export class FlowCollector implements Disposable {
  readonly #log: Logger;
  readonly #table = new FlowTable({ maxFlows: MAX_FLOWS, now: Date.now });
  #events: Disposable | undefined;
  #overruns = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Begins to listen, in the calling thread's network namespace. @throws {KernelError} */
  start(): void {
    this.#events ??= openFlowEvents({
      logGroup: DENIED_GROUP,
      copyOctets: COPY_OCTETS,
      logged: ({ octets }) => {
        const header = readPacketHeader(octets);
        if (header) this.#table.denied(header, header.octets);
      },
      began: (connection) => this.#table.began(connection),
      ended: (connection) => this.#table.ended(connection),
      lost: () => {
        this.#overruns += 1;
      },
      failed: (error) => {
        this.#log.warn({ err: error }, 'the kernel tells of no more flows');
        this.stop();
      },
    });
  }

  stop(): void {
    this.#events?.[Symbol.dispose]();
    this.#events = undefined;
    this.#table.take();
  }

  /** What there was since the last call. */
  take(): CollectedFlows {
    return { flows: this.#table.take(), untold: this.#table.untold, overruns: this.#overruns };
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
