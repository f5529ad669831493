import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { asNumber, interfaceAddress, ipAddress, ipv4Address } from '../scalars.ts';

const bgp = z.object({
  asNumber: asNumber.optional(),
  ipv4Address: interfaceAddress.optional(),
  ipv6Address: interfaceAddress.optional(),
  ipv4IPIPTunnelAddr: ipAddress.optional(),
  routeReflectorClusterID: ipv4Address.optional(),
});

const ADDRESS_TYPES = ['CalicoNodeIP', 'InternalIP', 'ExternalIP'] as const;

/** A host that runs the agent. */
export const node = defineKind({
  kind: 'Node',
  summary: 'A host that takes part in the fabric: its addresses, AS number and role.',
  plural: 'nodes',
  aliases: ['no'],
  name: subdomainName,
  spec: z.object({
    bgp: bgp.optional(),
    ipv4VXLANTunnelAddr: ipAddress.optional(),
    vxlanTunnelMACAddr: z.string().optional(),
    ipv6VXLANTunnelAddr: ipAddress.optional(),
    vxlanTunnelMACAddrV6: z.string().optional(),
    wireguard: z
      .object({
        interfaceIPv4Address: ipAddress.optional(),
        interfaceIPv6Address: ipAddress.optional(),
      })
      .optional(),
    orchRefs: z
      .array(z.object({ nodeName: z.string().optional(), orchestrator: z.string() }))
      .optional(),
    addresses: z
      .array(z.object({ address: z.string(), type: z.enum(ADDRESS_TYPES).optional() }))
      .optional(),
    interfaces: z
      .array(z.object({ name: z.string().optional(), addresses: z.array(z.string()).optional() }))
      .optional(),
  }),
  status: z.object({
    wireguardPublicKey: z.string().optional(),
    wireguardPublicKeyV6: z.string().optional(),
    podCIDRs: z.array(z.string()).optional(),
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
