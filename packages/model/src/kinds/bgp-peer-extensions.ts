import { z } from 'zod';
import { cidr, duration, extension, pattern } from '../scalars.ts';

// What BGPPeer has in Overland and Calico lacks. All optional; docs/extensions.md is generated from here.

const prefixes = z.number().int().min(1).max(0xffff_ffff);

const bfd = z.object({
  receiveInterval: duration.default('300ms').describe('Least interval at which packets are taken.'),
  transmitInterval: duration.default('300ms').describe('Interval at which packets are sent.'),
  detectMultiplier: z
    .number()
    .int()
    .min(1)
    .max(255)
    .default(3)
    .describe('Packets that must be missed for the peer to be down.'),
  multihop: z
    .enum(['Auto', 'Enabled', 'Disabled'])
    .default('Auto')
    .describe('RFC 5883 or RFC 5881; Auto: by whether the peer is on a subnet of the node.'),
  minimumTTL: z
    .number()
    .int()
    .min(1)
    .max(254)
    .optional()
    .describe('Least TTL of packets of a multihop peer.'),
  passive: z.boolean().default(false).describe('Whether packets are sent only once the peer has.'),
  strict: z.boolean().default(false).describe('Whether the BGP session waits for BFD to be up.'),
});

const maxPrefixes = z.object({
  ipv4: prefixes.optional().describe('Most IPv4 prefixes from the peer.'),
  ipv6: prefixes.optional().describe('Most IPv6 prefixes from the peer.'),
  warningPercent: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(75)
    .describe('Share of a limit at which a warning is logged.'),
  action: z
    .enum(['Warn', 'Stop', 'Restart'])
    .default('Stop')
    .describe('What happens above a limit: only a warning, the session ends, or ends for a while.'),
  restartAfter: duration.optional().describe('How long a session is down with action Restart.'),
  advertised: z
    .object({
      ipv4: prefixes.optional().describe('Most IPv4 prefixes.'),
      ipv6: prefixes.optional().describe('Most IPv6 prefixes.'),
    })
    .optional()
    .describe('Most prefixes to the peer; further ones are held back and reported.'),
});

const addPath = z.object({
  receive: z.boolean().default(false).describe('Whether the peer may send several paths.'),
  send: z
    .enum(['None', 'All', 'Multipath', 'Best'])
    .default('None')
    .describe(
      'Which paths the peer is sent: one without identifier; all; those that share the load; the best ones, as many as bestPaths says.',
    ),
  bestPaths: z
    .number()
    .int()
    .min(1)
    .max(32)
    .optional()
    .describe('Most paths of a prefix with send Best.'),
});

const importSafety = z.object({
  mode: z
    .enum(['Enabled', 'Disabled'])
    .default('Enabled')
    .describe(
      'Whether own blocks, and prefixes within pools that are longer than a block from who is no node, are refused. Martians and AS loops always are.',
    ),
  defaultRoute: z
    .enum(['Accept', 'Reject'])
    .default('Reject')
    .describe('Whether a default route from the peer is wanted.'),
});

const interfaceName = pattern('an interface name', /^[A-Za-z0-9_.-]{1,15}$/);

const listenRange = z.object({
  cidr: cidr.describe('Where peers may dial from.'),
  limit: z.number().int().min(1).max(10_000).default(100).describe('Most peers at a time.'),
});

/** Fields of the spec; `password` has two more. */
export const bgpPeerExtensions = {
  listenRange: extension(listenRange).describe(
    'Peers that nobody lists: whoever dials from there, with asNumber, or any AS number but that of the node if it is absent. Takes the place of peerIP.',
  ),
  addressFamilies: extension(
    z
      .array(z.enum(['IPv4', 'IPv6']))
      .min(1)
      .max(2),
  ).describe(
    'Families of the routes that are exchanged. Absent: that of the address of the peer, or both for an unnumbered session.',
  ),
  extendedNextHop: extension(z.boolean()).describe(
    'Whether IPv4 routes may have IPv6 next hops (RFC 8950), if the peer agrees. Absent: for unnumbered sessions only.',
  ),
  linkLocalNextHop: extension(z.enum(['Native', 'Single', 'Double'])).describe(
    'How a next hop that is a link-local address alone is written. Native: behind the unspecified address; Single: by itself, 16 octets; Double: twice. Absent: Double.',
  ),
  extendedMessages: extension(z.boolean()).describe(
    'Whether messages of up to 65,535 octets are exchanged (RFC 8654), if the peer agrees.',
  ),
  bindInterface: extension(interfaceName).describe('Interface that the session stays on.'),
  asOverride: extension(z.boolean()).describe(
    'Whether the AS number of the peer in paths sent to it gives way to that of the node.',
  ),
  localASMode: extension(z.enum(['Replace', 'NoPrepend', 'Prepend'])).describe(
    'With localASNumber: Replace shows an eBGP peer that number alone, NoPrepend that of the node behind it, Prepend puts it in front of the paths that come, as well. Absent: Replace, as in Calico.',
  ),
  removePrivateAS: extension(z.enum(['Remove', 'All', 'Replace'])).describe(
    'Private AS numbers in paths sent to an eBGP peer: Remove takes them out of paths without others, All out of any, Replace puts the AS number of the node in their place.',
  ),
  enforceFirstAS: extension(z.boolean()).describe(
    'Whether paths of an eBGP peer must begin with its AS number.',
  ),
  allowASSets: extension(z.boolean()).describe(
    'Whether paths with an AS_SET are taken (RFC 9774 says not to).',
  ),
  defaultOriginate: extension(z.boolean()).describe(
    'Whether the peer is offered a default route of each family, whatever the node has; filters do not see it.',
  ),
  minimumHoldTime: extension(duration).describe(
    'Lowest hold time that is taken from the peer. Absent: 3s, and 0 is taken, too.',
  ),
  interface: extension(interfaceName).describe(
    'Unnumbered session: the peer is whoever sends Router Advertisements on this interface, and any AS number but that of the node if asNumber is absent. Takes the place of peerIP.',
  ),
  holdTime: extension(duration).describe(
    'How long a peer may be silent: 0 for ever, or 3s to 65535s. Absent: 90s.',
  ),
  connectRetry: extension(duration).describe('Time between attempts to connect. Absent: 5s.'),
  passive: extension(z.boolean()).describe('Whether only the peer connects.'),
  bfd: extension(bfd).describe('Bidirectional forwarding detection (RFC 5880); present: on.'),
  maxPrefixes: extension(maxPrefixes).describe('Limits of the number of prefixes.'),
  addPath: extension(addPath).describe(
    'Several paths of a prefix (RFC 7911), as far as the peer agrees. Absent: one.',
  ),
  role: extension(z.enum(['Provider', 'Customer', 'Peer', 'RS', 'RSClient'])).describe(
    'Role of the node in an eBGP session (RFC 9234), against route leaks.',
  ),
  strictRole: extension(z.boolean()).describe('Whether a peer that tells no role is refused.'),
  gracefulShutdown: extension(z.boolean()).describe(
    'Whether the routes of the session are made the last choice on both sides (RFC 8326), before maintenance.',
  ),
  importSafety: extension(importSafety).describe(
    'Checks of what the peer sends. Absent: on, without a default route; off on route reflectors.',
  ),
};
