import { parseInterfaceAddress, prefixOf } from '@overland/net';
import { z } from 'zod';
import { asNumber, ipAddress, text } from '../scalars.ts';

// What calicoctl 1.x and 2.x took: docs.projectcalico.org/v2.6/reference/calicoctl/resources, libcalico-go/lib/apis/v1.

/** Bits past the length are cleared, as those versions did. */
const network = text('a prefix', (value) => {
  const { address, length } = parseInterfaceAddress(value);
  return prefixOf(address, length);
});

const PROTOCOLS = {
  tcp: 'TCP',
  udp: 'UDP',
  icmp: 'ICMP',
  icmpv6: 'ICMPv6',
  sctp: 'SCTP',
  udplite: 'UDPLite',
} as const;

const protocol = z
  .union([z.number(), z.string()], { error: 'must be a number, or a name' })
  .transform((value) =>
    typeof value === 'string' && Object.hasOwn(PROTOCOLS, value.toLowerCase())
      ? PROTOCOLS[value.toLowerCase() as keyof typeof PROTOCOLS]
      : value,
  );

/** v1 called the namespace of a pod by another label. */
const selector = z
  .string()
  .transform((value) => value.replaceAll('calico/k8s_ns', 'projectcalico.org/namespace'));

const port = z.union([z.number(), z.string()], { error: 'must be a number, or a text' });
const icmp = z.object({ type: z.number().optional(), code: z.number().optional() });
const labels = z.record(z.string(), z.string());
const names = z.array(z.string());
const endpointPorts = z.array(z.object({ name: z.string(), protocol, port: z.number() }));

const side = z.object({
  tag: z.string().optional(),
  net: network.optional(),
  nets: z.array(network).optional(),
  selector: selector.optional(),
  ports: z.array(port).optional(),
  notTag: z.string().optional(),
  notNet: network.optional(),
  notNets: z.array(network).optional(),
  notSelector: selector.optional(),
  notPorts: z.array(port).optional(),
});

export type SideV1 = z.infer<typeof side>;

const ACTIONS = {
  allow: 'Allow',
  deny: 'Deny',
  log: 'Log',
  pass: 'Pass',
  'next-tier': 'Pass',
} as const;

const action = z.string().transform((value, context) => {
  const known = value.toLowerCase();
  if (Object.hasOwn(ACTIONS, known)) return ACTIONS[known as keyof typeof ACTIONS];
  context.addIssue({ code: 'custom', message: 'must be allow, deny, log or pass', input: value });
  return z.NEVER;
});

const rule = z.object({
  action,
  ipVersion: z.number().optional(),
  protocol: protocol.optional(),
  icmp: icmp.optional(),
  notProtocol: protocol.optional(),
  notICMP: icmp.optional(),
  source: side.optional(),
  destination: side.optional(),
});

export type RuleV1 = z.infer<typeof rule>;

const rules = z.array(rule).optional();
const policyType = z
  .enum(['ingress', 'egress', 'Ingress', 'Egress'])
  .transform((type) => (type.toLowerCase() === 'ingress' ? 'Ingress' : 'Egress'));

const object = <Kind extends string, Metadata, Spec>(
  kind: Kind,
  metadata: z.ZodType<Metadata>,
  spec: z.ZodType<Spec>,
) =>
  z.object({
    apiVersion: z.literal('v1'),
    kind: z.literal(kind),
    metadata,
    spec: spec.prefault({} as never),
  });

/** Every kind of Calico v1 that has an heir. */
export const CALICO_V1_KINDS = {
  bgpPeer: object(
    'bgpPeer',
    z.object({
      scope: z.enum(['global', 'node']),
      node: z.string().min(1).optional(),
      peerIP: ipAddress,
    }),
    z.object({ asNumber }),
  ),
  hostEndpoint: object(
    'hostEndpoint',
    z.object({ name: z.string().min(1), node: z.string().min(1), labels: labels.optional() }),
    z.object({
      interfaceName: z.string().optional(),
      expectedIPs: z.array(ipAddress).optional(),
      profiles: names.optional(),
      ports: endpointPorts.optional(),
    }),
  ),
  ipPool: object(
    'ipPool',
    z.object({ cidr: z.string() }),
    z.object({
      ipip: z.object({ enabled: z.boolean().optional(), mode: z.string().optional() }).optional(),
      'nat-outgoing': z.boolean().optional(),
      disabled: z.boolean().optional(),
    }),
  ),
  node: object(
    'node',
    z.object({ name: z.string().min(1) }),
    z.object({
      bgp: z
        .object({
          asNumber: asNumber.optional(),
          ipv4Address: z.string().optional(),
          ipv6Address: z.string().optional(),
        })
        .optional(),
      orchRefs: z
        .array(z.object({ nodeName: z.string().optional(), orchestrator: z.string() }))
        .optional(),
    }),
  ),
  policy: object(
    'policy',
    z.object({ name: z.string().min(1), annotations: labels.optional() }),
    z.object({
      order: z.number().optional(),
      selector: selector.optional(),
      doNotTrack: z.boolean().optional(),
      preDNAT: z.boolean().optional(),
      types: z.array(policyType).optional(),
      ingress: rules,
      egress: rules,
    }),
  ),
  profile: object(
    'profile',
    z.object({ name: z.string().min(1), labels: labels.optional(), tags: names.optional() }),
    z.object({ ingress: rules, egress: rules }),
  ),
  workloadEndpoint: object(
    'workloadEndpoint',
    z.object({
      name: z.string().min(1),
      workload: z.string().min(1),
      orchestrator: z.string().min(1),
      node: z.string().min(1),
      activeInstanceID: z.string().optional(),
      labels: labels.optional(),
    }),
    z.object({
      interfaceName: z.string().optional(),
      mac: z.string().optional(),
      profiles: names.optional(),
      ipNetworks: z.array(network).optional(),
      ipNATs: z.array(z.object({ internalIP: ipAddress, externalIP: ipAddress })).optional(),
      ipv4Gateway: ipAddress.optional(),
      ipv6Gateway: ipAddress.optional(),
      ports: endpointPorts.optional(),
    }),
  ),
} as const;

export type CalicoV1Kind = keyof typeof CALICO_V1_KINDS;
export type CalicoV1<K extends CalicoV1Kind> = z.infer<(typeof CALICO_V1_KINDS)[K]>;
