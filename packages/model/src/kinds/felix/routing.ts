import { familyOf, ParseError, parseInterfaceAddress, prefixOf } from '@overland/net';
import { z } from 'zod';
import { ipv4Address, ipv6Address, text } from '../../scalars.ts';
import {
  choice,
  count,
  expression,
  flag,
  interfaceFilter,
  interval,
  onOff,
  portRange,
  words,
} from './parameters.ts';

/** Bits past the length do not matter, and an address is a range of one: Calico takes both. */
const looseIpv4 = text('an IPv4 prefix or address', (value) => {
  const { address, length } = parseInterfaceAddress(value);
  if (familyOf(address) === 'ipv4') return prefixOf(address, length);
  throw new ParseError('IPv4 prefix', value, 'dotted, as 10.0.0.0/8');
});

const table = z.number().int().min(1).max(0xffff_ffff);
const priority = (meaning: string, preset: number) =>
  count(meaning, { min: 1, max: 2_147_483_646, preset });

/** Interfaces, routes, addresses and NAT. */
export const routingParameters = {
  interfacePrefix: words('Begin of the names of workload interfaces; several by commas.', 'cali'),
  interfaceExclude: words(
    'Host interfaces that are left alone: names, or expressions in slashes.',
    'kube-ipvs0',
  ),
  interfaceRefreshInterval: interval('How often interfaces are read in full.', '90s'),
  mtuIfacePattern: expression(
    'Interfaces whose MTU counts for workloads.',
    '^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)',
  ),
  requireMTUFile: flag('Whether to wait for the file with the MTU.', false),
  ipv6Support: flag('Whether IPv6 is programmed.', true),
  ipForwarding: onOff('Whether forwarding is switched on in the kernel.', 'Enabled'),
  routeRefreshInterval: interval('How often routes are read in full.', '90s'),
  routeSource: choice(['WorkloadIPs', 'CalicoIPAM'], 'What routes are made from.', 'CalicoIPAM'),
  routeSyncDisabled: flag('Whether routes are left to somebody else.', false),
  removeExternalRoutes: flag('Whether routes of others to workload interfaces are removed.', true),
  programClusterRoutes: choice(
    ['Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly'],
    'Which routes to blocks of other hosts Felix programs, and not the BGP speaker.',
    'EnabledIPIPOnly',
  ),
  deviceRouteProtocol: count('Protocol number of the routes to workloads.', {
    min: 0,
    max: 255,
    preset: 3,
  }),
  deviceRouteSourceAddress: () =>
    ipv4Address.optional().describe('Source address of the host towards workloads, IPv4.'),
  deviceRouteSourceAddressIPv6: () => ipv6Address.optional().describe('The same for IPv6.'),
  ipv4NormalRoutePriority: priority('Metric of IPv4 routes to workloads.', 1024),
  ipv4ElevatedRoutePriority: priority('Metric of those that are to win over the usual ones.', 512),
  ipv6NormalRoutePriority: priority('Metric of IPv6 routes to workloads.', 1024),
  ipv6ElevatedRoutePriority: priority('Metric of those that are to win over the usual ones.', 512),
  liveMigrationRouteConvergenceTime: interval(
    'How long both hosts of a migration route the address.',
    '30s',
  ),
  routeTableRange: () =>
    z
      .object({ min: z.number().int().describe('First.'), max: z.number().int().describe('Last.') })
      .optional()
      .describe(
        'Routing tables that Felix may use, within 1 to 250; routeTableRanges replaces it.',
      ),
  routeTableRanges: () =>
    z
      .array(z.object({ min: table.describe('First.'), max: table.describe('Last.') }))
      .optional()
      .describe('Routing tables that Felix may use; 65535 in all.'),
  localSubnetL2Reachability: onOff(
    'Whether the host answers ARP for workloads of its own subnet.',
    'Disabled',
  ),
  externalNodesList: () =>
    z.array(looseIpv4).optional().describe('Who may send encapsulated packets besides the nodes.'),
  natOutgoingAddress: () =>
    ipv4Address
      .optional()
      .describe('Source address of outgoing NAT; absent: that of the interface.'),
  natOutgoingExclusions: choice(
    ['IPPoolsOnly', 'IPPoolsAndHostIPs'],
    'Destinations that are reached without NAT.',
    'IPPoolsOnly',
  ),
  natPortRange: () => portRange.optional().describe('Source ports of outgoing NAT.'),
  iptablesNATOutgoingInterfaceFilter: () =>
    interfaceFilter.optional().describe('Outgoing NAT only on this interface.'),
  floatingIPs: onOff('Whether floating addresses of workloads are programmed.', 'Disabled'),
  awsSrcDstCheck: choice(
    ['DoNothing', 'Enable', 'Disable'],
    'The source check of EC2 instances.',
    'DoNothing',
  ),
  serviceLoopPrevention: choice(
    ['Drop', 'Reject', 'Disabled'],
    'What is done with packets to service addresses that nobody has.',
    'Drop',
  ),
  kubeNodePortRanges: () =>
    z
      .array(portRange)
      .max(7)
      .optional()
      .meta({ default: ['30000:32767'] })
      .describe('Ports of services on nodes.'),
  netlinkTimeout: interval('How long the kernel may take to answer.', '10s'),
};
