import type { IpAddress, Prefix } from '@overland/net';

/** The two ends of a workload's link. */
export interface WorkloadPair {
  readonly hostInterface: string;
  /** Path of the container's network namespace. */
  readonly namespacePath: string;
  readonly containerInterface: string;
  /** The container's end is made on the host; whoever runs the container moves and configures it. */
  readonly isHandedOver: boolean;
  /** Of the container's end. */
  readonly mac: string;
  /** In octets. */
  readonly mtu: number;
}

/** The link of one workload. */
export interface WorkloadLink extends WorkloadPair {
  readonly addresses: readonly IpAddress[];
  /** What is reached through the host; absent: everything. */
  readonly routes?: readonly Prefix[];
}

/** The kernel side of attaching a container, as far as it is this package's: the link and the container's end. */
export interface WorkloadNetwork {
  /**
   * Makes both ends, down. Replaces what an earlier try left.
   *
   * @throws {InvalidRequestError} If the namespace or the interface name cannot be used.
   */
  create(pair: WorkloadPair): Promise<void>;
  /** Makes the container's end ready to use, unless it is handed over. The host's end stays down. */
  configure(link: WorkloadLink): Promise<void>;
  /** Removes both ends; absent is fine. */
  remove(hostInterface: string): Promise<void>;
  exists(hostInterface: string): Promise<boolean>;
  /** What is not as {@link create} made it, in words; more than it made is no fault. */
  check(link: WorkloadLink): Promise<string[]>;
}
