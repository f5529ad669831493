import { familyOf, isHostPrefix, networkAddress } from '@overland/net';
import { z } from 'zod';
import { isJsonObject } from '../json.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { NAMESPACE_LABEL, ORCHESTRATOR_LABEL } from '../labels/label-names.ts';
import { INTERFACE_NAME_RULE, isInterfaceName, subdomainName } from '../name-rules.ts';
import { endpointChecks } from '../policy/endpoint-checks.ts';
import { portNumber } from '../policy/port.ts';
import { protocol } from '../policy/protocol-schema.ts';
import { qosControls } from '../qos-controls.ts';
import { cidr, ipAddress, ipv4Address, ipv6Address, looseCidr, pattern } from '../scalars.ts';
import { type WorkloadEndpointIdentity, workloadEndpointName } from '../workload-endpoint-name.ts';

const namedPort = z.object({
  name: z.string().optional().describe('The name.'),
  protocol: protocol.describe('Its protocol.'),
  port: portNumber.describe('The port.'),
  hostPort: z
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Port of the host that leads here.'),
  hostIP: z
    .union([z.literal(''), cidr])
    .optional()
    .describe('Address of the host that it holds for.'),
});

/** Fields that are names of other objects, or parts of the endpoint's own name. */
const NAME_FIELDS = [
  'orchestrator',
  'node',
  'workload',
  'pod',
  'endpoint',
  'serviceAccountName',
] as const;

type NameField = (typeof NAME_FIELDS)[number];

/** One interface of a container. */
export const workloadEndpoint = defineKind({
  kind: 'WorkloadEndpoint',
  summary: 'One interface of a container: where it is, its addresses, labels and profiles.',
  plural: 'workloadendpoints',
  aliases: ['wep', 'weps'],
  namespaced: true,
  name: subdomainName,
  spec: z.object({
    orchestrator: z
      .string()
      .min(1)
      .describe('Who runs the workload: k8s, cni, libnetwork, openstack or another.'),
    node: z.string().min(1).describe('The host.'),
    workload: z.string().optional().describe('Name of the workload.'),
    containerID: z.string().optional().describe('Of the container.'),
    pod: z.string().optional().describe('Name of the pod.'),
    endpoint: z.string().min(1).describe('Name of the interface within the workload.'),
    serviceAccountName: z.string().optional().describe('Service account of the workload.'),
    ipNetworks: z.array(cidr).default([]).describe('Its addresses.'),
    ipNATs: z
      .array(
        z.object({
          internalIP: ipAddress.describe('Its own address.'),
          externalIP: ipAddress.describe('The other one.'),
        }),
      )
      .optional()
      .describe('Other addresses that lead to it.'),
    ipv4Gateway: ipv4Address.optional().describe('Its gateway.'),
    ipv6Gateway: ipv6Address.optional().describe('The same for IPv6.'),
    profiles: z.array(z.string()).optional().describe('Profiles, in order.'),
    interfaceName: z.string().optional().describe('Interface of the host.'),
    mac: pattern(
      'a MAC address, as 02:00:00:00:00:01',
      /^(?:[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}|(?:[\da-f]{4}\.){2}[\da-f]{4})$/i,
    )
      .optional()
      .describe('Its MAC address.'),
    ports: z
      .array(namedPort)
      .optional()
      .describe('Names of ports, for rules, and ports of the host that lead to them.'),
    allowSpoofedSourcePrefixes: z
      .array(looseCidr)
      .optional()
      .describe('Further source addresses that it may use.'),
    qosControls: qosControls.optional().describe('Limits of its traffic.'),
  }),
  nameFrom: (document) => {
    const spec = isJsonObject(document) ? document.spec : undefined;
    return isJsonObject(spec) ? expectedName(spec as never) : undefined;
  },
  complete: (endpoint) => ({
    ...endpoint,
    metadata: {
      ...endpoint.metadata,
      labels: {
        ...endpoint.metadata.labels,
        [NAMESPACE_LABEL]: endpoint.metadata.namespace ?? 'default',
        [ORCHESTRATOR_LABEL]: endpoint.spec.orchestrator,
      },
    },
  }),
  rules: [
    {
      path: 'metadata.name',
      rule: 'must be made of node, orchestrator, workload and endpoint, as NODE-cni-CONTAINERID-ENDPOINT',
      check: ({ metadata, spec }) => !hasNames(spec) || metadata.name === expectedName(spec),
    },
    ...NAME_FIELDS.map((field) => ({
      path: `spec.${field}`,
      rule: subdomainName.rule,
      check: ({ spec }: { readonly spec: Partial<Record<NameField, string | undefined>> }) =>
        !spec[field] || subdomainName.holds(spec[field]),
    })),
    {
      path: 'spec.containerID',
      rule: 'must be letters, digits and inner dashes',
      check: ({ spec: { containerID } }) =>
        !containerID || /^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$/.test(containerID),
    },
    {
      path: 'spec.interfaceName',
      rule: INTERFACE_NAME_RULE,
      check: ({ spec: { interfaceName } }) => !interfaceName || isInterfaceName(interfaceName),
    },
    {
      path: 'spec.ipNetworks',
      rule: 'must be single addresses: /32 or /128',
      check: ({ spec }) =>
        spec.ipNetworks.flatMap((network, i) =>
          isHostPrefix(network) ? [] : [`spec.ipNetworks[${i}]`],
        ),
    },
    {
      path: 'spec.ipNATs',
      rule: 'must be one of spec.ipNetworks',
      check: ({ spec }) => {
        const own = new Set(spec.ipNetworks.map(networkAddress));
        return (spec.ipNATs ?? []).flatMap(({ internalIP }, i) =>
          own.has(internalIP) ? [] : [`spec.ipNATs[${i}].internalIP`],
        );
      },
    },
    {
      path: 'spec.ipNATs',
      rule: 'must be of the same family as the internal address',
      check: ({ spec }) =>
        (spec.ipNATs ?? []).flatMap(({ internalIP, externalIP }, i) =>
          familyOf(internalIP) === familyOf(externalIP) ? [] : [`spec.ipNATs[${i}].externalIP`],
        ),
    },
    ...endpointChecks,
    {
      path: 'spec.ports',
      rule: 'is required unless hostPort is set',
      check: ({ spec: { ports = [] } }) =>
        ports.flatMap(({ name, hostPort }, i) =>
          name || hostPort ? [] : [`spec.ports[${i}].name`],
        ),
    },
  ],
});

/** Of an object that is readable in parts only, those that are required may be missing. */
function hasNames(spec: Partial<WorkloadEndpointIdentity>): boolean {
  return [spec.node, spec.orchestrator, spec.endpoint].every((part) => part !== undefined);
}

function expectedName(spec: WorkloadEndpointIdentity): string | undefined {
  try {
    return workloadEndpointName(spec);
  } catch {
    return undefined;
  }
}

export type WorkloadEndpoint = ResourceOf<typeof workloadEndpoint>;
