import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { endOfRibOctets, type UpdateText, updateOctets } from '../../../test/update-octets.ts';

const PREFIX = '198.51.100.0/24';
const PEER = 1;
const LOCAL = { asn: 65000, address: '10.0.0.254' };

/** A speaker with one eBGP peer that gives path identifiers. */
function setUp(maxPaths = 4) {
  const multipath = { maxPaths, relaxAsPath: true };
  const speaker = new Speaker(speakerConfig(65000, { multipath }));
  const config = peerConfig('10.0.0.1', 65001, { addPath: { receive: true } });
  speaker.engine.setInterfaces([link('eth0', ['10.0.0.254/24', 'fd00::254/64'])]);
  speaker.engine.endDeferral();
  const up = (isIdentified: boolean): void => {
    const receive = isIdentified ? config.families : [];
    const session = sessionWith(PEER, config, LOCAL, { addPath: { receive, send: [] } });
    speaker.engine.peerUp(session);
  };
  up(true);
  return {
    speaker,
    up,
    receive(update: UpdateText): void {
      const body = updateOctets({ asPath: [65001], ...update });
      expect(speaker.engine.receiveUpdate(PEER, body)).toBeUndefined();
      settle(speaker);
    },
    /** `id>` best, `id=` shares the load, `id` neither; with the next hop. */
    paths(family: 'ipv4' | 'ipv6' = 'ipv4'): string[] {
      return speaker.routes(family).flatMap(({ paths }) =>
        paths.map(({ pathId, best, multipath, stale, nextHop }) => {
          const mark = best ? '>' : multipath ? '=' : '';
          return `${pathId}${mark} ${nextHop}${stale ? ' stale' : ''}`;
        }),
      );
    },
    counted: () => speaker.engine.counters(PEER).received.ipv4,
  };
}

test('several paths of one peer share the load, and go one by one', () => {
  const { receive, paths, speaker, counted } = setUp();
  receive({ announce: [PREFIX], pathIds: [7], nextHop: '10.0.0.2' });
  receive({ announce: [PREFIX], pathIds: [0], nextHop: '10.0.0.1' });
  receive({ announce: [PREFIX], pathIds: [0xffff_ffff], nextHop: '10.0.0.3' });
  expect(paths()).toEqual(['0> 10.0.0.1', '7= 10.0.0.2', '4294967295= 10.0.0.3']);
  expect([...speaker.kernel.routes]).toEqual([
    [PREFIX, '10.0.0.1@eth0 10.0.0.2@eth0 10.0.0.3@eth0'],
  ]);
  expect(counted()).toBe(3);
  receive({ withdraw: [PREFIX], pathIds: [0] });
  expect(paths()).toEqual(['7> 10.0.0.2', '4294967295= 10.0.0.3']);
  receive({ withdraw: [PREFIX], pathIds: [5] });
  receive({ withdraw: [PREFIX, PREFIX], pathIds: [7, 0xffff_ffff] });
  expect(paths()).toEqual([]);
  expect(counted()).toBe(0);
});

test('identifiers in MP_REACH_NLRI and MP_UNREACH_NLRI', () => {
  const { receive, paths } = setUp();
  const announce = ['2001:db8:1::/48', '2001:db8:1::/48', '2001:db8::1/128'];
  receive({ announce, pathIds: [1, 2, 3], nextHop: 'fd00::1' });
  expect(paths('ipv6')).toEqual(['3> fd00::1', '1> fd00::1', '2 fd00::1']);
  receive({ withdraw: ['2001:db8:1::/48'], pathIds: [1] });
  expect(paths('ipv6')).toEqual(['3> fd00::1', '2> fd00::1']);
});

test('a path is replaced by another one with its identifier', () => {
  const { receive, paths, counted } = setUp();
  receive({ announce: [PREFIX, PREFIX], pathIds: [1, 2], nextHop: '10.0.0.1' });
  receive({ announce: [PREFIX], pathIds: [2], nextHop: '10.0.0.9' });
  expect(paths()).toEqual(['1> 10.0.0.1', '2= 10.0.0.9']);
  expect(counted()).toBe(2);
});

test('the same route twice counts once where the load is shared', () => {
  const { receive, paths } = setUp(2);
  receive({ announce: [PREFIX, PREFIX], pathIds: [1, 2], nextHop: '10.0.0.1' });
  receive({ announce: [PREFIX], pathIds: [3], nextHop: '10.0.0.2' });
  expect(paths()).toEqual(['1> 10.0.0.1', '2 10.0.0.1', '3= 10.0.0.2']);
});

test('the choice does not depend on identifiers, nor on what came first', () => {
  const [one, other] = [setUp(1), setUp(1)];
  const updates: UpdateText[] = [
    { announce: [PREFIX], nextHop: '10.0.0.3', communities: [1] },
    { announce: [PREFIX], nextHop: '10.0.0.3', communities: [0] },
    { announce: [PREFIX], nextHop: '10.0.0.3' },
  ];
  for (const [i, update] of updates.entries()) one.receive({ ...update, pathIds: [i] });
  for (const [i, update] of updates.toReversed().entries()) {
    other.receive({ ...update, pathIds: [i] });
  }
  expect([one.paths()[0], other.paths()[0]]).toEqual(['2> 10.0.0.3', '0> 10.0.0.3']);
});

test('a malformed announcement withdraws the paths that it names', () => {
  const { receive, paths, speaker } = setUp();
  receive({ announce: [PREFIX, PREFIX], pathIds: [1, 2], nextHop: '10.0.0.1' });
  receive({ announce: [PREFIX], pathIds: [2], extra: [[0x40, 1, 1, 9]], origin: 0 });
  expect(speaker.engine.counters(PEER).refused).toMatchObject({ 'attribute-discard': 1 });
  receive({ announce: [PREFIX], pathIds: [2], extra: [[0x80, 4, 1, 9]] });
  expect(paths()).toEqual(['1> 10.0.0.1']);
});

test('martians are passed over with their identifiers', () => {
  const { receive, paths } = setUp();
  receive({ announce: ['127.0.0.0/8', PREFIX], pathIds: [1, 2], nextHop: '10.0.0.1' });
  expect(paths()).toEqual(['2> 10.0.0.1']);
});

test('paths stay over a graceful restart, and what is not sent again goes with End-of-RIB', () => {
  const { receive, paths, speaker, up } = setUp();
  receive({ announce: [PREFIX, PREFIX], pathIds: [1, 2], nextHop: '10.0.0.1' });
  speaker.engine.peerDown(PEER, ['ipv4']);
  up(true);
  receive({ announce: [PREFIX], pathIds: [2], nextHop: '10.0.0.2' });
  expect(paths()).toEqual(['1> 10.0.0.1 stale', '2= 10.0.0.2']);
  speaker.engine.receiveUpdate(PEER, endOfRibOctets('ipv4'));
  settle(speaker);
  expect(paths()).toEqual(['2> 10.0.0.2']);
});

test('a session that comes back without identifiers replaces all that had them', () => {
  const { receive, paths, speaker, up, counted } = setUp();
  const other = '203.0.113.0/24';
  const announce = [PREFIX, PREFIX, other, other];
  receive({ announce, pathIds: [1, 2, 1, 2], nextHop: '10.0.0.1' });
  speaker.engine.peerDown(PEER, ['ipv4']);
  up(false);
  settle(speaker);
  expect(counted()).toBe(4);
  receive({ announce: [PREFIX], nextHop: '10.0.0.2' });
  expect(paths()).toEqual(['null> 10.0.0.2', '1> 10.0.0.1 stale', '2 10.0.0.1 stale']);
  receive({ withdraw: [PREFIX, other] });
  expect([paths(), counted()]).toEqual([[], 0]);
});

test('and one that comes back with them replaces what had none', () => {
  const { receive, paths, speaker, up } = setUp();
  speaker.engine.peerDown(PEER, []);
  up(false);
  receive({ announce: [PREFIX], nextHop: '10.0.0.1' });
  speaker.engine.peerDown(PEER, ['ipv4']);
  up(true);
  receive({ announce: [PREFIX], pathIds: [0], nextHop: '10.0.0.2' });
  receive({ announce: [PREFIX], pathIds: [1], nextHop: '10.0.0.3' });
  expect(paths()).toEqual(['0> 10.0.0.2', '1= 10.0.0.3']);
});
