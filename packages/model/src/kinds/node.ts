import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { asNumber, interfaceAddress, ipAddress, ipv4Address } from '../scalars.ts';

const bgp = z.object({
  asNumber: asNumber
    .optional()
    .describe('AS number; absent: that of the default BGPConfiguration.'),
  ipv4Address: interfaceAddress
    .optional()
    .describe('IPv4 address of the node with the length of its subnet; absent: no IPv4 sessions.'),
  ipv6Address: interfaceAddress.optional().describe('The same for IPv6.'),
  ipv4IPIPTunnelAddr: ipAddress
    .optional()
    .describe('Address of the IPIP device, where Calico runs.'),
  routeReflectorClusterID: ipv4Address
    .optional()
    .describe('Makes the node a route reflector; nodes of one cluster id back each other.'),
});

const ADDRESS_TYPES = ['CalicoNodeIP', 'InternalIP', 'ExternalIP'] as const;

/** A host that runs the agent. */
export const node = defineKind({
  kind: 'Node',
  summary: 'A host that takes part in the fabric: its addresses, AS number and role.',
  plural: 'nodes',
  aliases: ['no', 'nos'],
  name: subdomainName,
  spec: z.object({
    bgp: bgp.optional().describe('BGP settings; absent: the node has no sessions.'),
    ipv4VXLANTunnelAddr: ipAddress.optional().describe('Address of the VXLAN device (Calico).'),
    vxlanTunnelMACAddr: z.string().optional().describe('MAC address of that device.'),
    ipv6VXLANTunnelAddr: ipAddress.optional().describe('The same for IPv6.'),
    vxlanTunnelMACAddrV6: z.string().optional().describe('MAC address of that device.'),
    wireguard: z
      .object({
        interfaceIPv4Address: ipAddress.optional().describe('Address of the device for IPv4.'),
        interfaceIPv6Address: ipAddress.optional().describe('Address of the device for IPv6.'),
      })
      .optional()
      .describe('WireGuard (Calico).'),
    orchRefs: z
      .array(
        z.object({
          nodeName: z.string().optional().describe('Name of the node there.'),
          orchestrator: z.string().describe('As k8s.'),
        }),
      )
      .optional()
      .describe('The node as orchestrators know it.'),
    addresses: z
      .array(
        z.object({
          address: z.string().describe('Address, with or without a length.'),
          type: z.enum(ADDRESS_TYPES).optional().describe('Where it was learned.'),
        }),
      )
      .optional()
      .describe('Addresses of the node.'),
    interfaces: z
      .array(
        z.object({
          name: z.string().optional().describe('Name of the interface.'),
          addresses: z.array(z.string()).optional().describe('Its addresses.'),
        }),
      )
      .optional()
      .describe('Interfaces of the node.'),
  }),
  status: z.object({
    wireguardPublicKey: z.string().optional().describe('Public key for IPv4 (Calico).'),
    wireguardPublicKeyV6: z.string().optional().describe('Public key for IPv6 (Calico).'),
    podCIDRs: z.array(z.string()).optional().describe('Ranges that Kubernetes gave to the node.'),
  }),
  rules: [
    {
      path: 'spec.bgp',
      rule: 'must hold at least one field',
      check: ({ spec }) => spec.bgp === undefined || Object.keys(spec.bgp).length > 0,
    },
    {
      path: 'spec.bgp.ipv4Address',
      rule: 'must be an IPv4 address',
      check: ({ spec }) => !spec.bgp?.ipv4Address?.includes(':'),
    },
    {
      path: 'spec.bgp.ipv6Address',
      rule: 'must be an IPv6 address',
      check: ({ spec }) => spec.bgp?.ipv6Address?.includes(':') ?? true,
    },
  ],
});

export type Node = ResourceOf<typeof node>;
