import type { Family, InterfaceAddress, IpAddress, Prefix } from '@overland/net';

import type { Bandwidth } from './bandwidth.ts';

/**
 * What this host's kernel should hold for its own workloads and blocks: the output of `calc`, the input of
 * `dataplane`. Plain data, fit for `postMessage`. The policy of an endpoint will be part of it.
 */
export interface LocalState {
  /** Whether the datastore has been read to its end. Before, nothing is deleted. */
  readonly synced: boolean;
  /** By interface name. */
  readonly endpoints: ReadonlyMap<string, EndpointState>;
  /** Own confirmed blocks: unused addresses of a block must not loop through the default route. */
  readonly blackholes: readonly Prefix[];
  /** Preferred source address of this host's own packets towards workloads, where it has one. */
  readonly sources: Readonly<Partial<Record<Family, IpAddress>>>;
}

/** The host's end of one workload. */
export interface EndpointState {
  readonly interfaceName: string;
  /** The workload's addresses; each becomes a host route to the interface. In numeric order. */
  readonly workloadAddresses: readonly IpAddress[];
  /** Addresses that the interface itself holds. */
  readonly addresses: readonly InterfaceAddress[];
  /** Keys in sysctl(8) form and their values, in the order in which they are set. */
  readonly sysctls: readonly (readonly [key: string, value: string])[];
  /** In octets; `undefined` leaves what the creator of the interface chose. */
  readonly mtu: number | undefined;
  /** How much it may receive and send; absent: no limit. */
  readonly bandwidth?: Bandwidth;
}
