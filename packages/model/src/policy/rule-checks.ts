import { familyOf, prefixLength } from '@overland/net';
import { isAnnotationKey, subdomainName } from '../name-rules.ts';
import { httpChecks } from './http-checks.ts';
import { isPortName, PORT_NAME_RULE } from './port.ts';
import { hasPorts, ipVersionOf, protocolNumber } from './protocol.ts';
import type { PolicyRule, RuleSide } from './rule-schema.ts';

/** Something that the fields of one rule demand of each other. */
export interface RuleCheck {
  /** Which field it is about, for documentation. */
  readonly about: string;
  /** What must hold, as a phrase that follows the path. */
  readonly rule: string;
  /** Paths inside the rule where it does not. */
  readonly broken: (rule: PolicyRule) => readonly string[];
}

const MAX_NETS = 256;
const MAX_PORTS = 50;
const ICMP_PROTOCOLS = [1, 58];

/** What holds for every rule, of policies and profiles. Source: Calico's validator and the schema of its resources. */
export const RULE_CHECKS: readonly RuleCheck[] = [
  {
    about: 'icmp',
    rule: 'must come with protocol ICMP or ICMPv6',
    broken: ({ icmp, protocol }) => {
      const fits = protocol !== undefined && ICMP_PROTOCOLS.includes(protocolNumber(protocol));
      return icmp && !fits ? ['icmp'] : [];
    },
  },
  {
    about: 'icmp.code',
    rule: 'must come with a type',
    broken: ({ icmp, notICMP }) =>
      Object.entries({ icmp, notICMP }).flatMap(([field, match]) =>
        match?.code !== undefined && match.type === undefined ? [`${field}.code`] : [],
      ),
  },
  {
    about: 'ipVersion',
    rule: 'must be 4 with protocol ICMP, 6 with ICMPv6',
    broken: ({ ipVersion, protocol, notProtocol }) =>
      [protocol, notProtocol].some((value) => {
        const wanted = value === undefined ? undefined : ipVersionOf(value);
        return ipVersion !== undefined && wanted !== undefined && wanted !== ipVersion;
      })
        ? ['ipVersion']
        : [],
  },
  {
    about: 'source.ports',
    rule: 'must come with protocol TCP, UDP or SCTP; without a protocol, only names of ports may be given',
    broken: (rule) =>
      eachPorts(rule).flatMap(([path, ports]) => {
        const fits =
          rule.protocol === undefined
            ? ports.every(isName)
            : ports.length === 0 || hasPorts(rule.protocol);
        return fits ? [] : [path];
      }),
  },
  {
    about: 'source.ports[]',
    rule: PORT_NAME_RULE,
    broken: (rule) =>
      eachPorts(rule).flatMap(([path, ports]) =>
        ports.flatMap((port, i) =>
          isName(port) && !isPortName(String(port)) ? [`${path}[${i}]`] : [],
        ),
      ),
  },
  {
    about: 'source.ports',
    rule: `must have at most ${MAX_PORTS} items`,
    broken: (rule) =>
      eachPorts(rule).flatMap(([path, ports]) => (ports.length > MAX_PORTS ? [path] : [])),
  },
  {
    about: 'source.nets',
    rule: `must have at most ${MAX_NETS} items`,
    broken: (rule) =>
      eachNets(rule).flatMap(([path, nets]) => (nets.length > MAX_NETS ? [path] : [])),
  },
  {
    about: 'source.notNets[]',
    rule: 'must not be everything: nothing would match',
    broken: (rule) =>
      eachNets(rule).flatMap(([path, nets]) =>
        path.endsWith('.notNets')
          ? nets.flatMap((net, i) => (prefixLength(net) === 0 ? [`${path}[${i}]`] : []))
          : [],
      ),
  },
  {
    about: 'source.nets[]',
    rule: 'must be of one family in the whole rule, IPv4 or IPv6, and that of ipVersion',
    broken: (rule) => {
      const all = eachNets(rule).flatMap(([path, nets]) =>
        nets.map((net, i) => [`${path}[${i}]`, familyOf(net)] as const),
      );
      const first = rule.ipVersion === undefined ? all[0]?.[1] : (`ipv${rule.ipVersion}` as const);
      return all.flatMap(([path, family]) => (family === first ? [] : [path]));
    },
  },
  ...serviceChecks(),
  ...httpChecks(),
  {
    about: 'metadata.annotations',
    rule: 'must have a key of at most 63 letters, digits, "-", "_" and ".", after an optional DNS prefix',
    broken: ({ metadata }) =>
      Object.keys(metadata?.annotations ?? {}).flatMap((key) =>
        isAnnotationKey(key) ? [] : [`metadata.annotations[${JSON.stringify(key)}]`],
      ),
  },
];

function serviceChecks(): RuleCheck[] {
  return [
    {
      about: 'source.services',
      rule: 'must not be set together with nets, selectors or service accounts: a service says which endpoints',
      broken: (rule) =>
        eachSide(rule).flatMap(([path, side]) =>
          side.services && selectsEndpoints(side) ? [`${path}.services`] : [],
        ),
    },
    {
      about: 'destination.ports',
      rule: 'must not be set together with services, which say the ports',
      broken: ({ destination }) =>
        (['ports', 'notPorts'] as const).flatMap((field) =>
          destination?.services && destination[field]?.length ? [`destination.${field}`] : [],
        ),
    },
    {
      about: 'source.serviceAccounts.names[]',
      rule: subdomainName.rule,
      broken: (rule) =>
        eachSide(rule).flatMap(([path, { services, serviceAccounts }]) => {
          const names: [string, string][] = (serviceAccounts?.names ?? []).map((name, i) => [
            `serviceAccounts.names[${i}]`,
            name,
          ]);
          if (services) names.push(['services.name', services.name]);
          if (services?.namespace) names.push(['services.namespace', services.namespace]);
          return names.flatMap(([field, name]) =>
            subdomainName.holds(name) ? [] : [`${path}.${field}`],
          );
        }),
    },
  ];
}

function selectsEndpoints(side: RuleSide): boolean {
  return Boolean(
    side.selector ||
      side.notSelector ||
      side.namespaceSelector ||
      side.serviceAccounts ||
      side.nets?.length ||
      side.notNets?.length,
  );
}

function eachSide({ source, destination }: PolicyRule): [path: string, side: RuleSide][] {
  return Object.entries({ source, destination }).flatMap(([path, side]) =>
    side ? [[path, side]] : [],
  );
}

function eachPorts(rule: PolicyRule): [path: string, ports: NonNullable<RuleSide['ports']>][] {
  return eachSide(rule).flatMap(([path, { ports, notPorts }]) => [
    [`${path}.ports`, ports ?? []],
    [`${path}.notPorts`, notPorts ?? []],
  ]);
}

function eachNets(rule: PolicyRule): [path: string, nets: NonNullable<RuleSide['nets']>][] {
  return eachSide(rule).flatMap(([path, { nets, notNets }]) => [
    [`${path}.nets`, nets ?? []],
    [`${path}.notNets`, notNets ?? []],
  ]);
}

/** Ports are canonical here: numbers are numbers, ranges have a colon. */
function isName(port: number | string): boolean {
  return typeof port === 'string' && !port.includes(':');
}
