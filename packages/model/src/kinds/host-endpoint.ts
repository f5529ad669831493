import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { INTERFACE_NAME_RULE, isInterfaceName, subdomainName } from '../name-rules.ts';
import { endpointChecks } from '../policy/endpoint-checks.ts';
import { portNumber } from '../policy/port.ts';
import { protocol } from '../policy/protocol-schema.ts';
import { ipAddress } from '../scalars.ts';

/** Interfaces of a host that policies protect. */
export const hostEndpoint = defineKind({
  kind: 'HostEndpoint',
  summary:
    "A host's own interface, or all of them (`*`), so that policies can be about the host itself.",
  plural: 'hostendpoints',
  aliases: ['hep', 'heps'],
  name: subdomainName,
  spec: z.object({
    node: z.string().min(1).describe('The host.'),
    interfaceName: z.string().optional().describe('The interface; *: all of them.'),
    expectedIPs: z
      .array(ipAddress)
      .optional()
      .describe('Addresses of the interface; find it if it has no name here.'),
    profiles: z.array(z.string()).optional().describe('Profiles, in order.'),
    ports: z
      .array(
        z.object({
          name: z.string().describe('The name.'),
          protocol: protocol.describe('Its protocol.'),
          port: portNumber.describe('The port.'),
        }),
      )
      .optional()
      .describe('Names of ports, for rules.'),
  }),
  rules: [
    {
      path: 'spec.interfaceName',
      rule: 'is required unless spec.expectedIPs says which interface it is',
      check: ({ spec }) => Boolean(spec.interfaceName) || Boolean(spec.expectedIPs?.length),
    },
    {
      path: 'spec.interfaceName',
      rule: `${INTERFACE_NAME_RULE}, or * for all`,
      check: ({ spec: { interfaceName } }) =>
        !interfaceName || interfaceName === '*' || isInterfaceName(interfaceName),
    },
    {
      path: 'spec.node',
      rule: subdomainName.rule,
      check: ({ spec }) => subdomainName.holds(spec.node),
    },
    ...endpointChecks,
  ],
});

export type HostEndpoint = ResourceOf<typeof hostEndpoint>;
