import type { CniCall, CniReply } from '@overland/cni';
import type { FlowCounts, ProgrammedEndpoint } from '@overland/felix';
import type { Family, Prefix } from '@overland/net';
import type { AttachedWorkload, DetachedWorkload, ListedWorkload } from '@overland/workloads';
import type { DescribedFlows } from './flows/flow-record.ts';
import type { HealthMethods } from './thread-health.ts';

/** Where the datastore stands, for the operator. */
export interface DatastoreStatus {
  readonly type: 'sqlite' | 'etcd';
  /**
   * `snapshot`: started from the last-known-good snapshot, the datastore has not answered yet; `unreachable`: has been
   * in sync since the start, but reading or writing fails now, as `lastError` says; `locked`: in sync, but an operator
   * has locked it against writes.
   */
  readonly state: 'connecting' | 'snapshot' | 'synced' | 'locked' | 'unreachable';
  /** Why the datastore cannot be used now; absent: it can. */
  readonly lastError?: string;
}

/** One address block of this host. */
export interface BlockStatus {
  readonly cidr: Prefix;
  readonly family: Family;
  readonly confirmed: boolean;
  /** Addresses of the block. */
  readonly size: number;
  /** Of them in use by this host's endpoints. */
  readonly used: number;
}

export interface StoreStatus {
  readonly nodeName: string;
  readonly hostId: string;
  readonly addresses: readonly string[];
  readonly datastore: DatastoreStatus;
  readonly endpoints: number;
  /** Resources that have no effect, or not all of it, and why. */
  readonly problems: readonly { readonly resource: string; readonly reason: string }[];
}

/** Reply to an attach. */
export interface AttachReply extends AttachedWorkload {
  /** Whether a peer has been offered the blocks of the addresses. If not, only this host can reach them yet. */
  readonly announced: boolean;
}

/** What the store answers to the dataplane. */
export type StoreForDataplane = {
  /** Of the links that lead out, octets; `undefined`: there is none. */
  setUplinkMtu: (octets: number | undefined) => void;
};

/** What the store answers to main. */
export type StoreMethods = HealthMethods & {
  status: () => StoreStatus;
  blocks: () => readonly BlockStatus[];
  /** @param body Unchecked, as the API received it. */
  attach: (body: unknown) => Promise<AttachReply>;
  detach: (containerId: string, interfaceName: string) => Promise<DetachedWorkload>;
  /** One run of the CNI executable. */
  cni: (call: CniCall) => Promise<CniReply>;
  /** One call of Docker's. `undefined`: there is no such call. */
  docker: (path: string, body: unknown) => Promise<object | undefined>;
  listWorkloads: () => readonly ListedWorkload[];
  /** What the packet filter is told of a workload. @param text Name, interface or address. */
  programmedEndpoint: (text: string) => ProgrammedEndpoint | undefined;
  describeFlows: (flows: readonly FlowCounts[]) => DescribedFlows;
};
