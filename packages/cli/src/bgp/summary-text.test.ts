import type { PeerSummary, SpeakerSummary } from '@overland/bgp/node';
import { parseAddress, parseAsn, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { formatAge } from './age.ts';
import { summaryRows } from './summary-rows.ts';
import { summaryText } from './summary-text.ts';

const counts = { open: 1, update: 2, notification: 0, keepalive: 97, routeRefresh: 0 };

function peer(address: string, change: Partial<PeerSummary> = {}): PeerSummary {
  return {
    name: `peer-${address}`,
    description: undefined,
    address: parseAddress(address),
    place: address,
    awaitsRouter: false,
    range: null,
    version: 4,
    asn: parseAsn(65000),
    localAsn: parseAsn(65011),
    bgpRole: null,
    families: ['ipv4'],
    state: 'Established',
    prefixLimitReached: false,
    bfd: null,
    awaitsBfd: false,
    upDownSeconds: 3723,
    messagesReceived: 100,
    messagesSent: 99,
    received: counts,
    sent: counts,
    inQueueOctets: 0,
    outQueueOctets: 0,
    prefixesReceived: { ipv4: 12, ipv6: 3 },
    prefixesStale: { ipv4: 0, ipv6: 0 },
    prefixesFiltered: { ipv4: 2, ipv6: 0 },
    prefixesSent: { ipv4: 7, ipv6: 0 },
    prefixesHeldBack: { ipv4: 0, ipv6: 0 },
    refused: {},
    refusedByRule: {},
    session: {
      peerRouterId: parseAddress('10.255.0.1'),
      localAddress: parseAddress('10.1.0.1'),
      families: ['ipv4'],
      holdSeconds: 9,
      keepaliveSeconds: 3,
      fourOctetAs: true,
      enhancedRefresh: true,
      addPath: { receive: [], send: [] },
      peerRole: null,
      gracefulRestart: true,
      notificationRestart: false,
    },
    timesEstablished: 1,
    timesDropped: 0,
    lastError: null,
    lastCommunication: null,
    ...change,
  };
}

const down = {
  session: null,
  state: 'Active',
  upDownSeconds: null,
  lastError: 'received Cease/Administrative Shutdown',
  lastCommunication: 'maintenance',
} as const;

const summary: SpeakerSummary = {
  routerId: parseAddress('10.255.0.11'),
  asn: parseAsn(65011),
  role: 'router',
  deferring: false,
  drain: { phase: 'active', peersKeptDown: 0 },
  connectionsRefused: 0,
  longestTurnMs: 1,
  peers: [
    peer('10.1.0.10', { description: 'spine two' }),
    peer('10.1.0.2', { ...down, name: 'spine1' }),
    peer('10.1.0.4', { families: ['ipv4', 'ipv6'] }),
  ],
  listenRanges: [],
};

test('prints the columns of FRR, by address, and why a session is down', () => {
  expect(summaryText(summary, coloursFor({}, {}))).toBe(`\
BGP router identifier 10.255.0.11, local AS 65011, role router

IPv4 Unicast
Neighbor   V     AS  MsgRcvd  MsgSent  InQ  OutQ   Up/Down  State/PfxRcd  PfxSnt  PfxFlt  Desc
10.1.0.2   4  65000      100       99    0     0     never        Active       -       -  spine1
10.1.0.4   4  65000      100       99    0     0  01:02:03            12       7       2  peer-10.1.0.4
10.1.0.10  4  65000      100       99    0     0  01:02:03            12       7       2  spine two

IPv6 Unicast
Neighbor  V     AS  MsgRcvd  MsgSent  InQ  OutQ   Up/Down  State/PfxRcd  PfxSnt  PfxFlt  Desc
10.1.0.4  4  65000      100       99    0     0  01:02:03         NoNeg       -       -  peer-10.1.0.4

spine1: received Cease/Administrative Shutdown "maintenance"

3 peers, 2 established
`);
});

test('peers of listen ranges have a mark, and who has not told its AS number a dash', () => {
  const range = parsePrefix('10.2.0.0/24');
  const text = summaryText(
    {
      ...summary,
      peers: [peer('10.2.0.9', { range }), peer('10.2.0.10', { ...down, range, asn: null })],
      listenRanges: [{ prefix: range, peers: 2, limit: 100 }],
    },
    coloursFor({}, {}),
  );
  expect(text).toMatch(/^\*10\.2\.0\.9 +4 +65000 /m);
  expect(text).toMatch(/^\*10\.2\.0\.10 +4 +- /m);
  expect(text).toMatch(
    '\n2 peers, 1 established\n* from listen range 10.2.0.0/24: 2 peers, limit 100\n',
  );
});

test('a drained speaker says so, and what ends it', () => {
  const drain = { phase: 'drained', peersKeptDown: 1 } as const;
  expect(summaryText({ ...summary, drain, peers: [] }, coloursFor({}, {}))).toBe(`\
BGP router identifier 10.255.0.11, local AS 65011, role router
drained: 1 peer is kept down; 'overland node undrain' ends this

0 peers, 0 established
`);
});

test('a peer that waits for BFD says so', () => {
  const waits = peer('10.1.0.2', { ...down, state: 'Idle', awaitsBfd: true });
  expect(summaryRows({ ...summary, peers: [waits] }, 'ipv4').map(({ state }) => state)).toEqual([
    'Idle (BFD)',
  ]);
});

test('a row per peer and family, for scripts', () => {
  expect(summaryRows(summary, 'ipv4').map((row) => [row.peerAddress, row.received])).toEqual([
    ['10.1.0.2', null],
    ['10.1.0.4', 12],
    ['10.1.0.10', 12],
  ]);
});

test.each([
  [null, 'never'],
  [0, '00:00:00'],
  [86_399, '23:59:59'],
  [3 * 86_400 + 4 * 3600 + 59, '3d04h'],
  [15 * 86_400, '2w1d'],
])('%s seconds are %s', (seconds, text) => expect(formatAge(seconds)).toBe(text));
