import type { FlowCounts, JudgedFlow } from '@overland/felix';
import type { Labels } from '@overland/model';
import { protocolText } from '@overland/model/protocol';
import type { IpAddress } from '@overland/net';

/** Who has an address. */
export interface FlowEnd {
  readonly kind: 'workload' | 'host' | 'network-set' | 'address';
  /** `NAMESPACE/NAME` of a workload, or the name of the host or set; absent: nobody that we know. */
  readonly name?: string;
  readonly labels?: Labels;
  /** Of a workload, its host. */
  readonly node?: string;
}

/** What the datastore's thread makes of flows. */
export interface DescribedFlows {
  /** Those that workloads of this host have a part in. */
  readonly flows: readonly JudgedFlow[];
  /** Who has their addresses, as far as it is known. */
  readonly ends: ReadonlyMap<IpAddress, FlowEnd>;
}

/** Who decides about a flow, and how. */
interface FlowDecision {
  readonly action: 'allow' | 'deny';
  readonly tier?: string;
  /** Policy or profile, such as `NetworkPolicy prod/web`; absent: none, but what `reason` says. */
  readonly policy?: string;
  /** From 1 on. */
  readonly rule?: number;
  readonly reason?: string;
}

/** Why a workload of this host lets a flow through, or not. */
interface FlowReason extends FlowDecision {
  readonly direction: 'egress' | 'ingress';
  readonly endpoint: string;
  /** What the staged policies would decide, where that is something else. */
  readonly staged?: FlowDecision;
}

/** What is told as it was counted. */
type FlowAmounts = Omit<
  FlowCounts,
  'source' | 'destination' | 'protocol' | 'destinationPort' | 'firstAt' | 'lastAt'
>;

/** What went from one end to another, to one port, in an interval. */
export interface FlowRecord extends FlowAmounts {
  /** Rises by one from record to record. */
  readonly id: number;
  readonly node: string;
  /** ISO 8601, UTC: the first and the newest that was seen. */
  readonly from: string;
  readonly until: string;
  readonly source: FlowEnd & { readonly address: IpAddress };
  readonly destination: FlowEnd & { readonly address: IpAddress; readonly port?: number };
  /** `TCP`, or a number. */
  readonly protocol: string;
  /** By the ends that are on this host, whoever denies last. */
  readonly reasons: readonly FlowReason[];
}

export interface RecordContext {
  readonly id: number;
  readonly node: string;
  readonly ends: ReadonlyMap<IpAddress, FlowEnd>;
}

const NOBODY: FlowEnd = { kind: 'address' };

export function flowRecordOf(flow: JudgedFlow, { id, node, ends }: RecordContext): FlowRecord {
  const { source, destination, destinationPort, protocol, judgements, firstAt, lastAt, ...rest } =
    flow;
  const port = destinationPort === 0 ? {} : { port: destinationPort };
  return {
    id,
    node,
    from: new Date(firstAt).toISOString(),
    until: new Date(lastAt).toISOString(),
    source: { ...(ends.get(source) ?? NOBODY), address: source },
    destination: { ...(ends.get(destination) ?? NOBODY), address: destination, ...port },
    protocol: protocolText(protocol),
    reasons: judgements.map(reasonOf),
    ...rest,
  };
}

type Judgement = JudgedFlow['judgements'][number];

function reasonOf({ direction, endpoint, staged, ...decision }: Judgement): FlowReason {
  return {
    direction,
    endpoint,
    ...decisionOf(decision),
    ...(staged && { staged: decisionOf(staged) }),
  };
}

function decisionOf({
  action,
  tier,
  list,
  rule,
  reason,
}: NonNullable<Judgement['staged']>): FlowDecision {
  return {
    action,
    ...(tier === undefined ? {} : { tier }),
    ...(list === undefined ? {} : { policy: list }),
    ...(rule === undefined ? {} : { rule: rule + 1 }),
    ...(reason === undefined ? {} : { reason }),
  };
}
