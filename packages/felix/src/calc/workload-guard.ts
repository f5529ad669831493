import { dscpNumber, protocolNumber, type WorkloadEndpoint } from '@overland/model';
import { type IpAddress, networkAddress, type Prefix } from '@overland/net';

/** What holds at a workload's interface besides policy: who it may pretend to be, how much it may do, what else leads to it. */
export interface WorkloadGuard {
  /** Six pairs of hexadecimal digits in lower case; `undefined`: any. */
  readonly mac: string | undefined;
  /** Source addresses that it may use besides its own, where the host allows that. */
  readonly spoofable: readonly Prefix[];
  readonly limits: Readonly<Record<'ingress' | 'egress', TrafficLimits>>;
  /** Code point of what it sends, 0..63; absent: its own. */
  readonly dscp?: number;
  readonly floating: readonly FloatingAddress[];
  readonly hostPorts: readonly HostPort[];
}

/** As seen from the workload: ingress is what it receives. `undefined`: no limit. */
interface TrafficLimits {
  readonly packets: PacketLimit | undefined;
  readonly connections: number | undefined;
}

interface PacketLimit {
  readonly perSecond: number;
  /** Packets that may come at once. */
  readonly burst: number;
}

/** Another address that leads to one of the workload's. Both are of one family. */
interface FloatingAddress {
  readonly internal: IpAddress;
  readonly external: IpAddress;
}

/** A port of the host that leads to one of the workload. */
interface HostPort {
  /** IP protocol number. */
  readonly protocol: number;
  readonly hostPort: number;
  /** `undefined`: all of the host's. */
  readonly hostAddress: IpAddress | undefined;
  readonly port: number;
}

/** Packets at once where only a rate is given, as in Calico. */
const DEFAULT_BURST = 5;
const ANY_ADDRESS = ['0.0.0.0', '::'];

export function workloadGuardOf({ spec }: WorkloadEndpoint): WorkloadGuard {
  const { mac, allowSpoofedSourcePrefixes, qosControls = {}, ipNATs = [], ports = [] } = spec;
  const limits = qosControls;
  return {
    mac: mac === undefined ? undefined : canonicalMac(mac),
    spoofable: allowSpoofedSourcePrefixes ?? [],
    limits: {
      ingress: {
        packets: packetLimit(limits.ingressPacketRate, limits.ingressPacketBurst),
        connections: limits.ingressMaxConnections || undefined,
      },
      egress: {
        packets: packetLimit(limits.egressPacketRate, limits.egressPacketBurst),
        connections: limits.egressMaxConnections || undefined,
      },
    },
    ...(limits.dscp !== undefined && { dscp: dscpNumber(limits.dscp) }),
    floating: ipNATs.map(({ internalIP, externalIP }) => ({
      internal: internalIP,
      external: externalIP,
    })),
    hostPorts: ports.flatMap(({ protocol, port, hostPort, hostIP }) => {
      if (!hostPort) return [];
      const address = hostIP ? networkAddress(hostIP) : undefined;
      const hostAddress = address && ANY_ADDRESS.includes(address) ? undefined : address;
      return [{ protocol: protocolNumber(protocol), hostPort, hostAddress, port }];
    }),
  };
}

/** 0 is no limit; a burst of 0 is the usual one. */
function packetLimit(
  perSecond: number | undefined,
  burst: number | undefined,
): PacketLimit | undefined {
  return perSecond ? { perSecond, burst: burst || DEFAULT_BURST } : undefined;
}

/** Colons, dashes or Cisco's dots become colons. */
function canonicalMac(mac: string): string {
  const digits = mac.toLowerCase().replaceAll(/[^\da-f]/g, '');
  return digits.match(/../g)?.join(':') ?? mac;
}
