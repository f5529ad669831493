import type { Family } from '@overland/net';
import { z } from 'zod';
import { community } from '../community.ts';
import { defineKind, type ResourceOf, type Rule } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { asNumber, cidrOf, pattern } from '../scalars.ts';
import {
  communityExtensions,
  operationExtensions,
  ruleExtensions,
} from './bgp-filter-extensions.ts';

const priority = z.number().int().min(1).max(2_147_483_646);
const MATCH_OPERATORS = ['Equal', 'NotEqual', 'In', 'NotIn'] as const;

const calicoOperations = {
  addCommunity: z
    .object({ value: community.describe('The community.') })
    .optional()
    .describe('Adds a community to the route.'),
  prependASPath: z
    .object({
      prefix: z
        .array(asNumber)
        .min(1)
        .max(10)
        .describe('The AS numbers, the one nearest to the receiver first.'),
    })
    .optional()
    .describe('Puts AS numbers in front of the AS path.'),
  setPriority: z
    .object({
      value: priority.describe(
        'The priority; lower is preferred. Overland refuses what is above 1024, the normal one.',
      ),
    })
    .optional()
    .describe(
      'Sets the priority of the route. In Calico that is its metric in the kernel, too; Overland carries it in LOCAL_PREF only.',
    ),
};

const operationOf = (family: Family) =>
  z.object({ ...calicoOperations, ...operationExtensions(family) });
type Operation = z.infer<ReturnType<typeof operationOf>>;
const OPERATIONS = Object.keys(operationOf('ipv4').shape) as (keyof Operation)[];

function filterRule(family: Family) {
  const length = z
    .number()
    .int()
    .min(0)
    .max(family === 'ipv4' ? 32 : 128);
  return z.object({
    cidr: cidrOf(family).optional().describe('Matches routes by prefix, as matchOperator says.'),
    prefixLength: z
      .object({
        min: length.optional().describe('Shortest; not below that of cidr.'),
        max: length.optional().describe('Longest.'),
      })
      .optional()
      .describe('Narrows a match by cidr to some prefix lengths.'),
    matchOperator: z
      .enum(MATCH_OPERATORS)
      .optional()
      .describe(
        'How a route is compared with cidr: In holds for cidr itself and what it contains.',
      ),
    source: z
      .enum(['RemotePeers'])
      .optional()
      .describe('RemotePeers: only routes that were learned by BGP.'),
    interface: pattern('an interface name, or a wildcard', /^[A-Za-z0-9_.*-]{1,15}$/)
      .optional()
      .describe('Only routes through such an interface.'),
    peerType: z.enum(['eBGP', 'iBGP']).optional().describe('Only sessions of this kind.'),
    communities: z
      .object({
        values: z.array(community).min(1).max(1).optional().describe('The community.'),
        ...communityExtensions,
      })
      .optional()
      .describe('Only routes that carry the community.'),
    asPathPrefix: z
      .array(asNumber)
      .optional()
      .describe('Only routes whose AS path begins with these.'),
    priority: priority.optional().describe('Only routes of this priority.'),
    ...ruleExtensions(family),
    action: z.enum(['Accept', 'Reject']).describe('What happens to a route that matches.'),
    operations: z
      .array(operationOf(family))
      .min(1)
      .max(10)
      .optional()
      .describe('What is changed on an accepted route, in order.'),
  });
}

const LISTS = ['importV4', 'exportV4', 'importV6', 'exportV6'] as const;
type FilterRule = z.infer<ReturnType<typeof filterRule>>;
type FilterSpec = { readonly [L in (typeof LISTS)[number]]?: readonly FilterRule[] | undefined };

/** A rule for every item of all four lists; `path` is that of the field within the item. */
function eachRule(
  field: string,
  rule: string,
  check: (item: FilterRule) => boolean,
): Rule<{ readonly spec: FilterSpec }> {
  return {
    path: `spec.*.${field}`,
    rule,
    check: ({ spec }) =>
      LISTS.flatMap((list) =>
        (spec[list] ?? []).flatMap((item, i) =>
          check(item) ? [] : [`spec.${list}[${i}].${field}`],
        ),
      ),
  };
}

function operationCount(item: Operation): number {
  return OPERATIONS.filter((name) => item[name] !== undefined).length;
}

/** Which routes a session takes and gives. */
export const bgpFilter = defineKind({
  kind: 'BGPFilter',
  summary:
    'Rules for the routes that a session takes (import) and gives (export). BGPPeers name filters; the first rule that matches decides, and where none does, the next filter or the built-in policy.',
  plural: 'bgpfilters',
  aliases: ['bgpf', 'bgpfs', 'bf', 'bfs'],
  name: subdomainName,
  spec: z.object({
    importV4: z.array(filterRule('ipv4')).optional().describe('For IPv4 routes from a peer.'),
    exportV4: z.array(filterRule('ipv4')).optional().describe('For IPv4 routes to a peer.'),
    importV6: z.array(filterRule('ipv6')).optional().describe('For IPv6 routes from a peer.'),
    exportV6: z.array(filterRule('ipv6')).optional().describe('For IPv6 routes to a peer.'),
  }),
  rules: [
    eachRule(
      'matchOperator',
      'must be set if cidr is, and only then',
      ({ cidr, matchOperator }) => (cidr === undefined) === (matchOperator === undefined),
    ),
    eachRule(
      'prefixLength',
      'must come with cidr',
      ({ cidr, prefixLength }) => prefixLength === undefined || cidr !== undefined,
    ),
    eachRule(
      'communities',
      'must hold values, anyOf or allOf',
      ({ communities }) =>
        communities === undefined || Object.values(communities).some((list) => list !== undefined),
    ),
    eachRule(
      'asPath.minLength',
      'must not be above maxLength',
      ({ asPath: { minLength = 0, maxLength = 0xffff } = {} }) => minLength <= maxLength,
    ),
    eachRule(
      'continue',
      'must come with action Accept',
      ({ action, continue: goesOn }) => !goesOn || action === 'Accept',
    ),
    eachRule(
      'operations',
      'must come with action Accept: a rejected route is not changed',
      ({ action, operations }) => operations === undefined || action === 'Accept',
    ),
    {
      path: 'spec.*.operations[*].setNextHopSelf',
      rule: 'must be in exportV4 and exportV6 only: the own address leads nowhere from the node itself',
      check: ({ spec }) =>
        (['importV4', 'importV6'] as const).flatMap((list) =>
          (spec[list] ?? []).flatMap(({ operations = [] }, i) =>
            operations.flatMap(({ setNextHopSelf }, j) =>
              setNextHopSelf ? [`spec.${list}[${i}].operations[${j}].setNextHopSelf`] : [],
            ),
          ),
        ),
    },
    {
      path: 'spec.*.operations[*]',
      rule: `must hold exactly one of ${OPERATIONS.join(', ')}`,
      check: ({ spec }) =>
        LISTS.flatMap((list) =>
          (spec[list] ?? []).flatMap(({ operations = [] }, i) =>
            operations.flatMap((item, j) =>
              operationCount(item) === 1 ? [] : [`spec.${list}[${i}].operations[${j}]`],
            ),
          ),
        ),
    },
  ],
});

export type BgpFilter = ResourceOf<typeof bgpFilter>;
