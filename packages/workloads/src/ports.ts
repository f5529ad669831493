import type { Ipam } from '@overland/ipam';
import type { Family, IpAddress, Prefix } from '@overland/net';
import type { Logger } from 'pino';
import type { EndpointStore } from './endpoint-store.ts';
import type { Journal } from './journal.ts';
import type { WorkloadNetwork } from './workload-network.ts';

/** Who makes the host's side of a link work. Felix's dataplane is one. */
export interface WorkloadDataplane {
  /**
   * Resolves when the interface is up behind its policy and its addresses are routed to it.
   *
   * @throws The signal's reason, if it aborts before.
   */
  endpointReady(
    interfaceName: string,
    addresses: readonly IpAddress[],
    signal: AbortSignal,
  ): Promise<void>;
}

/** What {@link createWorkloads} needs. */
export interface WorkloadsOptions {
  /** Name of this host in the datastore. */
  readonly node: string;
  readonly ipam: Ipam;
  readonly network: WorkloadNetwork;
  readonly endpoints: EndpointStore;
  readonly dataplane: WorkloadDataplane;
  readonly journal: Journal;
  readonly log: Logger;
  /** For links that are made from now on, in octets. */
  readonly mtu: () => number;
  /** Families of a request that names none. */
  readonly families: () => readonly Family[];
  /** Resolves when peers have the routes to a workload's addresses. Waited for a short while only; absent: not at all. */
  readonly routesAdvertised?: (routes: readonly Prefix[], signal: AbortSignal) => Promise<void>;
  /** Told the host interfaces of workloads that are gone although the datastore may still name them. */
  readonly onDeparted?: (hostInterfaces: ReadonlySet<string>) => void;
  readonly limits?: Partial<WorkloadLimits>;
}

/** Bounds of waiting, in milliseconds. */
export interface WorkloadLimits {
  /** An attach takes at most this long, then it is undone. */
  readonly attachMs: number;
  /** A detach waits so long for the datastore; then the address is given back later. */
  readonly detachMs: number;
  /** How long an attach waits for peers to have a block; then it goes on without. */
  readonly advertisedMs: number;
  /** How long a check waits for the host's side, which may be about to be programmed. */
  readonly checkMs: number;
  /** Between tries to finish what waits for the datastore. */
  readonly retryMs: number;
  /** Between looks for containers that went without a detach: what two looks miss is taken apart. */
  readonly lookMs: number;
}

/** {@link WorkloadsOptions} with every limit. */
export type ResolvedOptions = Omit<WorkloadsOptions, 'limits'> & {
  readonly limits: WorkloadLimits;
};

export const DEFAULT_LIMITS: WorkloadLimits = {
  attachMs: 20_000,
  detachMs: 2_000,
  advertisedMs: 2_000,
  checkMs: 2_000,
  retryMs: 5_000,
  lookMs: 30_000,
};
