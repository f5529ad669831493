import type { Node, WorkloadEndpoint } from '@overland/model';
import {
  ADDRESS_BITS,
  compareAddresses,
  comparePrefixes,
  type Family,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  isHostPrefix,
  networkAddress,
  type Prefix,
  parseInterfaceAddress,
  WORKLOAD_LINK,
} from '@overland/net';
import { bandwidthOf } from './bandwidth.ts';
import { isWorkloadInterface } from './interface-name.ts';
import { interfaceSysctls } from './interface-sysctls.ts';
import type { EndpointState, LocalState } from './local-state.ts';

/** Everything that decides what this host's kernel should hold. */
export interface LocalInputs {
  readonly nodeName: string;
  /** This host's own Node. */
  readonly node: Node | undefined;
  /** Own blocks whose affinity is confirmed. */
  readonly blocks: readonly Prefix[];
  /** Endpoints of any node; those of others are skipped. */
  readonly endpoints: readonly WorkloadEndpoint[];
  /** Interfaces whose workload has left according to the journal, though the datastore still names it. */
  readonly gone: ReadonlySet<string>;
  /** Whether the datastore has been read to its end. */
  readonly synced: boolean;
  /** What the host's ends have beside the gateway: where workloads peer with the speaker. By interface; absent: nothing. */
  readonly linkAddresses?: ReadonlyMap<string, readonly IpAddress[]>;
  /** For the host's ends, octets; `undefined` leaves what their creator chose. */
  readonly mtu?: number;
}

/** A resource that is left out, and why; one line each. */
export interface Problem {
  readonly resource: string;
  readonly reason: string;
}

/** Calculates what the kernel should hold. Depends on nothing but its argument, in no order. */
export function localStateOf(inputs: LocalInputs): {
  readonly state: LocalState;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const endpoints = new Map<string, EndpointState>();
  const holders = new Map<IpAddress, string>();
  for (const endpoint of ownEndpoints(inputs)) {
    const resource = `WorkloadEndpoint ${nameOf(endpoint)}`;
    const interfaceName = endpoint.spec.interfaceName ?? '';
    if (!isWorkloadInterface(interfaceName)) {
      const reason = `interface "${interfaceName}" is not named ${WORKLOAD_LINK.namePrefix}…`;
      problems.push({ resource, reason });
    } else if (endpoints.has(interfaceName)) {
      problems.push({ resource, reason: `interface ${interfaceName} belongs to another endpoint` });
    } else {
      const addresses = endpoint.spec.ipNetworks.filter(isHostPrefix).map(networkAddress);
      const taken = addresses.filter((address) => holders.has(address));
      for (const address of taken) {
        problems.push({ resource, reason: `${address} belongs to ${holders.get(address)}` });
      }
      const own = addresses.filter((address) => !holders.has(address));
      for (const address of own) holders.set(address, resource);
      const bandwidth = bandwidthOf(endpoint, (reason) => problems.push({ resource, reason }));
      endpoints.set(interfaceName, {
        ...endpointState(interfaceName, own, inputs),
        sysctls: interfaceSysctls(interfaceName, hasHostPorts(endpoint)),
        ...(bandwidth && { bandwidth }),
      });
    }
  }
  return {
    state: {
      synced: inputs.synced,
      endpoints,
      // A block of one address has nothing unused in it.
      blackholes: inputs.blocks.filter((block) => !isHostPrefix(block)).toSorted(comparePrefixes),
      sources: nodeAddresses(inputs.node),
    },
    problems,
  };
}

/** In order of their names, so that the same one wins every conflict. */
function ownEndpoints({ endpoints, nodeName, gone }: LocalInputs): WorkloadEndpoint[] {
  return endpoints
    .filter(({ spec }) => spec.node === nodeName && !gone.has(spec.interfaceName ?? ''))
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf({ metadata }: WorkloadEndpoint): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`;
}

function endpointState(
  interfaceName: string,
  addresses: readonly IpAddress[],
  { mtu, linkAddresses }: LocalInputs,
): Omit<EndpointState, 'sysctls'> {
  const families = new Set(addresses.map(familyOf));
  const further = linkAddresses?.get(interfaceName) ?? [];
  return {
    interfaceName,
    workloadAddresses: addresses.toSorted(compareAddresses),
    addresses: [
      ...(['ipv4', 'ipv6'] as const).flatMap((family) =>
        families.has(family) ? [gatewayAddress(family)] : [],
      ),
      ...further.map((address) => ({ address, length: ADDRESS_BITS[familyOf(address)] })),
    ],
    mtu,
  };
}

function hasHostPorts({ spec }: WorkloadEndpoint): boolean {
  return (spec.ports ?? []).some(({ hostPort }) => hostPort);
}

/**
 * The gateway as an address of the interface itself. IPv6 link-local addresses must be /64 for the kernel to
 * reach the workload's own one.
 */
function gatewayAddress(family: Family): InterfaceAddress {
  const length = family === 'ipv4' ? ADDRESS_BITS.ipv4 : 64;
  return { address: WORKLOAD_LINK.gateway[family], length };
}

function nodeAddresses(node: Node | undefined): LocalState['sources'] {
  const { ipv4Address, ipv6Address } = node?.spec.bgp ?? {};
  return {
    ...(ipv4Address === undefined ? {} : { ipv4: parseInterfaceAddress(ipv4Address).address }),
    ...(ipv6Address === undefined ? {} : { ipv6: parseInterfaceAddress(ipv6Address).address }),
  };
}
