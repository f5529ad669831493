import { openFlowEvents, readPacketHeader } from '@overland/linux';
import type { Logger } from 'pino';
import type { PolicyState } from '../calc/policy-state.ts';
import { FlowTable } from './flow-table.ts';
import { type JudgedFlow, judgeFlows } from './judge-flows.ts';

/** NFLOG group to which packets that policy drops are sent. */
export const DENIED_GROUP = 2;
/** IPv6 header, some extension headers and ports. */
const COPY_OCTETS = 128;
const MAX_FLOWS = 4096;

/** Flows of this host's workloads since the last look. Plain data, fit for `postMessage`. */
export interface CollectedFlows {
  readonly flows: readonly JudgedFlow[];
  /** Since the start: events that found no room, and times that the kernel dropped what was not read in time. */
  readonly untold: number;
  readonly overruns: number;
}

export interface FlowCollectorOptions {
  /** What the packet filter holds now. */
  readonly state: () => PolicyState;
  readonly log: Logger;
}

/** Listens to the kernel while somebody wants to know about flows. */
export class FlowCollector implements Disposable {
  readonly #options: FlowCollectorOptions;
  readonly #table = new FlowTable({ maxFlows: MAX_FLOWS, now: Date.now });
  #events: Disposable | undefined;
  #overruns = 0;

  constructor(options: FlowCollectorOptions) {
    this.#options = options;
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
        this.#options.log.warn({ err: error }, 'the kernel tells of no more flows');
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
    const flows = judgeFlows(this.#table.take(), this.#options.state());
    return { flows, untold: this.#table.untold, overruns: this.#overruns };
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
