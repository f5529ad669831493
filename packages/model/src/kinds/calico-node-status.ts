import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';

// What a node reports is shown as it is: only its shape is checked.
const daemon = z.object({
  state: z.string().optional().describe('Ready or NotReady.'),
  version: z.string().optional().describe('Of the BGP daemon.'),
  routerID: z.string().optional().describe('As the daemon uses it.'),
  lastBootTime: z.string().optional().describe('When the daemon started.'),
  lastReconfigurationTime: z.string().optional().describe('When it took its last configuration.'),
});

const peer = z.object({
  peerIP: z.string().optional().describe('Address of the peer.'),
  type: z.string().optional().describe('Where it comes from: NodeMesh, NodePeer or GlobalPeer.'),
  state: z.string().optional().describe('State of the session, in the words of RFC 4271.'),
  since: z.string().optional().describe('When the state was entered.'),
});

const route = z.object({
  type: z.string().optional().describe('FIB: used for forwarding. RIB: only known.'),
  destination: z.string().optional().describe('Prefix.'),
  gateway: z.string().optional().describe('Next hop.'),
  interface: z.string().optional().describe('Device.'),
  learnedFrom: z
    .object({
      sourceType: z.string().optional().describe('Kernel, Static, Direct, NodeMesh or BGPPeer.'),
      peerIP: z.string().optional().describe('Who sent it, if a peer did.'),
    })
    .optional()
    .describe('Where the route comes from.'),
});

const count = z.number().int();

/** A request to a node to report about itself, and the report. */
export const calicoNodeStatus = defineKind({
  kind: 'CalicoNodeStatus',
  summary:
    'A request to one node to report its BGP daemon, sessions or routes at an interval. Nodes that run Calico write the status; on one that runs Overland, `overland node status` shows the same.',
  plural: 'caliconodestatuses',
  aliases: ['nodestatus', 'nodestatuses'],
  name: subdomainName,
  spec: z.object({
    node: z.string().min(1).describe('Name of the node.'),
    classes: z
      .array(z.enum(['Agent', 'BGP', 'Routes']))
      .min(1)
      .max(3)
      .describe('What to report.'),
    updatePeriodSeconds: z
      .number()
      .int()
      .min(0)
      .max(86_400)
      .optional()
      .describe('Interval of the reports, in seconds; 0 stops them.'),
  }),
  status: z.object({
    lastUpdated: z.string().optional().describe('When the node last wrote this, RFC 3339.'),
    agent: z
      .object({
        birdV4: daemon.optional().describe('For IPv4.'),
        birdV6: daemon.optional().describe('For IPv6.'),
      })
      .optional()
      .describe('The BGP daemon.'),
    bgp: z
      .object({
        numberEstablishedV4: count.optional().describe('Sessions over IPv4 that are up.'),
        numberNotEstablishedV4: count.optional().describe('Those that are not.'),
        numberEstablishedV6: count.optional().describe('Sessions over IPv6 that are up.'),
        numberNotEstablishedV6: count.optional().describe('Those that are not.'),
        peersV4: z.array(peer).optional().describe('Sessions over IPv4.'),
        peersV6: z.array(peer).optional().describe('Sessions over IPv6.'),
      })
      .optional()
      .describe('Its sessions.'),
    routes: z
      .object({
        routesV4: z.array(route).optional().describe('IPv4.'),
        routesV6: z.array(route).optional().describe('IPv6.'),
      })
      .optional()
      .describe('Its routes.'),
  }),
  rules: [
    {
      path: 'spec.classes',
      rule: 'must not name a class twice',
      check: ({ spec }) => new Set(spec.classes).size === spec.classes.length,
    },
  ],
});

export type CalicoNodeStatus = ResourceOf<typeof calicoNodeStatus>;
