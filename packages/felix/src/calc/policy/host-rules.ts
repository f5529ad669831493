import { type FelixConfiguration, protocolNumber } from '@overland/model';
import { contains, type IpAddress, type Prefix } from '@overland/net';
import type { Packet } from './match-rule.ts';
import type { Direction } from './policy-view.ts';

interface FailsafePort {
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
}

const CONTROL_PLANE = [179, 2379, 2380, 5473, 6443, 6666, 6667].map((port) => tcp(port));
const DEFAULT_FAILSAFE = {
  ingress: [tcp(22), udp(68), ...CONTROL_PLANE],
  egress: [udp(53), udp(67), ...CONTROL_PLANE],
} as const;

function tcp(port: number): FailsafePort {
  return { protocol: 6, port, net: undefined };
}

function udp(port: number): FailsafePort {
  return { protocol: 17, port, net: undefined };
}

/** The FelixConfiguration of the node (`node.NAME`) wins over the one named `default`. */
export function hostRulesOf(
  configurations: readonly FelixConfiguration[],
  node: string,
): HostRules {
  const find = (name: string) =>
    configurations.find(({ metadata }) => metadata.name === name)?.spec ?? {};
  const spec = { ...find('default'), ...find(`node.${node}`) };
  const ports = (given: typeof spec.failsafeInboundHostPorts, direction: Direction) =>
    given?.map(({ protocol, port, net }) => ({ protocol: protocolNumber(protocol), port, net })) ??
    DEFAULT_FAILSAFE[direction];
  return {
    failsafe: {
      ingress: ports(spec.failsafeInboundHostPorts, 'ingress'),
      egress: ports(spec.failsafeOutboundHostPorts, 'egress'),
    },
    endpointToHost: spec.defaultEndpointToHostAction ?? 'Drop',
  };
}

/** Whether a packet to or from a host is let through before any policy is asked. */
export function isFailsafe(rules: HostRules, direction: Direction, packet: Packet): boolean {
  const other: IpAddress = direction === 'ingress' ? packet.source : packet.destination;
  return rules.failsafe[direction].some(
    ({ protocol, port, net }) =>
      protocol === packet.protocol &&
      port === packet.destinationPort &&
      (net === undefined || contains(net, other)),
  );
}
