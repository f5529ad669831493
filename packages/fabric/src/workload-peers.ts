import {
  type BgpPeer,
  endpointLabels,
  matches,
  parseSelector,
  type WorkloadEndpoint,
} from '@overland/model';
import {
  type Family,
  familyOf,
  type IpAddress,
  isHostPrefix,
  networkAddress,
  WORKLOAD_LINK,
} from '@overland/net';
import type { ClusterSettings } from './cluster.ts';
import type { Session } from './sessions.ts';

/** Where workloads reach the speaker of their host. */
export type PeeringAddresses = Readonly<Partial<Record<Family, IpAddress>>>;

/** As the BGPConfiguration says. */
export function peeringAddresses({ cluster }: ClusterSettings): PeeringAddresses {
  const { localWorkloadPeeringIPV4: ipv4, localWorkloadPeeringIPV6: ipv6 } = cluster;
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
}

/**
 * Sessions with the workloads of this node that a BGPPeer selects, by their own labels: one for each address. The node's end is the
 * peering address, else for IPv4 the gateway of the workload.
 *
 * @param workloads Of this node.
 */
export function workloadSessions(
  { metadata, spec }: BgpPeer,
  workloads: readonly WorkloadEndpoint[],
  peering: PeeringAddresses,
): Pick<Session, 'name' | 'address' | 'workload' | 'port' | 'asn' | 'isNode' | 'clusterId'>[] {
  const { localWorkloadSelector, asNumber } = spec;
  if (!localWorkloadSelector || asNumber === undefined) return [];
  const selector = parseSelector(localWorkloadSelector);
  return workloads
    .filter((endpoint) =>
      matches(
        selector,
        endpointLabels(endpoint, () => undefined),
      ),
    )
    .flatMap((endpoint) => {
      const device = endpoint.spec.interfaceName;
      if (!device) return [];
      const name = `${metadata.name}/${endpoint.metadata.namespace ?? 'default'}/${endpoint.metadata.name}`;
      return endpoint.spec.ipNetworks.filter(isHostPrefix).map((network) => {
        const address = networkAddress(network);
        const family = familyOf(address);
        const gateway = family === 'ipv4' ? WORKLOAD_LINK.gateway.ipv4 : undefined;
        const workload = { device, localAddress: peering[family] ?? gateway };
        return {
          name: `${name}/${address}`,
          address,
          workload,
          port: 179,
          asn: asNumber,
          isNode: false,
          clusterId: undefined,
        };
      });
    });
}

/** What the host's ends of those workloads are to have as well: by interface. */
export function peeringLinks(
  sessions: readonly Session[],
  peering: PeeringAddresses,
): ReadonlyMap<string, readonly IpAddress[]> {
  const links = new Map<string, readonly IpAddress[]>();
  for (const { workload, address } of sessions) {
    const own = peering[familyOf(address)];
    if (!workload || !own) continue;
    links.set(workload.device, [...new Set([...(links.get(workload.device) ?? []), own])]);
  }
  return links;
}
