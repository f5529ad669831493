import type { Connection, FlowTuple } from '@overland/linux';
import type { IpAddress } from '@overland/net';

/** What became of packets between two addresses, to one port, since the last look. Plain data, fit for `postMessage`. */
export interface FlowCounts {
  readonly verdict: 'allow' | 'deny';
  readonly source: IpAddress;
  /** After translation: the workload behind a floating address or a host's port. */
  readonly destination: IpAddress;
  /** IP protocol number. */
  readonly protocol: number;
  /** 0 where the protocol has none. */
  readonly destinationPort: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** Connections that began. */
  readonly began: number;
  /** Connections that ended: only of those is it known what they carried. */
  readonly ended: number;
  /** From source to destination. Of what was denied, packets that the kernel told us of: it tells of so many a second. */
  readonly packets: number;
  readonly octets: number;
  readonly answerPackets: number;
  readonly answerOctets: number;
  /** First and newest event, milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What flows differ in. Ports of clients are not kept: a client takes another one for every connection. */
type FlowKind = Pick<
  FlowCounts,
  'verdict' | 'source' | 'destination' | 'protocol' | 'destinationPort' | 'icmpType' | 'icmpCode'
>;

export interface FlowTableOptions {
  /** Flows that are told apart between two looks; of others it is counted only how many events there were. */
  readonly maxFlows: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Adds up what the kernel tells of packets and connections, until somebody looks. */
export class FlowTable {
  readonly #options: FlowTableOptions;
  #flows = new Map<string, Writable<FlowCounts>>();
  #untold = 0;

  constructor(options: FlowTableOptions) {
    this.#options = options;
  }

  /** Events that found the table full since the start. */
  get untold(): number {
    return this.#untold;
  }

  /** A packet was dropped. @param octets Its length. */
  denied(tuple: FlowTuple, octets: number): void {
    const flow = this.#find({ verdict: 'deny', ...kindOf(tuple) });
    if (!flow) return;
    flow.packets += 1;
    flow.octets += octets;
  }

  began(connection: Connection): void {
    const flow = this.#find({ verdict: 'allow', ...kindOf(afterTranslation(connection)) });
    if (flow) flow.began += 1;
  }

  ended(connection: Connection): void {
    const flow = this.#find({ verdict: 'allow', ...kindOf(afterTranslation(connection)) });
    if (!flow) return;
    const { sent, answered } = connection;
    flow.ended += 1;
    flow.packets += sent.packets;
    flow.octets += sent.octets;
    flow.answerPackets += answered.packets;
    flow.answerOctets += answered.octets;
  }

  /** What there was since the last call, in the order of their first events. */
  take(): FlowCounts[] {
    const flows = [...this.#flows.values()];
    this.#flows = new Map();
    return flows;
  }

  #find(kind: FlowKind): Writable<FlowCounts> | undefined {
    const { maxFlows, now } = this.#options;
    const key = Object.values(kind).join(' ');
    let flow = this.#flows.get(key);
    if (!flow) {
      if (this.#flows.size >= maxFlows) {
        this.#untold += 1;
        return undefined;
      }
      const at = now();
      flow = { ...kind, ...NOTHING, firstAt: at, lastAt: at };
      this.#flows.set(key, flow);
    }
    flow.lastAt = now();
    return flow;
  }
}

const NOTHING = {
  began: 0,
  ended: 0,
  packets: 0,
  octets: 0,
  answerPackets: 0,
  answerOctets: 0,
} as const;

function kindOf({
  source,
  destination,
  protocol,
  destinationPort,
  icmpType,
  icmpCode,
}: FlowTuple): Omit<FlowKind, 'verdict'> {
  const icmp = icmpType === undefined ? {} : { icmpType, icmpCode: icmpCode ?? 0 };
  return { source, destination, protocol, destinationPort, ...icmp };
}

/** Answers come from where packets arrive; who sends them is told by the first packet. */
function afterTranslation({ original, reply }: Connection): FlowTuple {
  return { ...original, destination: reply.source, destinationPort: reply.sourcePort };
}
