import { isHostPrefix, networkAddress } from '@overland/net';
import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { cidr, ipAddress } from '../scalars.ts';
import { workloadEndpointName } from '../workload-endpoint-name.ts';

/** Labels that every workload endpoint has, set from its namespace and orchestrator. */
export const NAMESPACE_LABEL = 'projectcalico.org/namespace';
export const ORCHESTRATOR_LABEL = 'projectcalico.org/orchestrator';

/** `TCP`, `UDP`, … or a protocol number. */
const protocol = z.union([z.string(), z.number().int().min(1).max(255)], {
  error: 'must be a protocol name, or a number from 1 to 255',
});
const port = z.number().int().min(0).max(65535);

const namedPort = z.object({
  name: z.string().optional(),
  protocol,
  port,
  hostPort: port.optional(),
  hostIP: z.string().optional(),
});

/** One interface of a container. */
export const workloadEndpoint = defineKind({
  kind: 'WorkloadEndpoint',
  summary: 'One interface of a container: where it is, its addresses, labels and profiles.',
  plural: 'workloadendpoints',
  aliases: ['wep', 'weps'],
  namespaced: true,
  name: subdomainName,
  spec: z.object({
    orchestrator: z.string().min(1),
    node: z.string().min(1),
    workload: z.string().optional(),
    containerID: z.string().optional(),
    pod: z.string().optional(),
    endpoint: z.string().min(1),
    serviceAccountName: z.string().optional(),
    ipNetworks: z.array(cidr).default([]),
    ipNATs: z.array(z.object({ internalIP: ipAddress, externalIP: ipAddress })).optional(),
    ipv4Gateway: ipAddress.optional(),
    ipv6Gateway: ipAddress.optional(),
    profiles: z.array(z.string()).optional(),
    interfaceName: z.string().optional(),
    mac: z.string().optional(),
    ports: z.array(namedPort).optional(),
    allowSpoofedSourcePrefixes: z.array(cidr).optional(),
    qosControls: z.record(z.string(), z.unknown()).optional(),
  }),
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
      check: ({ metadata, spec }) => metadata.name === expectedName(spec),
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
  ],
});

function expectedName(spec: Parameters<typeof workloadEndpointName>[0]): string | undefined {
  try {
    return workloadEndpointName(spec);
  } catch {
    return undefined;
  }
}

export type WorkloadEndpoint = ResourceOf<typeof workloadEndpoint>;
