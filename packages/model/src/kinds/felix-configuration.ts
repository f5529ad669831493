import { z } from 'zod';
import { isExpression } from '../expression.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { isInterfaceName, subdomainName } from '../name-rules.ts';
import { selector } from '../scalars.ts';
import { formatPath } from '../validation.ts';
import { bpfParameters } from './felix/bpf.ts';
import { encapsulationParameters } from './felix/encapsulation.ts';
import { filteringParameters } from './felix/filtering.ts';
import { schemasOf } from './felix/parameters.ts';
import { processParameters } from './felix/process.ts';
import { routingParameters } from './felix/routing.ts';

/** Most routing tables that may be set aside. */
const MAX_TABLES = 65_535;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** A region is the end of the name `openstack-region-…`, which is a DNS label. */
const MAX_REGION_LENGTH = 63 - 'openstack-region-'.length;

/** Some 170 fields, which only who works on the kind pays for. */
const spec = () =>
  z.object({
    nodeSelector: selector.optional().describe('Nodes that the object is for.'),
    ...schemasOf(processParameters),
    ...schemasOf(routingParameters),
    ...schemasOf(filteringParameters),
    ...schemasOf(encapsulationParameters),
    ...schemasOf(bpfParameters),
  });

/** Fields that are regular expressions. */
const EXPRESSIONS = [
  'logDebugFilenameRegex',
  'mtuIfacePattern',
  'bpfDataIfacePattern',
  'bpfDisableGROForIfaces',
  'bpfL3IfacePattern',
] as const;

/** Settings of Calico's per-host agent. */
export const felixConfiguration = defineKind({
  kind: 'FelixConfiguration',
  summary:
    'Settings of Felix, the agent of Calico: for all nodes (named default), for one (named node.NAME), or for those that nodeSelector selects (any other name). The settings of one node win over selected ones, those over default; of several that select a node the oldest wins. The agent of Overland has settings of its own (docs/config.md). Of these it goes by defaultEndpointToHostAction, failsafeInboundHostPorts, failsafeOutboundHostPorts, floatingIPs, workloadSourceSpoofing, natOutgoingAddress, natOutgoingExclusions, natPortRange and iptablesNATOutgoingInterfaceFilter, and keeps the others for hosts that run Calico.',
  plural: 'felixconfigurations',
  aliases: ['felixconfig', 'felixconfigs'],
  name: subdomainName,
  spec,
  rules: [
    {
      path: 'spec',
      rule: 'must be a regular expression',
      check: ({ spec: given }) =>
        EXPRESSIONS.flatMap((field) => (isExpression(given[field] ?? '') ? [] : [`spec.${field}`])),
    },
    {
      path: 'spec.bpfLogFilters',
      rule: 'must have names of interfaces as keys',
      check: ({ spec: { bpfLogFilters = {} } }) =>
        Object.keys(bpfLogFilters).flatMap((name) =>
          isInterfaceName(name) ? [] : [formatPath(['spec', 'bpfLogFilters', name])],
        ),
    },
    {
      path: 'spec.routeTableRange',
      rule: 'must not be set together with spec.routeTableRanges, which replaces it',
      check: ({ spec }) => !spec.routeTableRange || !spec.routeTableRanges,
    },
    {
      path: 'spec.routeTableRange',
      rule: 'must be a range within 1 to 250',
      check: ({ spec: { routeTableRange: range } }) =>
        !range || (range.min >= 1 && range.min <= range.max && range.max <= 250),
    },
    {
      path: 'spec.routeTableRanges',
      rule: 'must have min not greater than max',
      check: ({ spec }) =>
        (spec.routeTableRanges ?? []).flatMap(({ min, max }, i) =>
          min <= max ? [] : [`spec.routeTableRanges[${i}]`],
        ),
    },
    {
      path: 'spec.routeTableRanges',
      rule: `must hold at most ${MAX_TABLES} tables in all`,
      check: ({ spec }) =>
        (spec.routeTableRanges ?? []).reduce((sum, { min, max }) => sum + max - min + 1, 0) <=
        MAX_TABLES,
    },
    {
      path: 'spec.openstackRegion',
      rule: `must be a DNS label of at most ${MAX_REGION_LENGTH} characters`,
      check: ({ spec: { openstackRegion: region } }) =>
        !region || (region.length <= MAX_REGION_LENGTH && DNS_LABEL.test(region)),
    },
  ],
});

export type FelixConfiguration = ResourceOf<typeof felixConfiguration>;
