import type { InterfaceAddress, IpAddress, Prefix } from '@overland/net';

/** A topology, complete: merged, substituted, checked, every default filled in. JSON holds it without loss. */
export interface Topology {
  /** Of the lab. */
  readonly name: string;
  /** Absolute path of the file. */
  readonly file: string;
  readonly management: Management;
  /** Where the agents of its nodes keep resources; `etcd` runs in the management network. */
  readonly datastore: 'sqlite' | 'etcd';
  readonly nodes: readonly Node[];
  readonly links: readonly Link[];
  /** What the file asks for and this runner leaves out without harm, one line each. */
  readonly warnings: readonly string[];
}

/** The network of the nodes' eth0. */
export interface Management {
  readonly ipv4Subnet: Prefix;
  readonly ipv6Subnet: Prefix;
  readonly ipv4Gateway: IpAddress;
  readonly ipv6Gateway: IpAddress;
  /** In octets. */
  readonly mtu: number;
}

export interface Node {
  readonly name: string;
  /** `linux` runs a recipe; `bridge` is a switch without addresses. */
  readonly kind: 'linux' | 'bridge';
  readonly image: string;
  /** Name of the recipe that runs the image. */
  readonly recipe: string;
  /** Absent with `network-mode: none`. */
  readonly managementAddresses:
    | { readonly ipv4: InterfaceAddress; readonly ipv6: InterfaceAddress }
    | undefined;
  /** Node whose network namespace this one shares (`network-mode: container:NAME`). */
  readonly sharesNetworkOf: string | undefined;
  readonly binds: readonly Bind[];
  readonly environment: Readonly<Record<string, string>>;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly startupDelaySeconds: number;
  /** What the node runs instead of what its recipe starts; empty for the recipe's own. */
  readonly command: readonly string[];
  /** Run in order after the links exist. */
  readonly exec: readonly (readonly string[])[];
}

export interface Bind {
  /** Absolute path outside. */
  readonly source: string;
  /** Absolute path inside the node. */
  readonly target: string;
  readonly mode: 'rw' | 'ro';
}

export interface Link {
  readonly endpoints: readonly [Endpoint, Endpoint];
  /** In octets. */
  readonly mtu: number;
}

export interface Endpoint {
  readonly node: string;
  readonly interface: string;
  readonly mac: string;
}
