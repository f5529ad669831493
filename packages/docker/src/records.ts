import type { IpAddress } from '@overland/net';
import type { DetachRequest } from '@overland/workloads';

/** A network of Docker's, as long as Docker has it. */
export interface DockerNetwork {
  readonly version: 1;
  /** Docker's network id. */
  readonly id: string;
  /** Name of its profile: what it is to policies. Absent: Docker has not been asked yet. */
  readonly name?: string;
  /** Of its links, in octets; absent: that of the host's uplinks. */
  readonly mtu?: number;
}

/** A port of the host that leads to an endpoint. */
export interface PublishedPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: number;
  readonly hostPort: number;
  readonly hostIP?: string;
}

/** One end of a network: a container's interface, from before it is made. */
export interface DockerEndpoint {
  readonly version: 1;
  /** Docker's endpoint id. */
  readonly id: string;
  readonly networkId: string;
  readonly addresses: readonly IpAddress[];
  readonly mac: string;
  readonly ports: readonly PublishedPort[];
  /** Given with the endpoint; absent: those of its container. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Path of the container's network namespace; absent: it has not joined one. */
  readonly sandbox?: string;
  /** It has joined, and its container's name and labels are not known yet. */
  readonly isUnidentified?: boolean;
}

/** An address that Docker holds. */
export interface AddressLease {
  readonly version: 1;
  /** The address; colons are dashes, for it names a file. */
  readonly id: string;
  readonly address: IpAddress;
  /** In IPAM. */
  readonly handle: string;
  /** Docker has given it back, the datastore does not know yet. */
  readonly isReturned: boolean;
}

/** The attachment of an endpoint. Calico's plugin names WorkloadEndpoints by the endpoint, too. */
export function attachmentOf(endpointId: string): DetachRequest {
  return { containerId: endpointId, interface: endpointId.slice(0, 15) };
}
