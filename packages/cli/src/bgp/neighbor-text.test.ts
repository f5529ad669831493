import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { neighborJson } from './neighbor-json.ts';
import { neighborText } from './neighbor-text.ts';
import { prefixHints } from './prefix-hints.ts';
import { neighbor } from './testing/neighbor.ts';

const text = (change = {}): string => neighborText(neighbor(change), coloursFor({}, {}));

test("a session that is up, in FRR's words", () => {
  expect(text()).toBe(`\
BGP neighbor is 10.1.0.1, remote AS 65000, local AS 65011, external link
 Name: spine1
  BGP version 4, remote router ID 10.255.0.1, local router ID 10.255.0.11
  BGP state = Established, up for 01:02:03
  Last read 00:00:01, Last write 00:00:02
  Hold time is 9 seconds, keepalive interval is 3 seconds
  Configured hold time is 90 seconds, keepalive interval is 30 seconds
  Neighbor capabilities:
    4 Byte AS: advertised and received
    Address Family IPv4 Unicast: advertised and received
    Address Family IPv6 Unicast: advertised
  Graceful restart information:
    In use: yes
    Local: restart time 120 seconds, stale path time 300 seconds, R bit not set, N bit set
    Remote: restart time 60 seconds, R bit set, N bit not set
    Address families by peer: IPv4 Unicast (preserved)
    End-of-RIB send: IPv4 Unicast
    End-of-RIB received: none
  Message statistics:
    Inq depth is 0 octets
    Outq depth is 0 octets
                    Sent  Rcvd
    Opens:             1     1
    Notifications:     0     0
    Updates:           2     2
    Keepalives:       97    97
    Route Refresh:     0     0
    Total:            99   100

 For address family: IPv4 Unicast
  12 accepted prefixes
  7 sent prefixes
  Maximum prefixes allowed 100 (restart), warning from 75% on

 For address family: IPv6 Unicast
  no prefixes: the peer does not announce IPv6 Unicast

  Connections established 1; dropped 0
  Last reset never
Local host: 10.1.0.0, Local port: 179
Foreign host: 10.1.0.1, Foreign port: 40001
TTL of what is sent 1
BGP Connect Retry Timer in Seconds: 120
Peer Authentication Disabled
`);
});

test('what is refused: now, and since the peer was configured, by reason and by rule', () => {
  const change = {
    prefixesFiltered: { ipv4: 3, ipv6: 0 },
    refused: { filter: 5, 'default-route': 1, 'as-path-loop': 2 },
    refusedByRule: { 'from-racks[0]': 4, 'from-racks/long': 1 },
  };
  expect(text(change)).toContain(`\
  12 accepted prefixes
  3 filtered prefixes (bgp routes --filtered shows them)
  7 sent prefixes
`);
  expect(text(change)).toContain(`\
  Refused since it was configured: filter 5, default-route 1, as-path-loop 2
    Of them by import rules: from-racks[0] 4, from-racks/long 1
`);
  expect(neighborJson([neighbor(change)])).toMatchObject({
    '10.1.0.1': {
      refused: change.refused,
      refusedByRule: change.refusedByRule,
      addressFamilyInfo: { ipv4Unicast: { filteredPrefixCounter: 3 } },
    },
  });
});

test('what is held back of a peer that may have no more', () => {
  const { configured } = neighbor();
  const change = {
    prefixesHeldBack: { ipv4: 5, ipv6: 0 },
    configured: { ...configured, maxAdvertised: { ipv4: 7 } },
  };
  expect(text(change)).toContain('  7 sent prefixes\n  5 more held back: at most 7 are sent\n');
  expect(neighborJson([neighbor(change)])).toMatchObject({
    '10.1.0.1': {
      addressFamilyInfo: { ipv4Unicast: { prefixOutAllowedMax: 7, heldBackPrefixCounter: 5 } },
    },
  });
});

test('roles stand on both sides (RFC 9234)', () => {
  const change = { bgpRole: 'customer' } as const;
  expect(text(change)).toContain('  Local Role: customer\n  Remote Role: undefined\n');
  expect(neighborJson([neighbor(change)])).toMatchObject({
    '10.1.0.1': { localRole: 'customer', remoteRole: 'undefined' },
  });
});

test('a session that is down says why', () => {
  const lastReset = {
    secondsAgo: 62,
    reason: 'sent Hold Timer Expired: nothing heard',
    notification: {
      direction: 'sent',
      code: 4,
      subcode: 0,
      name: 'Hold Timer Expired',
      data: '',
    },
  } as const;
  const down = { session: null, state: 'Active', endpoints: null, capabilities: [] } as const;
  const change = { ...down, lastReset, lastError: 'ECONNREFUSED' };
  expect(text(change)).toContain(`\
  Last reset 00:01:02 ago, due to sent Hold Timer Expired: nothing heard
    Notification sent: Hold Timer Expired (4/0)
  Last error: ECONNREFUSED
`);
  expect(text(change)).toContain('  no prefixes: the session is Active: ECONNREFUSED\n');
  expect(neighborJson([neighbor(change)])).toMatchObject({
    '10.1.0.1': {
      bgpState: 'Active',
      lastResetTimerMsecs: 62_000,
      lastErrorCodeSubcode: '0400',
      lastNotificationReason: 'Hold Timer Expired',
      addressFamilyInfo: { ipv4Unicast: { negotiated: false } },
    },
  });
});

test.each([
  [
    'above its limit',
    { session: null, prefixLimitReached: true },
    ['no prefixes: the peer went above its limit of prefixes'],
  ],
  [
    'refused',
    { prefixesReceived: { ipv4: 0, ipv6: 0 }, refused: { 'as-path-loop': 3 } },
    ['none accepted: what came was refused (as-path-loop 3; bgp routes --filtered shows it)'],
  ],
  [
    'nothing yet',
    { prefixesReceived: { ipv4: 0, ipv6: 0 } },
    ['none accepted: the peer has sent no route yet'],
  ],
  [
    'nothing at all',
    { prefixesReceived: { ipv4: 0, ipv6: 0 }, endOfRib: { sent: [], received: ['ipv4'] as const } },
    ['none accepted: the peer has sent End-of-RIB and no route'],
  ],
  ['nothing for it', { prefixesSent: { ipv4: 0, ipv6: 0 } }, ['none sent: no route may go to it']],
  [
    'too early',
    { prefixesSent: { ipv4: 0, ipv6: 0 }, endOfRib: { sent: [], received: [] } },
    ['none sent: routes are still being selected'],
  ],
  ['nothing is wrong', {}, []],
])('why there are no prefixes: %s', (_, change, hints) => {
  expect(prefixHints(neighbor(change), 'ipv4')).toEqual(hints);
});

test('path identifiers: who announced them, and which are in use (RFC 7911)', () => {
  const capability = { family: 'ipv4', advertised: true } as const;
  const change = {
    session: { ...neighbor().session, addPath: { receive: ['ipv4'], send: ['ipv4'] } },
    configured: { ...neighbor().configured, addPath: { receive: true, send: { best: 2 } } },
    capabilities: [
      { ...capability, key: 'rx', title: 'AddPath IPv4 Unicast RX', received: true },
      { ...capability, key: 'tx', title: 'AddPath IPv4 Unicast TX', received: false },
    ],
  } as Parameters<typeof neighbor>[0];
  expect(text(change)).toContain('    AddPath IPv4 Unicast RX: advertised and received\n');
  expect(text(change)).toContain(
    '  Path identifiers received\n  Path identifiers sent, paths: best 2\n',
  );
  expect(neighborJson([neighbor(change)])).toMatchObject({
    '10.1.0.1': {
      neighborCapabilities: {
        addPath: { ipv4Unicast: { rxAdvertisedAndReceived: true, txAdvertised: true } },
      },
    },
  });
});

test('an unnumbered peer is on its interface, whoever is heard there', () => {
  const found = { place: 'eth1', address: parseAddress('fe80::1') };
  expect(text(found)).toContain('BGP neighbor on eth1: fe80::1, remote AS 65000,');
  expect(text({ place: 'fe80::1%eth1', address: parseAddress('fe80::1') })).toContain(
    'BGP neighbor is fe80::1%eth1, remote AS 65000,',
  );
  const lost = { ...found, address: parseAddress('::'), awaitsRouter: true, session: null };
  expect(text({ ...lost, asn: null })).toContain(
    'BGP neighbor on eth1: none, remote AS (not told)',
  );
  expect(prefixHints(neighbor(lost), 'ipv4')).toEqual([
    'no prefixes: nobody is heard on eth1 (router advertisements)',
  ]);
  expect(Object.keys(neighborJson([neighbor(found)]))).toEqual(['eth1']);
});

test('IPv4 routes over IPv6 want a next hop that the peer takes', () => {
  const up = neighbor({});
  const session = up.session && { ...up.session, localAddress: parseAddress('fe80::2') };
  const endOfRib = { sent: ['ipv4'], received: [] } as const;
  const none = { session, endOfRib, prefixesSent: { ipv4: 0, ipv6: 0 } };
  expect(prefixHints(neighbor(none), 'ipv4').join()).toContain('RFC 8950');
  const extended = { key: 'extendedNexthop', title: '', advertised: true, received: true };
  expect(prefixHints(neighbor({ ...none, capabilities: [extended] }), 'ipv4').join()).not.toContain(
    'RFC 8950',
  );
});
