import { BGP_CONFIGURATION_DEFAULTS, type BgpConfiguration, type Node } from '@overland/model';
import {
  type Asn,
  type Family,
  type IpAddress,
  parseAsn,
  parseInterfaceAddress,
} from '@overland/net';

/** A node as a BGP speaker sees it: itself or another one. */
export interface Speaker {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly asn: Asn;
  readonly port: number;
  readonly addresses: Readonly<Partial<Record<Family, IpAddress>>>;
  /** Prefix length of each address, as the Node gives it. */
  readonly lengths: Readonly<Partial<Record<Family, number>>>;
  /** Present on route reflectors. */
  readonly clusterId: IpAddress | undefined;
}

/** Settings of the cluster and of single nodes. */
export interface ClusterSettings {
  /** The `default` object's spec, where it exists. */
  readonly cluster: Partial<BgpConfiguration['spec']>;
  /** Spec of the object `node.NAME`. Calico honours only its log level, listen port and prefix advertisements. */
  ofNode(name: string): Partial<BgpConfiguration['spec']>;
}

export function clusterSettings(configurations: readonly BgpConfiguration[]): ClusterSettings {
  const byName = new Map(configurations.map(({ metadata, spec }) => [metadata.name, spec]));
  return {
    cluster: byName.get('default') ?? {},
    ofNode: (name) => byName.get(`node.${name}`) ?? {},
  };
}

/** AS number: the node's, else the cluster's, else Calico's default. Port likewise, but per node from its BGPConfiguration. */
export function speakerOf(node: Node, settings: ClusterSettings): Speaker {
  const { bgp } = node.spec;
  const given = {
    ...(bgp?.ipv4Address ? { ipv4: parseInterfaceAddress(bgp.ipv4Address) } : {}),
    ...(bgp?.ipv6Address ? { ipv6: parseInterfaceAddress(bgp.ipv6Address) } : {}),
  };
  const pick = <T>(part: (address: { address: IpAddress; length: number }) => T) =>
    Object.fromEntries(Object.entries(given).map(([family, value]) => [family, part(value)]));
  const name = node.metadata.name;
  return {
    name,
    labels: node.metadata.labels ?? {},
    asn:
      bgp?.asNumber ?? settings.cluster.asNumber ?? parseAsn(BGP_CONFIGURATION_DEFAULTS.asNumber),
    port:
      settings.ofNode(name).listenPort ??
      settings.cluster.listenPort ??
      BGP_CONFIGURATION_DEFAULTS.listenPort,
    addresses: pick(({ address }) => address),
    lengths: pick(({ length }) => length),
    clusterId: bgp?.routeReflectorClusterID,
  };
}
