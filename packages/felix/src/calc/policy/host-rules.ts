import { FAILSAFE_PORTS, type FelixConfiguration, protocolNumber } from '@overland/model';
import { contains, type IpAddress, type Prefix } from '@overland/net';
import type { Packet } from './match-rule.ts';
import type { Direction } from './policy-view.ts';

export interface FailsafePort {
  readonly protocol: number;
  readonly port: number;
  /** Of the other side; `undefined`: anybody. */
  readonly net: Prefix | undefined;
}

/** What holds on a host whatever its policies say, from the FelixConfigurations for it. calico.md section 5.2. */
export interface HostRules {
  readonly failsafe: Readonly<Record<Direction, readonly FailsafePort[]>>;
  /** What becomes of packets from a workload to its own host that its egress policy allows. */
  readonly endpointToHost: 'Drop' | 'Accept' | 'Return';
  /** Whether other addresses of workloads lead to them. */
  readonly hasFloatingAddresses: boolean;
  /** Whether workloads may use the further source addresses that their endpoints name. */
  readonly maySpoof: boolean;
}

export function hostRulesOf(
  configurations: readonly FelixConfiguration[],
  node: string,
): HostRules {
  const spec = felixSpecOf(configurations, node);
  const ports = (given: (typeof FAILSAFE_PORTS)['inbound']): FailsafePort[] =>
    given.map(({ protocol, port, net }) => ({ protocol: protocolNumber(protocol), port, net }));
  return {
    failsafe: {
      ingress: ports(spec.failsafeInboundHostPorts ?? FAILSAFE_PORTS.inbound),
      egress: ports(spec.failsafeOutboundHostPorts ?? FAILSAFE_PORTS.outbound),
    },
    endpointToHost: spec.defaultEndpointToHostAction ?? 'Drop',
    hasFloatingAddresses: spec.floatingIPs === 'Enabled',
    maySpoof: spec.workloadSourceSpoofing === 'Any',
  };
}

/** The settings of a node: its own FelixConfiguration (`node.NAME`) wins over the one named `default`. */
export function felixSpecOf(
  configurations: readonly FelixConfiguration[],
  node: string,
): FelixConfiguration['spec'] {
  const find = (name: string) =>
    configurations.find(({ metadata }) => metadata.name === name)?.spec ?? {};
  return { ...find('default'), ...find(`node.${node}`) };
}

/**
 * ICMPv6 messages without which no address is reachable: multicast listeners (RFC 2710, 3810), routers and neighbours
 * (RFC 4861). Conntrack does not track them, and what is to come through a failsafe port needs them.
 */
export const ESSENTIAL_ICMPV6 = [130, 131, 132, 133, 134, 135, 136, 143] as const;

const ICMPV6 = 58;

/** Whether a packet to or from a host is let through before any policy is asked. */
export function isFailsafe(rules: HostRules, direction: Direction, packet: Packet): boolean {
  return isEssential(packet) || holds(rules.failsafe[direction], direction, packet);
}

/** The same before connections are known: answers of failsafe ports of the other direction pass, too. */
export function isUntrackedFailsafe(
  rules: HostRules,
  direction: Direction,
  packet: Packet,
): boolean {
  const other = direction === 'ingress' ? 'egress' : 'ingress';
  const answered = { ...packet, destinationPort: packet.sourcePort };
  return (
    isFailsafe(rules, direction, packet) ||
    (packet.sourcePort !== undefined && holds(rules.failsafe[other], direction, answered))
  );
}

/** Whether IPv6 does not work without it. */
export function isEssential({ protocol, icmpType }: Packet): boolean {
  return protocol === ICMPV6 && ESSENTIAL_ICMPV6.some((type) => type === icmpType);
}

function holds(ports: readonly FailsafePort[], direction: Direction, packet: Packet): boolean {
  const other: IpAddress = direction === 'ingress' ? packet.source : packet.destination;
  return ports.some(
    ({ protocol, port, net }) =>
      protocol === packet.protocol &&
      port === packet.destinationPort &&
      (net === undefined || contains(net, other)),
  );
}
