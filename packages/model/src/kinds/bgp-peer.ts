import { familyOf } from '@overland/net';
import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { parsePeerAddress } from '../peer-address.ts';
import { asNumber, duration, extension, ipAddress, selector, text } from '../scalars.ts';

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
  aliases: ['bgpp'],
  name: subdomainName,
  spec: z.object({
    node: z.string().optional(),
    nodeSelector: selector.optional(),
    peerIP: peerAddress.optional(),
    peerSelector: selector.optional(),
    asNumber: asNumber.optional(),
    localASNumber: asNumber.optional(),
    nextHopMode: z.enum(['Auto', 'Self', 'Keep']).optional(),
    keepOriginalNextHop: z.boolean().optional(),
    password: z
      .object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }).optional() })
      .optional(),
    sourceAddress: z.enum(['UseNodeIP', 'None']).default('UseNodeIP'),
    maxRestartTime: duration.optional(),
    keepaliveTime: duration.optional(),
    numAllowedLocalASNumbers: z.number().int().min(0).max(0x7fff_ffff).optional(),
    ttlSecurity: z.number().int().min(0).max(255).optional(),
    reachableBy: ipAddress.optional(),
    filters: z.array(z.string()).optional(),
    localWorkloadSelector: selector.optional(),
    reversePeering: z.enum(['Auto', 'Manual']).default('Auto'),
    holdTime: extension(duration),
    connectRetry: extension(duration),
    passive: extension(z.boolean()),
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
  ],
});

export type BgpPeer = ResourceOf<typeof bgpPeer>;
