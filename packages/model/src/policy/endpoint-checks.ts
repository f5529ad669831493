import type { Rule } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { isPortName, PORT_NAME_RULE } from './port.ts';
import { hasPorts, type Protocol } from './protocol.ts';

interface Endpoint {
  readonly spec: {
    readonly profiles?: readonly string[] | undefined;
    readonly ports?:
      | readonly { readonly name?: string | undefined; readonly protocol: Protocol }[]
      | undefined;
  };
}

/** What the endpoints of workloads and of hosts must keep. */
export const endpointChecks: readonly Rule<Endpoint>[] = [
  {
    path: 'spec.profiles',
    rule: subdomainName.rule,
    check: ({ spec: { profiles = [] } }) =>
      profiles.flatMap((name, i) => (subdomainName.holds(name) ? [] : [`spec.profiles[${i}]`])),
  },
  {
    path: 'spec.ports',
    rule: PORT_NAME_RULE,
    check: ({ spec: { ports = [] } }) =>
      ports.flatMap(({ name }, i) => (!name || isPortName(name) ? [] : [`spec.ports[${i}].name`])),
  },
  {
    path: 'spec.ports',
    rule: 'must be TCP, UDP or SCTP: others have no ports',
    check: ({ spec: { ports = [] } }) =>
      ports.flatMap(({ protocol }, i) => (hasPorts(protocol) ? [] : [`spec.ports[${i}].protocol`])),
  },
];
