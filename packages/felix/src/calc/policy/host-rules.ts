import {
  FAILSAFE_PORTS,
  type FelixConfiguration,
  type Labels,
  matches,
  parseSelector,
  protocolNumber,
} from '@overland/model';
import { contains, type IpAddress, type Prefix } from '@overland/net';
import { ESSENTIAL_ICMPV6 } from './essential-icmpv6.ts';
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

/** @param spec {@link felixSpecOf}. */
export function hostRulesOf(spec: FelixConfiguration['spec']): HostRules {
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

/** Whom a FelixConfiguration may be for. */
export interface ConfiguredNode {
  readonly name: string;
  readonly labels: Labels;
}

/**
 * The settings of a node: those for it alone (`node.NAME`) win over those for nodes like it (`nodeSelector`; of several
 * the oldest, without a time the last), and these over those named `default`.
 */
export function felixSpecOf(
  configurations: readonly FelixConfiguration[],
  { name, labels }: ConfiguredNode,
): FelixConfiguration['spec'] {
  const find = (wanted: string) =>
    configurations.find(({ metadata }) => metadata.name === wanted)?.spec;
  const [selected] = configurations
    .filter(({ metadata, spec: { nodeSelector } }) => {
      const isNamed = metadata.name === 'default' || metadata.name.startsWith('node.');
      return !isNamed && nodeSelector && matches(parseSelector(nodeSelector), labels);
    })
    .toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  return { ...find('default'), ...selected?.spec, ...find(`node.${name}`) };
}

/** Sorts the oldest first, those of one age by name. */
function ageOf({ metadata }: FelixConfiguration): string {
  return `${metadata.creationTimestamp ?? '~'} ${metadata.name}`;
}

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
