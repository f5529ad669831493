import { ParseError, type Prefix, parseInterfaceAddress, prefixOf } from '@overland/net';
import { z } from 'zod';
import { text } from '../scalars.ts';

const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional().describe('Labels with these values.'),
  matchExpressions: z
    .array(
      z.object({
        key: z.string().describe('The label.'),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('The comparison.'),
        values: z.array(z.string()).optional().describe('What it is compared with.'),
      }),
    )
    .optional()
    .describe('Comparisons, all of which must hold.'),
});

/** Bits past the length are cleared, as Kubernetes does. */
const cidr: z.ZodType<Prefix> = text('a prefix', (value) => {
  if (!value.includes('/')) throw new ParseError('prefix', value, 'with its length, as 10.0.0.0/8');
  const { address, length } = parseInterfaceAddress(value);
  return prefixOf(address, length);
});

const peer = z.object({
  podSelector: labelSelector.optional().describe('Pods.'),
  namespaceSelector: labelSelector.optional().describe('Pods of these namespaces.'),
  ipBlock: z
    .object({
      cidr: cidr.describe('The range.'),
      except: z.array(cidr).optional().describe('Ranges in it that are left out.'),
    })
    .optional()
    .describe('Addresses.'),
});

const port = z.object({
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP').describe('Its protocol.'),
  port: z
    .union([z.number(), z.string()], { error: 'must be a number, or a name' })
    .optional()
    .describe('Number or name; absent: all.'),
  endPort: z.number().int().optional().describe('Last port of a range.'),
});

const ports = z.array(port).optional().describe('Which ports; absent: all.');
const peers = z.array(peer).optional().describe('Who; absent: everybody.');
const policyType = z.enum(['Ingress', 'Egress']);

/** What a NetworkPolicy of `networking.k8s.io/v1` says. What fields demand of each other is in `network-policy-checks.ts`. */
export const kubernetesPolicyFields = {
  podSelector: labelSelector.default({}).describe('Pods of the namespace that it is about.'),
  ingress: z
    .array(z.object({ from: peers, ports }))
    .optional()
    .describe('What may come in.'),
  egress: z
    .array(z.object({ to: peers, ports }))
    .optional()
    .describe('What may go out.'),
  policyTypes: z
    .array(policyType)
    .optional()
    .meta({ default: 'Ingress, and Egress if egress has items' })
    .describe('Directions that it decides about.'),
} as const;

const spec = z.object(kubernetesPolicyFields);

export type KubernetesPolicySpec = Readonly<z.infer<typeof spec>>;
export type LabelSelector = Readonly<z.infer<typeof labelSelector>>;
export type Peer = Readonly<z.infer<typeof peer>>;
export type PeerPort = Readonly<z.infer<typeof port>>;

/** A rule of either direction. */
export interface PeerRule {
  /** Whom it allows; all if none is named. */
  readonly peers: readonly Peer[];
  /** On which ports; on all if none is named. */
  readonly ports: readonly PeerPort[];
}

/** Rules of one direction, in words that fit both. */
export function peerRules(spec: KubernetesPolicySpec, direction: 'ingress' | 'egress'): PeerRule[] {
  return direction === 'ingress'
    ? (spec.ingress ?? []).map((rule) => ({ peers: rule.from ?? [], ports: rule.ports ?? [] }))
    : (spec.egress ?? []).map((rule) => ({ peers: rule.to ?? [], ports: rule.ports ?? [] }));
}
