import type { NeighborDetail } from '@overland/bgp/node';
import { parseAddress, parseAsn } from '@overland/net';

const counts = { open: 1, update: 2, notification: 0, keepalive: 97, routeRefresh: 0 };

const UP: NeighborDetail = {
  name: 'spine1',
  description: undefined,
  address: parseAddress('10.1.0.1'),
  range: null,
  version: 4,
  asn: parseAsn(65000),
  localAsn: parseAsn(65011),
  bgpRole: null,
  families: ['ipv4', 'ipv6'],
  state: 'Established',
  prefixLimitReached: false,
  awaitsBfd: false,
  bfd: null,
  upDownSeconds: 3723,
  messagesReceived: 100,
  messagesSent: 99,
  received: counts,
  sent: counts,
  inQueueOctets: 0,
  outQueueOctets: 0,
  prefixesReceived: { ipv4: 12, ipv6: 0 },
  prefixesStale: { ipv4: 0, ipv6: 0 },
  prefixesFiltered: { ipv4: 0, ipv6: 0 },
  prefixesSent: { ipv4: 7, ipv6: 0 },
  refused: {},
  refusedByRule: {},
  session: {
    peerRouterId: parseAddress('10.255.0.1'),
    localAddress: parseAddress('10.1.0.0'),
    families: ['ipv4'],
    holdSeconds: 9,
    keepaliveSeconds: 3,
    fourOctetAs: true,
    enhancedRefresh: true,
    peerRole: null,
    gracefulRestart: true,
    notificationRestart: false,
  },
  timesEstablished: 1,
  timesDropped: 0,
  lastError: null,
  lastCommunication: null,
  linkType: 'external',
  localRouterId: parseAddress('10.255.0.11'),
  configured: {
    holdSeconds: 90,
    keepaliveSeconds: 30,
    connectRetrySeconds: 120,
    port: 179,
    passive: false,
    ttl: 1,
    minTtl: null,
    hasPassword: false,
    maxPrefixes: {
      most: { ipv4: 100 },
      warningPercent: 75,
      action: 'restart',
      restartSeconds: 60,
    },
  },
  lastReadSeconds: 1,
  lastWriteSeconds: 2,
  endpoints: { localPort: 179, remotePort: 40_001 },
  capabilities: [
    { key: '4byteAs', title: '4 Byte AS', advertised: true, received: true },
    {
      key: 'multiprotocolExtensions',
      title: 'Address Family IPv4 Unicast',
      family: 'ipv4',
      advertised: true,
      received: true,
    },
    {
      key: 'multiprotocolExtensions',
      title: 'Address Family IPv6 Unicast',
      family: 'ipv6',
      advertised: true,
      received: false,
    },
  ],
  gracefulRestart: {
    local: { restarted: false, restartSeconds: 120, families: [], notification: true },
    remote: {
      restarted: true,
      restartSeconds: 60,
      notification: false,
      families: [{ family: 'ipv4', forwarding: true }],
    },
    stalePathSeconds: 300,
  },
  endOfRib: { sent: ['ipv4'], received: [] },
  lastReset: null,
};

/** A peer whose session is up, with IPv4 alone. */
export function neighbor(change: Partial<NeighborDetail> = {}): NeighborDetail {
  return { ...UP, ...change };
}
