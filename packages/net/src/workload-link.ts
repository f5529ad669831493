import { type IpAddress, parseAddress } from './address.ts';
import type { Family } from './family.ts';

/**
 * What both ends of a workload's veth pair agree on. The host's end holds the gateway addresses itself:
 * proxy ARP alone answers for 169.254.1.1 only on a host with some route to it through another device.
 */
export const WORKLOAD_LINK = {
  /** Names of host ends start so, as Calico's do: the packet filter drops what it does not know by it. */
  namePrefix: 'cali',
  /** Names of the links that what workloads send is held back at start so; the rest is that of the host end. */
  egressPrefix: 'ovbw',
  /** Names of container ends start so while they are on the host, for a runtime that moves them itself. */
  handoverPrefix: 'ovlc',
  /** The workload's default gateway, equal on every host, so that it survives a move. */
  gateway: {
    ipv4: parseAddress('169.254.1.1'),
    ipv6: parseAddress('fe80::1'),
  } satisfies Record<Family, IpAddress>,
  /** MAC address of every host end, as Calico's; the link has two ends, so it need not be unique. */
  hostMac: 'ee:ee:ee:ee:ee:ee',
} as const;

/** Whether a link belongs to a workload: it leads nowhere else. */
export function isWorkloadLink(name: string): boolean {
  const { namePrefix, egressPrefix, handoverPrefix } = WORKLOAD_LINK;
  return [namePrefix, egressPrefix, handoverPrefix].some((prefix) => name.startsWith(prefix));
}
