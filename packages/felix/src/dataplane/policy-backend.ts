import type { IpAddress } from '@overland/net';
import type { PacketFilter } from '../calc/filter-choice.ts';
import type { HostLinks } from '../calc/host-links.ts';
import type { PolicyChange } from '../calc/policy-change.ts';
import type { PolicyState } from '../calc/policy-state.ts';

/**
 * A packet filter of the kernel that holds what a `PolicyState` says. Workloads fail closed: what it does not hold
 * lets nothing through, and a restart or a failure opens nothing.
 */
export interface PolicyBackend {
  /**
   * Notes what is wanted from now on; changes come in order and begin at an empty state, and none while
   * {@link reconcile} runs. Writes nothing.
   */
  accept(change: PolicyChange): void;
  /** Notes which addresses the host's interfaces have: by them host endpoints are found that have no name of one. */
  linksChanged?(links: HostLinks): void;
  /** What is wanted. */
  readonly state: PolicyState;
  /** Somebody else may have changed the packet filter: it is read before the next write. */
  doubt(): void;
  /** Tells when somebody else may have changed the packet filter. */
  foreignChanges(signal: AbortSignal): AsyncIterable<unknown>;
  /**
   * Makes the kernel agree with what is wanted. What cannot be put into the kernel is closed, is tried again, and keeps
   * nothing else from being written.
   *
   * @returns Whether something was written.
   * @throws If the packet filter cannot be read or written at all. What is in the kernel stays, and is read again.
   */
  reconcile(): Promise<boolean>;
  /** Whether an interface of a workload with these addresses may come up: all that was said of it so far is in the kernel. */
  isEnforced(interfaceName: string, addresses: readonly IpAddress[]): boolean;
  /** When something that failed is to be tried again. */
  nextDueMs(): number | undefined;
  /** What is closed because it cannot be put into the kernel. */
  failures(): Iterable<PolicyFailure>;
  counts(): PolicyCounts;
}

export interface PolicyFailure {
  /** `policy ingress NetworkPolicy prod/web`, `endpoint cali1a2b`, `set s:…`. */
  readonly what: string;
  readonly attempts: number;
  readonly reason: string;
}

export interface PolicyCounts {
  /** Which one, where there is a choice. */
  readonly packetFilter?: PacketFilter;
  /** Whether the datastore has been read to its end: before, nothing is removed. */
  readonly synced: boolean;
  readonly endpoints: number;
  /** Policies that some endpoint of the host is asked about. */
  readonly policies: number;
  readonly sets: number;
  /** Parts of ours that somebody else changed and that were put right. */
  readonly repairs: number;
  /** Transactions that were refused. */
  readonly refusals: number;
}
