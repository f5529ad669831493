import { expect, test } from 'vitest';
import {
  connect,
  type End,
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { EstablishedSession, PeerConfig } from '../index.ts';

const EXTENDED = { extendedNextHop: ['ipv4'] } as const satisfies Partial<EstablishedSession>;

/** Two speakers on one link, with a session between `addresses`; the first offers a prefix of each family. */
function pair(
  addresses: readonly [string, string],
  { config = {}, session = EXTENDED }: { config?: Partial<PeerConfig>; session?: object } = {},
) {
  const ends = addresses.map((address, i): End => {
    const asn = 65001 + i;
    const originate = i === 0 ? ['10.65.0.0/26', 'fd00:65::/122'] : [];
    const speaker = new Speaker(speakerConfig(asn, { originate }));
    speaker.engine.setInterfaces([
      // The same link-local address as on the link of the session, on another one, and before it.
      link('eth0', [`fe80::${i + 1}/64`, `10.9.${i}.1/24`]),
      link('eth1', [`fe80::${i + 1}/64`, `fd00:1::${i + 1}/64`]),
    ]);
    speaker.engine.endDeferral();
    return { speaker, asn, address, peer: 0, config };
  }) as [End, End];
  connect(...ends, { device: 'eth1', ...session });
  settle(ends[0].speaker, ends[1].speaker);
  return { near: ends[0].speaker, far: ends[1].speaker };
}

test('IPv4 routes over a session between global IPv6 addresses have our address there', () => {
  const { far } = pair(['fd00:1::1', 'fd00:1::2']);
  expect([...far.kernel.routes]).toEqual([
    ['10.65.0.0/26', 'fd00:1::1@eth1'],
    ['fd00:65::/122', 'fd00:1::1@eth1'],
  ]);
});

test.each([undefined, 'native', 'single', 'double'] as const)(
  'link-local next hop, written as %s: on the link of the session',
  (linkLocalNextHop) => {
    const config = linkLocalNextHop ? { linkLocalNextHop } : {};
    const { near, far } = pair(['fe80::1', 'fe80::2'], { config });
    expect([...far.kernel.routes]).toEqual([
      ['10.65.0.0/26', 'fe80::1@eth1'],
      ['fd00:65::/122', 'fe80::1@eth1'],
    ]);
    const sent = near.engine.routes({ family: 'ipv4', limit: 9, advertisedTo: 0 });
    expect(sent.routes[0]?.paths[0]?.nextHop).toBe('fe80::1');
  },
);

test('not negotiated, and no IPv4 address on the link: no IPv4 routes are offered', () => {
  const { far } = pair(['fe80::1', 'fe80::2'], { session: {} });
  expect([...far.kernel.routes.keys()]).toEqual(['fd00:65::/122']);
});

test('withdrawals and End-of-RIB arrive, too', () => {
  const { near, far } = pair(['fe80::1', 'fe80::2']);
  expect(far.engine.endOfRibReceived(0)).toEqual(['ipv4', 'ipv6']);
  near.engine.configure(speakerConfig(65001));
  settle(near, far);
  expect(far.kernel.routes.size).toBe(0);
});

test('a change of the format reaches the peer', () => {
  const config = { linkLocalNextHop: 'single' } as const;
  const { near } = pair(['fe80::1', 'fe80::2'], { config });
  const nextHopOctets = () => {
    near.engine.step(1000);
    const message = near.message(0) ?? new Uint8Array(0);
    // Header, lengths, header of MP_REACH_NLRI, AFI and SAFI.
    return message[19 + 4 + 4 + 3];
  };
  const peers = [peerConfig('fe80::2', 65002, { linkLocalNextHop: 'native' })];
  near.engine.configure(speakerConfig(65001, { peers, originate: ['10.65.0.0/26'] }));
  expect(nextHopOctets()).toBe(32);
});

/** A speaker with an unnumbered peer on eth1, and another peer at 10.2.0.2. */
function middle(config: Partial<PeerConfig>, session: Partial<EstablishedSession>, asn = 65000) {
  const speaker = new Speaker(speakerConfig(65000));
  const { engine } = speaker;
  engine.setInterfaces([
    link('eth1', ['fe80::1/64', 'fd00:1::1/64']),
    link('eth2', ['10.2.0.1/24', 'fd00:2::1/64']),
  ]);
  engine.endDeferral();
  const near = { asn: 65000, address: 'fe80::1' };
  const eth1 = { device: 'eth1', ...EXTENDED };
  engine.peerUp(sessionWith(0, peerConfig('fe80::2', 65001), near, eth1));
  const onward = { asn: 65000, address: '10.2.0.1' };
  engine.peerUp(sessionWith(1, peerConfig('10.2.0.2', asn, config), onward, session));
  const learn = (nextHop: string) => {
    const body = updateOctets({ announce: ['10.70.0.0/26'], nextHop, asPath: [65001] });
    expect(engine.receiveUpdate(0, body)).toBeUndefined();
    while (engine.step(1000));
  };
  const told = () =>
    engine
      .routes({ family: 'ipv4', limit: 9, advertisedTo: 1 })
      .routes.map(({ paths }) => paths[0]?.nextHop);
  const send = () => {
    while (speaker.message(1));
  };
  return { speaker, learn, told, send };
}

test('an iBGP peer gets an IPv6 next hop unchanged if it takes such next hops, and nothing otherwise', () => {
  for (const [session, expected] of [
    [EXTENDED, ['fd00:1::2']],
    [{}, []],
  ] as const) {
    const { learn, told, send } = middle({}, session);
    learn('fd00:1::2');
    send();
    expect(told()).toEqual(expected);
  }
});

test('a link-local next hop goes no further', () => {
  const { learn, told, send } = middle({}, EXTENDED);
  learn('fe80::2 fe80::2');
  send();
  expect(told()).toEqual([]);
});

test('an eBGP peer without it gets our IPv4 address', () => {
  const { learn, told, send } = middle({}, {}, 65002);
  learn('fe80::2 fe80::2');
  send();
  expect(told()).toEqual(['10.2.0.1']);
});

test('with equal cost over IPv4 and IPv6 gateways, one route has both', () => {
  const multipath = { maxPaths: 4, relaxAsPath: true };
  const speaker = new Speaker(speakerConfig(65000, { multipath }));
  const { engine } = speaker;
  engine.setInterfaces([link('eth1', ['fe80::1/64']), link('eth2', ['10.2.0.1/24'])]);
  engine.endDeferral();
  const unnumbered = { device: 'eth1', ...EXTENDED };
  const [v6, v4] = ['fe80::1', '10.2.0.1'].map((address) => ({ asn: 65000, address })) as [
    { asn: number; address: string },
    { asn: number; address: string },
  ];
  engine.peerUp(sessionWith(0, peerConfig('fe80::2', 65001), v6, unnumbered));
  engine.peerUp(sessionWith(1, peerConfig('10.2.0.2', 65002), v4));
  for (const [peer, nextHop, asn] of [
    [0, 'fe80::2', 65001],
    [1, '10.2.0.2', 65002],
  ] as const) {
    const body = updateOctets({ announce: ['10.70.0.0/26'], nextHop, asPath: [asn] });
    expect(engine.receiveUpdate(peer, body)).toBeUndefined();
  }
  speaker.run();
  expect([...speaker.kernel.routes.values()]).toEqual(['10.2.0.2@eth2 fe80::2@eth1']);
});
