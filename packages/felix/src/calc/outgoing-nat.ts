import type { FelixConfiguration, IpPool, Node } from '@overland/model';
import {
  contains,
  hostPrefix,
  type IpAddress,
  isAddress,
  networkAddress,
  type Prefix,
  parseAddress,
  parseInterfaceAddress,
} from '@overland/net';

/** Under which address containers reach what is outside all pools. */
export interface OutgoingNat {
  /** Pools with `natOutgoing`. */
  readonly sources: readonly Prefix[];
  /** What is reached without translation: all pools, and hosts if so configured. */
  readonly exempt: readonly Prefix[];
  /** IPv4; `undefined`: that of the interface. */
  readonly address: IpAddress | undefined;
  readonly ports: { readonly first: number; readonly last: number } | undefined;
  /** Interfaces by which it holds: a name, or its begin and `*`; `undefined`: all. */
  readonly interfaces: string | undefined;
}

/**
 * @param hosts Addresses of each host of the cluster.
 * @param spec Settings of the host whose containers it is about.
 * @returns `undefined` if no pool wants it.
 */
export function outgoingNatOf(
  pools: readonly IpPool[],
  hosts: readonly (readonly Prefix[])[],
  spec: FelixConfiguration['spec'],
): OutgoingNat | undefined {
  const sources = pools.filter((pool) => pool.spec.natOutgoing).map((pool) => pool.spec.cidr);
  if (sources.length === 0) return undefined;
  const ranges = pools.map((pool) => pool.spec.cidr);
  const isExempt = spec.natOutgoingExclusions === 'IPPoolsAndHostIPs';
  const others = (isExempt ? hosts.flat() : []).filter(
    (host) => !ranges.some((range) => contains(range, networkAddress(host))),
  );
  return {
    sources: sources.toSorted(),
    exempt: [...new Set([...ranges, ...others])].toSorted(),
    address: spec.natOutgoingAddress,
    ports: portsOf(spec.natPortRange),
    interfaces: spec.iptablesNATOutgoingInterfaceFilter?.replace(/\+$/, '*'),
  };
}

/** Those that a Node names. */
export function hostAddressesOf({ spec }: Node): Prefix[] {
  const { ipv4Address, ipv6Address } = spec.bgp ?? {};
  return [
    ...[ipv4Address, ipv6Address].flatMap((address) =>
      address === undefined ? [] : [parseInterfaceAddress(address).address],
    ),
    ...(spec.addresses ?? []).flatMap(({ address }) =>
      isAddress(address) ? [parseAddress(address)] : [],
    ),
  ].map(hostPrefix);
}

/** `1024:65535` or one port, as the model has checked. */
function portsOf(range: number | string | undefined): OutgoingNat['ports'] {
  if (range === undefined) return undefined;
  const [first = '', last = first] = String(range).split(':');
  return { first: Number(first), last: Number(last) };
}
