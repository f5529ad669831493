import { z } from 'zod';
import { isExpression } from '../expression.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { onlyName } from '../name-rules.ts';
import { duration, fallback, looseCidr, pattern, selector } from '../scalars.ts';

const onOff = z.enum(['Enabled', 'Disabled']);
const port = z.number().int().min(0).max(65_535);

const period = fallback(duration, '5m').describe('Interval of full comparisons.');
const periodic = z.object({ reconcilerPeriod: period });

const template = z.object({
  generateName: pattern(
    'lower-case letters, digits, "-" and ".", at most 253',
    /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  )
    .optional()
    .describe('End of the names that are made.'),
  interfaceCIDRs: z
    .array(looseCidr)
    .optional()
    .describe('Only addresses of the node in these ranges become expected addresses.'),
  interfacePattern: z
    .string()
    .optional()
    .describe('Regular expression; a host endpoint for each interface that matches.'),
  labels: z.record(z.string(), z.string()).optional().describe('Labels of the host endpoints.'),
  nodeSelector: selector.optional().describe('Only for these nodes.'),
});

const nodeController = z.object({
  reconcilerPeriod: period,
  syncLabels: fallback(onOff, 'Enabled').describe('Whether labels of Kubernetes nodes are copied.'),
  hostEndpoint: z
    .object({
      autoCreate: fallback(onOff, 'Disabled').describe('A host endpoint for every node.'),
      createDefaultHostEndpoint: onOff
        .optional()
        .describe('Whether the one for all interfaces is among them.'),
      templates: z.array(template).optional().describe('Further host endpoints for each node.'),
    })
    .optional()
    .describe('Host endpoints that are made from nodes.'),
  leakGracePeriod: fallback(duration, '15m').describe(
    'How long an address without an owner, and whatever else is left over, is kept; 0 keeps it for good. A change counts within five minutes.',
  ),
});

const controllers = z.object({
  node: nodeController.optional().describe('Follows nodes and collects leaked addresses.'),
  policy: periodic.optional().describe('Copies policies of Kubernetes.'),
  workloadEndpoint: periodic.optional().describe('Copies labels of pods.'),
  serviceAccount: periodic.optional().describe('Makes profiles of service accounts.'),
  namespace: periodic.optional().describe('Makes profiles of namespaces.'),
  loadBalancer: z
    .object({
      assignIPs: fallback(z.enum(['AllServices', 'RequestedServicesOnly']), 'AllServices').describe(
        'Which services get an address.',
      ),
    })
    .optional()
    .describe('Gives addresses to services of type LoadBalancer.'),
  policyMigration: z
    .object({ enabled: fallback(onOff, 'Enabled').describe('Whether it runs.') })
    .optional()
    .describe('Renames policies of old versions.'),
});

const spec = z.object({
  logSeverityScreen: fallback(
    z.enum(['None', 'Debug', 'Info', 'Warning', 'Error', 'Fatal', 'Panic']),
    'Info',
  ).describe('Least severity that is logged.'),
  healthChecks: fallback(onOff, 'Enabled').describe('Whether health is reported.'),
  etcdV3CompactionPeriod: fallback(duration, '10m').describe(
    'How often old revisions of etcd are dropped; 0 never. An elected agent of Overland does it.',
  ),
  prometheusMetricsPort: fallback(port, 9094).describe('TCP port of the metrics; 0 for none.'),
  controllers: controllers.prefault({}).describe('Each runs if it is present.'),
  debugProfilePort: port.optional().describe('TCP port of profiles; absent or 0 for none.'),
});

/** Settings of Calico's controllers. */
export const kubeControllersConfiguration = defineKind({
  kind: 'KubeControllersConfiguration',
  summary: 'Settings of the controllers that come with Calico, in one object named default.',
  plural: 'kubecontrollersconfigurations',
  aliases: ['kubecontrollersconfig', 'kubecontrollersconfigs', 'kcc', 'kccs'],
  name: onlyName('default'),
  spec,
  status: z.object({
    runningConfig: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The settings in force, environment included.'),
    environmentVars: z
      .record(z.string(), z.string())
      .optional()
      .describe('The variables that changed them.'),
  }),
  rules: [
    {
      path: 'spec.controllers.node.hostEndpoint.templates',
      rule: 'must have interfaceCIDRs or interfacePattern',
      check: ({ spec: { controllers: each } }) =>
        (each.node?.hostEndpoint?.templates ?? []).flatMap(
          ({ interfaceCIDRs = [], interfacePattern = '' }, i) =>
            interfaceCIDRs.length > 0 || interfacePattern !== ''
              ? []
              : [`spec.controllers.node.hostEndpoint.templates[${i}]`],
        ),
    },
    {
      path: 'spec.controllers.node.hostEndpoint.templates[*].interfacePattern',
      rule: 'must be a regular expression',
      check: ({ spec: { controllers: each } }) =>
        (each.node?.hostEndpoint?.templates ?? []).flatMap(({ interfacePattern = '' }, i) =>
          isExpression(interfacePattern)
            ? []
            : [`spec.controllers.node.hostEndpoint.templates[${i}].interfacePattern`],
        ),
    },
  ],
});

export type KubeControllersConfiguration = ResourceOf<typeof kubeControllersConfiguration>;
