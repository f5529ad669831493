import type { IpAddress, Prefix } from '@overland/net';

/** The link of one workload. */
export interface WorkloadLink {
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
  readonly addresses: readonly IpAddress[];
  /** What is reached through the host; absent: everything. */
  readonly routes?: readonly Prefix[];
}

/** The kernel side of attaching a container, as far as it is this package's: the link and the container's end. */
export interface WorkloadNetwork {
  /**
   * Makes the link: the container's end ready to use, unless it is handed over; the host's end down. Replaces what an earlier try left.
   *
   * @throws {InvalidRequestError} If the namespace or the interface name cannot be used.
   */
  create(link: WorkloadLink): Promise<void>;
  /** Removes both ends; absent is fine. */
  remove(hostInterface: string): Promise<void>;
  exists(hostInterface: string): Promise<boolean>;
  /** What is not as {@link create} made it, in words; more than it made is no fault. */
  check(link: WorkloadLink): Promise<string[]>;
}
