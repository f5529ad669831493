import { ParseError, type Prefix, parsePrefix } from '@overland/net';
import { z } from 'zod';
import { ruleNamespaceSelector, selector, text } from '../scalars.ts';
import { port } from './port.ts';
import { protocol } from './protocol-schema.ts';

/** A prefix whose length is written: a bare address is more often a mistake, and Calico refuses it here. */
const net: z.ZodType<Prefix> = text('a prefix', (value) => {
  if (!value.includes('/'))
    throw new ParseError('prefix', value, 'with its length, as 10.0.0.1/32');
  return parsePrefix(value);
});

/** One side of a rule, in the words of Calico an entity rule. All fields that are set must match. */
const side = z.object({
  nets: z.array(net).optional().describe('One of these ranges holds the address.'),
  notNets: z.array(net).optional().describe('None of these ranges holds it.'),
  selector: selector.optional().describe('Endpoints and network sets, by label.'),
  notSelector: selector.optional().describe('Not these.'),
  namespaceSelector: ruleNamespaceSelector
    .optional()
    .describe('Namespaces of the selected endpoints; global(): those without one.'),
  ports: z.array(port).optional().describe('One of these ports.'),
  notPorts: z.array(port).optional().describe('None of these ports.'),
  serviceAccounts: z
    .object({
      names: z.array(z.string()).optional().describe('By name.'),
      selector: selector.optional().describe('By label.'),
    })
    .optional()
    .describe('Workloads with these service accounts.'),
  services: z
    .object({
      name: z.string().min(1).describe('Name of the service.'),
      namespace: z.string().optional().describe('Its namespace.'),
    })
    .optional()
    .describe('Endpoints of a service of Kubernetes.'),
});

const icmp = z.object({
  type: z.number().int().min(0).max(254).optional().describe('Type of the message.'),
  code: z.number().int().min(0).max(255).optional().describe('Code of the message.'),
});

const http = z.object({
  methods: z.array(z.string()).optional().describe('Methods.'),
  paths: z
    .array(
      z.object({
        exact: z.string().optional().describe('The whole path.'),
        prefix: z.string().optional().describe('How it begins.'),
      }),
    )
    .optional()
    .describe('Paths.'),
});

/** One rule of a policy or profile. What fields demand of each other is in `rule-checks.ts`. */
export const policyRule = z.object({
  action: z
    .enum(['Allow', 'Deny', 'Log', 'Pass'])
    .describe(
      'What happens to packets that match; Log goes on with the next rule, Pass with the next tier.',
    ),
  ipVersion: z
    .union([z.literal(4), z.literal(6)], { error: 'must be 4 or 6' })
    .optional()
    .describe('Only packets of this IP version.'),
  protocol: protocol.optional().describe('Only this protocol.'),
  notProtocol: protocol.optional().describe('Any protocol but this.'),
  icmp: icmp.optional().describe('Only these ICMP messages.'),
  notICMP: icmp.optional().describe('Any ICMP messages but these.'),
  source: side.optional().describe('Who sends.'),
  destination: side.optional().describe('Who receives.'),
  http: http.optional().describe('Only these HTTP requests.'),
  metadata: z
    .object({
      annotations: z.record(z.string(), z.string()).optional().describe('Keys and values.'),
    })
    .optional()
    .describe('Notes about the rule.'),
});

/** What packets of one side must be to match. */
export type RuleSide = Readonly<z.infer<typeof side>>;

/** One rule of a policy or profile. */
export type PolicyRule = Readonly<z.infer<typeof policyRule>>;
