import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { asNumber, cidr, duration, fallback, ipAddress, pattern } from '../scalars.ts';

/**
 * What holds where neither the `default` object nor the node's own says anything. Not filled in on read:
 * the object of a node must not hide the `default` one with values that nobody wrote.
 */
export const BGP_CONFIGURATION_DEFAULTS = {
  logSeverityScreen: 'Info',
  nodeToNodeMeshEnabled: true,
  asNumber: 64512,
  listenPort: 179,
  bindMode: 'None',
  serviceLoadBalancerAggregation: 'Enabled',
  programClusterRoutes: 'EnabledNoEncapOnly',
  ipv4NormalRoutePriority: 1024,
  ipv6NormalRoutePriority: 1024,
} as const;

const DEFAULTS = BGP_CONFIGURATION_DEFAULTS;
const priority = z.number().int().min(1).max(2_147_483_646);
const addressRange = z.object({ cidr });

/** `aa:nn` with 16-bit parts (RFC 1997), or `aa:nn:mm` with 32-bit parts (RFC 8092). */
export function isCommunity(text: string): boolean {
  const parts = text.split(':');
  const max = parts.length === 2 ? 0xffff : 0xffff_ffff;
  return (
    (parts.length === 2 || parts.length === 3) &&
    parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) <= max)
  );
}

const communityValue = z
  .string()
  .refine(isCommunity, 'must be a community: aa:nn (16-bit parts) or aa:nn:mm (32-bit parts)');

/** Settings of all speakers (`default`), or of one (`node.NAME`). */
export const bgpConfiguration = defineKind({
  kind: 'BGPConfiguration',
  summary: 'BGP settings of all nodes (named default), or of one node (named node.NAME).',
  plural: 'bgpconfigurations',
  aliases: ['bgpconfig', 'bgpconfigs'],
  name: subdomainName,
  spec: z.object({
    logSeverityScreen: fallback(
      z.enum(['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal']),
      DEFAULTS.logSeverityScreen,
    ),
    nodeToNodeMeshEnabled: fallback(z.boolean(), DEFAULTS.nodeToNodeMeshEnabled),
    asNumber: fallback(asNumber, DEFAULTS.asNumber),
    listenPort: fallback(z.number().int().min(1).max(65535), DEFAULTS.listenPort),
    bindMode: fallback(z.enum(['None', 'NodeIP']), DEFAULTS.bindMode),
    serviceClusterIPs: z.array(addressRange).optional(),
    serviceExternalIPs: z.array(addressRange).optional(),
    serviceLoadBalancerIPs: z.array(addressRange).optional(),
    serviceLoadBalancerAggregation: fallback(
      z.enum(['Enabled', 'Disabled']),
      DEFAULTS.serviceLoadBalancerAggregation,
    ),
    communities: z
      .array(z.object({ name: z.string().min(1), value: communityValue }))
      .max(500)
      .optional(),
    prefixAdvertisements: z
      .array(z.object({ cidr, communities: z.array(z.string()).max(50).optional() }))
      .max(500)
      .optional(),
    nodeMeshPassword: z
      .object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) })
      .optional(),
    nodeMeshMaxRestartTime: duration.optional(),
    ignoredInterfaces: z
      .array(pattern('an interface name or wildcard', /^(?!\*$)[A-Za-z0-9_.*-]{1,15}$/))
      .optional(),
    localWorkloadPeeringIPV4: ipAddress.optional(),
    localWorkloadPeeringIPV6: ipAddress.optional(),
    programClusterRoutes: fallback(
      z.enum(['Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly']),
      DEFAULTS.programClusterRoutes,
    ),
    ipv4NormalRoutePriority: fallback(priority, DEFAULTS.ipv4NormalRoutePriority),
    ipv6NormalRoutePriority: fallback(priority, DEFAULTS.ipv6NormalRoutePriority),
  }),
  rules: [
    {
      path: 'spec.communities',
      rule: 'must come with spec.prefixAdvertisements, which alone uses them',
      check: ({ spec }) => !spec.communities?.length || Boolean(spec.prefixAdvertisements?.length),
    },
    {
      path: 'spec.prefixAdvertisements',
      rule: 'must be a community, or a name from spec.communities',
      check: ({ spec }) => {
        const names = new Set(spec.communities?.map(({ name }) => name));
        return (spec.prefixAdvertisements ?? []).flatMap(({ communities = [] }, i) =>
          communities.flatMap((community, j) =>
            names.has(community) || isCommunity(community)
              ? []
              : [`spec.prefixAdvertisements[${i}].communities[${j}]`],
          ),
        );
      },
    },
    {
      path: 'spec.nodeMeshPassword',
      rule: 'must not be set when spec.nodeToNodeMeshEnabled is false',
      check: ({ spec }) => spec.nodeToNodeMeshEnabled !== false || !spec.nodeMeshPassword,
    },
    {
      path: 'spec.nodeMeshMaxRestartTime',
      rule: 'must not be set when spec.nodeToNodeMeshEnabled is false',
      check: ({ spec }) => spec.nodeToNodeMeshEnabled !== false || !spec.nodeMeshMaxRestartTime,
    },
  ],
});

export type BgpConfiguration = ResourceOf<typeof bgpConfiguration>;
