import { z } from 'zod';
import { community, isCommunity } from '../community.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { hasOneSource, password } from '../password.ts';
import {
  asNumber,
  cidr,
  duration,
  fallback,
  ipv4Address,
  ipv6Address,
  pattern,
} from '../scalars.ts';
import {
  bgpConfigurationExtensions,
  bgpConfigurationRules,
} from './bgp-configuration-extensions.ts';

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
const addressRange = z.object({ cidr: cidr.describe('The range.') });

/** `aa:nn` or the name of one. */
const advertisedCommunity = z.string().min(1).describe('A community, or a name from communities.');

/** Fields that Calico's client takes in the object named default only. */
const CLUSTER_WIDE = [
  'nodeToNodeMeshEnabled',
  'asNumber',
  'serviceClusterIPs',
  'serviceExternalIPs',
  'serviceLoadBalancerIPs',
  'nodeMeshPassword',
  'nodeMeshMaxRestartTime',
] as const;

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
    ).describe('Least severity that the speaker logs.'),
    nodeToNodeMeshEnabled: fallback(z.boolean(), DEFAULTS.nodeToNodeMeshEnabled).describe(
      'Whether all nodes that are no route reflectors peer with each other.',
    ),
    asNumber: fallback(asNumber, DEFAULTS.asNumber).describe(
      'AS number of the nodes whose Node gives none.',
    ),
    listenPort: fallback(z.number().int().min(1).max(65535), DEFAULTS.listenPort).describe(
      'TCP port on which speakers listen.',
    ),
    bindMode: fallback(z.enum(['None', 'NodeIP']), DEFAULTS.bindMode).describe(
      'NodeIP: speakers listen on the address of their node only.',
    ),
    serviceClusterIPs: z
      .array(addressRange)
      .optional()
      .describe('Ranges of cluster addresses of services that are announced.'),
    serviceExternalIPs: z
      .array(addressRange)
      .optional()
      .describe('Ranges in which external addresses of services are announced.'),
    serviceLoadBalancerIPs: z
      .array(addressRange)
      .optional()
      .describe('Ranges in which load balancer addresses of services are announced.'),
    serviceLoadBalancerAggregation: fallback(
      z.enum(['Enabled', 'Disabled']),
      DEFAULTS.serviceLoadBalancerAggregation,
    ).describe('Whether load balancer addresses are announced as ranges.'),
    communities: z
      .array(
        z.object({
          name: z.string().min(1).describe('Name of the community.'),
          value: community.describe('The community.'),
        }),
      )
      .max(500)
      .optional()
      .describe('Names for communities, used by prefixAdvertisements.'),
    prefixAdvertisements: z
      .array(
        z.object({
          cidr: cidr.describe('Prefix, with all that it contains.'),
          communities: z
            .array(advertisedCommunity)
            .max(50)
            .optional()
            .describe('What is added to its routes.'),
        }),
      )
      .max(500)
      .optional()
      .describe('Communities on announced routes, by prefix.'),
    nodeMeshPassword: password
      .optional()
      .describe('Password of all sessions of the mesh (TCP MD5); from one source.'),
    nodeMeshMaxRestartTime: duration
      .optional()
      .describe('Graceful restart time of the sessions of the mesh.'),
    ignoredInterfaces: z
      .array(pattern('an interface name or wildcard', /^(?!\*$)[A-Za-z0-9_.*-]{1,15}$/))
      .optional()
      .describe('Interfaces whose routes are not announced.'),
    localWorkloadPeeringIPV4: ipv4Address
      .optional()
      .describe('Address at which workloads reach the speaker of their host, IPv4.'),
    localWorkloadPeeringIPV6: ipv6Address.optional().describe('The same for IPv6.'),
    programClusterRoutes: fallback(
      z.enum(['Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly']),
      DEFAULTS.programClusterRoutes,
    ).describe('Which routes to blocks of other hosts the speaker programs, and not Felix.'),
    ipv4NormalRoutePriority: fallback(priority, DEFAULTS.ipv4NormalRoutePriority).describe(
      'Metric of IPv4 routes in the kernel.',
    ),
    ipv6NormalRoutePriority: fallback(priority, DEFAULTS.ipv6NormalRoutePriority).describe(
      'Metric of IPv6 routes in the kernel.',
    ),
    ...bgpConfigurationExtensions,
  }),
  rules: [
    ...bgpConfigurationRules,
    {
      path: 'spec',
      rule: 'must be set in the object named default only',
      check: ({ metadata, spec }) =>
        metadata.name === 'default'
          ? true
          : CLUSTER_WIDE.filter((field) => isSet(spec[field])).map((field) => `spec.${field}`),
    },
    {
      path: 'spec.communities',
      rule: 'must come with spec.prefixAdvertisements, which alone uses them',
      check: ({ spec }) => !spec.communities?.length || Boolean(spec.prefixAdvertisements?.length),
    },
    {
      path: 'spec.prefixAdvertisements[*].communities',
      rule: 'is required',
      check: ({ spec }) =>
        (spec.prefixAdvertisements ?? []).flatMap(({ communities }, i) =>
          communities ? [] : [`spec.prefixAdvertisements[${i}].communities`],
        ),
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
      rule: 'must have one source only: secretKeyRef, file or value',
      check: ({ spec }) => hasOneSource(spec.nodeMeshPassword),
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

/** Calico takes an empty list for none. */
function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

export type BgpConfiguration = ResourceOf<typeof bgpConfiguration>;
