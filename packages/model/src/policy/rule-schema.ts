import { ParseError, type Prefix, parsePrefix } from '@overland/net';
import { z } from 'zod';
import { ruleNamespaceSelector, selector, text } from '../scalars.ts';
import { port } from './port.ts';
import { protocol } from './protocol.ts';

/** A prefix whose length is written: a bare address is more often a mistake, and Calico refuses it here. */
const net: z.ZodType<Prefix> = text('a prefix', (value) => {
  if (!value.includes('/'))
    throw new ParseError('prefix', value, 'with its length, as 10.0.0.1/32');
  return parsePrefix(value);
});

/** One side of a rule, in the words of Calico an entity rule. All fields that are set must match. */
const side = z.object({
  nets: z.array(net).optional(),
  notNets: z.array(net).optional(),
  selector: selector.optional(),
  notSelector: selector.optional(),
  namespaceSelector: ruleNamespaceSelector.optional(),
  ports: z.array(port).optional(),
  notPorts: z.array(port).optional(),
  serviceAccounts: z
    .object({ names: z.array(z.string()).optional(), selector: selector.optional() })
    .optional(),
  services: z.object({ name: z.string().min(1), namespace: z.string().optional() }).optional(),
});

const icmp = z.object({
  type: z.number().int().min(0).max(254).optional(),
  code: z.number().int().min(0).max(255).optional(),
});

const http = z.object({
  methods: z.array(z.string()).optional(),
  paths: z
    .array(z.object({ exact: z.string().optional(), prefix: z.string().optional() }))
    .optional(),
});

/** One rule of a policy or profile. What fields demand of each other is in `rule-checks.ts`. */
export const policyRule = z.object({
  action: z.enum(['Allow', 'Deny', 'Log', 'Pass']),
  ipVersion: z.union([z.literal(4), z.literal(6)], { error: 'must be 4 or 6' }).optional(),
  protocol: protocol.optional(),
  notProtocol: protocol.optional(),
  icmp: icmp.optional(),
  notICMP: icmp.optional(),
  source: side.optional(),
  destination: side.optional(),
  http: http.optional(),
  metadata: z.object({ annotations: z.record(z.string(), z.string()).optional() }).optional(),
});

/** What packets of one side must be to match. */
export type RuleSide = Readonly<z.infer<typeof side>>;

/** One rule of a policy or profile. */
export type PolicyRule = Readonly<z.infer<typeof policyRule>>;
