import type { PeerCensus } from '@overland/bgp';
import type { NeighborDetail } from '@overland/bgp/node';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { explainPeerText } from './explain-peer-text.ts';
import { neighbor } from './testing/neighbor.ts';

type Tally = PeerCensus['received'][number];

const tally = (what: string, detail: string | null, count: number): Tally => ({
  what,
  detail,
  count,
  example: parsePrefix('10.9.0.0/16'),
});

function text(
  census: Partial<PeerCensus>,
  change: Partial<NeighborDetail> = {},
  deferring = false,
): string {
  const full: PeerCensus = { family: 'ipv4', received: [], sent: [], ...census };
  return explainPeerText(
    { neighbor: neighbor(change), census: [full], deferring },
    coloursFor({}, {}),
  );
}

test('routes by what becomes of them', () => {
  const received = [
    tally('best', null, 7),
    tally('other', null, 2),
    tally('refused', 'filter in/small', 1),
    tally('next-hop', 'not-on-a-link', 3),
  ];
  const sent = [
    tally('advertised', null, 5),
    tally('pending', null, 1),
    tally('withheld', 'filter out[0]', 2),
    tally('withheld', 'split-horizon', 7),
  ];
  const refused = { martian: 2, filter: 9 };
  expect(text({ received, sent }, { refused })).toBe(`\
spine1 (10.1.0.1), Established

IPv4 Unicast
  from it:
    7 best
    2 accepted, while others are better or as good
    1 refused by import: filter in/small (10.9.0.0/16)
    3 unusable: the next hop is on no link that is up (10.9.0.0/16 is one)
    not kept since the peer was configured: martian 2
  to it:
    5 advertised
    1 about to be sent
    2 not advertised: an export filter rejects it (out[0]) (10.9.0.0/16 is one)
    7 not advertised: the best route is its own (10.9.0.0/16 is one)
`);
});

test.each<[string, Partial<NeighborDetail>, string]>([
  [
    'no session',
    { session: null, state: 'Active', lastError: 'ECONNREFUSED' },
    'none: the session is Active: ECONNREFUSED',
  ],
  ['limit', { session: null, prefixLimitReached: true }, 'none: the peer went above its limit'],
  ['BFD', { session: null, awaitsBfd: true }, 'none: the session waits for BFD to be up'],
])('neither way: %s', (_, change, reason) => {
  const said = text({}, change);
  expect(said.split(reason)).toHaveLength(3);
});

test('a family that was not negotiated', () => {
  const said = text({ family: 'ipv6', sent: null });
  expect(said).toContain('none: the peer does not announce IPv6 Unicast');
});

test('nothing from the peer: it has ended, or has yet to', () => {
  const endOfRib = { sent: [], received: [] };
  expect(text({}, { endOfRib: { ...endOfRib, received: ['ipv4'] } })).toContain(
    'none: the peer has sent End-of-RIB and no route that was kept\n',
  );
  const broken = text({}, { endOfRib, refused: { 'treat-as-withdraw': 4 } });
  expect(broken).toContain(
    'no End-of-RIB yet\n    not kept since the peer was configured: treat-as-withdraw 4\n',
  );
});

test('nothing to the peer: no route, selection, or the restart', () => {
  const endOfRib = { sent: ['ipv4'], received: [] } as const;
  expect(text({}, { endOfRib })).toContain('to it:\n    none: there is no route\n');
  expect(text({}, { endOfRib: { ...endOfRib, sent: [] } })).toContain('still being selected');
  expect(text({}, {}, true)).toContain('to it:\n    nothing is sent yet: after the restart');
});
