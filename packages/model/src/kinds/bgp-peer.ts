import { familyOf } from '@overland/net';
import { z } from 'zod';
import { parseDuration } from '../duration.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { hasOneSource, password } from '../password.ts';
import { parsePeerAddress } from '../peer-address.ts';
import { asNumberOrZero, duration, ipAddress, selector, text } from '../scalars.ts';
import { bgpPeerExtensions } from './bgp-peer-extensions.ts';
import { isWithin, isZeroOrWithin } from './duration-bounds.ts';

/** A peer address with an optional port; kept as it is written. Readers use `parsePeerAddress`. */
const peerAddress = text('a peer address', (value) => {
  parsePeerAddress(value);
  return value;
});

/** Who peers with whom. */
export const bgpPeer = defineKind({
  kind: 'BGPPeer',
  summary: 'Sessions from one node, some nodes or all nodes to a peer address or to other nodes.',
  plural: 'bgppeers',
  aliases: ['bgpp', 'bgpps', 'bp', 'bps'],
  name: subdomainName,
  spec: z.object({
    node: z
      .string()
      .max(253)
      .optional()
      .describe('The node that peers. Absent: nodeSelector says.'),
    nodeSelector: selector.optional().describe('Nodes that peer. Absent as node is: all nodes.'),
    peerIP: peerAddress
      .optional()
      .describe(
        'Address of the peer, with a port if it is not 179: 10.0.0.1, 10.0.0.1:1790, [fd00::1]:1790.',
      ),
    peerSelector: selector
      .optional()
      .describe('Nodes that are peers, at the addresses and AS numbers of their Node.'),
    asNumber: asNumberOrZero.optional().describe('AS number of the peer.'),
    localASNumber: asNumberOrZero.optional().describe('AS number of the node towards this peer.'),
    nextHopMode: z
      .enum(['Auto', 'Self', 'Keep'])
      .optional()
      .describe('Next hop of the routes to the peer. Auto: as BGP has it.'),
    keepOriginalNextHop: z.boolean().optional().describe('Of old: true is nextHopMode Keep.'),
    password: password.optional(),
    sourceAddress: z
      .enum(['UseNodeIP', 'None'])
      .default('UseNodeIP')
      .describe('Source address: that of the Node, or what the route to the peer has.'),
    maxRestartTime: duration.optional().describe('Graceful restart time. Absent: 120s.'),
    keepaliveTime: duration
      .optional()
      .describe('Interval of KEEPALIVE. Absent: a third of the hold time.'),
    numAllowedLocalASNumbers: z
      .number()
      .int()
      .min(0)
      .max(0x7fff_ffff)
      .optional()
      .describe('How often the own AS number may stand in the AS path of a route.'),
    ttlSecurity: z
      .number()
      .int()
      .min(0)
      .max(255)
      .optional()
      .describe('Hops to the peer: packets that came further are dropped (RFC 5082).'),
    reachableBy: ipAddress.optional().describe('Gateway to the peer, for a route of its own.'),
    filters: z.array(z.string()).optional().describe('Names of BGPFilters, in order.'),
    localWorkloadSelector: selector.optional().describe('Workloads of the node that are peers.'),
    reversePeering: z
      .enum(['Auto', 'Manual'])
      .default('Auto')
      .describe('Whether the nodes of peerSelector peer back without a BGPPeer of their own.'),
    ...bgpPeerExtensions,
  }),
  rules: [
    {
      path: 'spec.nodeSelector',
      rule: 'must not be set together with spec.node',
      check: ({ spec }) => !spec.node || !spec.nodeSelector,
    },
    {
      path: 'spec.peerSelector',
      rule: 'must not be set together with spec.peerIP',
      check: ({ spec }) => !spec.peerIP || !spec.peerSelector,
    },
    {
      path: 'spec.asNumber',
      rule: 'must not be set together with spec.peerSelector: each selected node has its own',
      check: ({ spec }) => !spec.peerSelector || spec.asNumber === undefined,
    },
    {
      path: 'spec.asNumber',
      rule: 'must be set with spec.localWorkloadSelector',
      check: ({ spec }) => !spec.localWorkloadSelector || spec.asNumber !== undefined,
    },
    {
      path: 'spec.keepOriginalNextHop',
      rule: 'must not be set together with spec.nextHopMode, which replaces it',
      check: ({ spec }) => spec.nextHopMode === undefined || !spec.keepOriginalNextHop,
    },
    {
      path: 'spec.reachableBy',
      rule: 'must be of the same family as spec.peerIP',
      check: ({ spec }) =>
        !spec.reachableBy ||
        (spec.peerIP !== undefined &&
          familyOf(spec.reachableBy) === familyOf(parsePeerAddress(spec.peerIP).address)),
    },
    {
      path: 'spec.localWorkloadSelector',
      rule: 'must not be set together with spec.peerIP or spec.peerSelector',
      check: ({ spec }) => !spec.localWorkloadSelector || !(spec.peerIP || spec.peerSelector),
    },
    {
      path: 'spec.interface',
      rule: 'must not be set together with spec.peerIP, spec.peerSelector or spec.localWorkloadSelector',
      check: ({ spec }) =>
        !spec.interface || !(spec.peerIP || spec.peerSelector || spec.localWorkloadSelector),
    },
    {
      path: 'spec.listenRange',
      rule: 'must not be set together with spec.peerIP, spec.peerSelector, spec.localWorkloadSelector or spec.interface',
      check: ({ spec }) =>
        !spec.listenRange ||
        !(spec.peerIP || spec.peerSelector || spec.localWorkloadSelector || spec.interface),
    },
    {
      path: 'spec.listenRange',
      rule: 'must not be set together with spec.passive, spec.connectRetry or bfd.strict: its peers dial, and BFD begins with the first connection',
      check: ({ spec }) =>
        !spec.listenRange ||
        (spec.passive === undefined && spec.connectRetry === undefined && !spec.bfd?.strict),
    },
    {
      path: 'spec.localASMode',
      rule: 'must come with spec.localASNumber',
      check: ({ spec }) => !spec.localASMode || spec.localASNumber !== undefined,
    },
    {
      path: 'spec.minimumHoldTime',
      rule: 'must be 3s to 65535s',
      check: ({ spec: { minimumHoldTime = '3s' } }) => isWithin(minimumHoldTime, 3, 65_535),
    },
    {
      path: 'spec.addressFamilies',
      rule: 'must name each family once',
      check: ({ spec: { addressFamilies = [] } }) =>
        new Set(addressFamilies).size === addressFamilies.length,
    },
    {
      path: 'spec.password',
      rule: 'must have one source only: secretKeyRef, file or value',
      check: ({ spec }) => hasOneSource(spec.password),
    },
    {
      path: 'spec.holdTime',
      rule: 'must be 0, or 3s to 65535s',
      check: ({ spec }) => spec.holdTime === undefined || isZeroOrWithin(spec.holdTime, 3, 65_535),
    },
    {
      path: 'spec.keepaliveTime',
      rule: 'must be shorter than spec.holdTime',
      check: ({ spec: { keepaliveTime = '0', holdTime = '0' } }) =>
        parseDuration(holdTime) === 0 || parseDuration(keepaliveTime) < parseDuration(holdTime),
    },
    {
      path: 'spec.connectRetry',
      rule: 'must be 1s to 65535s',
      check: ({ spec: { connectRetry = '1s' } }) => isWithin(connectRetry, 1, 65_535),
    },
    {
      path: 'spec.bfd',
      rule: 'must have intervals of 10ms to 60s',
      check: ({ spec: { bfd } }) =>
        (['receiveInterval', 'transmitInterval'] as const).flatMap((field) =>
          bfd === undefined || isWithin(bfd[field], 0.01, 60) ? [] : [`spec.bfd.${field}`],
        ),
    },
    {
      path: 'spec.bfd.minimumTTL',
      rule: 'must not be set with multihop Disabled',
      check: ({ spec: { bfd } }) => bfd?.minimumTTL === undefined || bfd.multihop !== 'Disabled',
    },
    {
      path: 'spec.maxPrefixes.restartAfter',
      rule: 'must be set, 1s to 24h, with action Restart, and only then',
      check: ({ spec: { maxPrefixes } }) =>
        maxPrefixes?.action === 'Restart'
          ? isWithin(maxPrefixes.restartAfter ?? '0', 1, 86_400)
          : maxPrefixes?.restartAfter === undefined,
    },
    {
      path: 'spec.addPath.bestPaths',
      rule: 'must be set with send Best, and only then',
      check: ({ spec: { addPath } }) =>
        (addPath?.send === 'Best') === (addPath?.bestPaths !== undefined),
    },
    {
      path: 'spec.strictRole',
      rule: 'must come with spec.role',
      check: ({ spec }) => !spec.strictRole || spec.role !== undefined,
    },
  ],
});

export type BgpPeer = ResourceOf<typeof bgpPeer>;
