import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';

const MULTIPATH = { maxPaths: 4, relaxAsPath: true };

/** A host with two leaves, on eth1 and eth2. */
function dualHomed() {
  const speaker = new Speaker(speakerConfig(65101, { role: 'host', multipath: MULTIPATH }));
  /** @param dead Neighbours that do not answer. */
  const links = (down: readonly string[] = [], dead: readonly string[] = []) =>
    speaker.engine.setInterfaces(
      [1, 2].map((n) => ({
        ...link(
          `eth${n}`,
          [`10.1.${n}.1/31`, `fd00:${n}::1/127`, 'fe80::1/64'],
          !down.includes(`eth${n}`),
        ),
        unreachable: n === 1 ? dead.map(parseAddress) : [],
      })),
    );
  links();
  speaker.engine.endDeferral();
  for (const n of [1, 2]) {
    speaker.engine.peerUp(
      sessionWith(n, peerConfig(`10.1.${n}.0`, 65010 + n), { asn: 65101, address: `10.1.${n}.1` }),
    );
  }
  const learn = (n: number, prefix: string, nextHop: string) => {
    const body = updateOctets({ announce: [prefix], nextHop, asPath: [65010 + n, 65000] });
    expect(speaker.engine.receiveUpdate(n, body)).toBeUndefined();
  };
  const route = (prefix: string) => {
    speaker.run();
    return speaker.kernel.routes.get(prefix as never);
  };
  return { speaker, links, learn, route };
}

test('a link that goes down takes its next hop out of every route at once, and brings it back', () => {
  const { speaker, links, learn, route } = dualHomed();
  for (const n of [1, 2]) learn(n, '10.65.1.0/26', `10.1.${n}.0`);
  expect(route('10.65.1.0/26')).toBe('10.1.1.0@eth1 10.1.2.0@eth2');
  links(['eth1']);
  expect(route('10.65.1.0/26')).toBe('10.1.2.0@eth2');
  links(['eth1', 'eth2']);
  expect(route('10.65.1.0/26')).toBeUndefined();
  expect(speaker.routes('ipv4')[0]?.paths.map(({ usable }) => usable)).toEqual([false, false]);
  links();
  expect(route('10.65.1.0/26')).toBe('10.1.1.0@eth1 10.1.2.0@eth2');
});

test('a neighbour that does not answer is no next hop, until it does', () => {
  const { speaker, links, learn, route } = dualHomed();
  for (const n of [1, 2]) {
    learn(n, '10.65.1.0/26', `10.1.${n}.0`);
    learn(n, 'fd00:65::/122', 'fe80::9');
  }
  links([], ['10.1.1.0', 'fe80::9', '10.1.1.9']);
  expect(route('10.65.1.0/26')).toBe('10.1.2.0@eth2');
  expect(route('fd00:65::/122')).toBe('fe80::9@eth2');
  expect(speaker.engine.unreachableNextHops()).toEqual([
    { address: '10.1.1.0', device: 'eth1' },
    { address: 'fe80::9', device: 'eth1' },
  ]);
  links(['eth1'], ['10.1.1.0']);
  expect(speaker.engine.unreachableNextHops()).toEqual([]);
  links();
  expect(route('10.65.1.0/26')).toBe('10.1.1.0@eth1 10.1.2.0@eth2');
  expect(route('fd00:65::/122')).toBe('fe80::9@eth1 fe80::9@eth2');
});

test('only what uses a next hop is decided again when it changes', () => {
  const { speaker, links, learn } = dualHomed();
  for (let i = 0; i < 200; i += 1) learn(1, `10.70.${i}.0/24`, '10.1.1.0');
  learn(2, '10.71.0.0/24', '10.1.2.0');
  speaker.run();
  links(['eth2']);
  let steps = 0;
  while (speaker.engine.step(1)) steps += 1;
  expect(steps).toBeLessThan(12);
});

test('a next hop that is ours, or on no link of ours, is not used', () => {
  const { learn, route } = dualHomed();
  learn(1, '10.65.1.0/26', '10.1.2.1');
  learn(1, '10.65.2.0/26', '192.0.2.1');
  learn(1, '10.65.3.0/26', '0.0.0.0');
  expect(['10.65.1.0/26', '10.65.2.0/26', '10.65.3.0/26'].map(route)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('an address that moves to another link changes the route', () => {
  const { speaker, learn, route } = dualHomed();
  learn(1, '10.65.1.0/26', '10.1.1.0');
  expect(route('10.65.1.0/26')).toBe('10.1.1.0@eth1');
  speaker.engine.setInterfaces([link('bond0', ['10.1.1.1/31'])]);
  expect(route('10.65.1.0/26')).toBe('10.1.1.0@bond0');
});

test.each([
  ['fd00:1::', 'fd00:1::@eth1'],
  ['fd00:1:: fe80::9', 'fd00:1::@eth1'],
  // Known by a global address that is on no link, or by none: the link-local one is on the session's link.
  ['2001:db8::9 fe80::9', 'fe80::9@eth1'],
  [':: fe80::9', 'fe80::9@eth1'],
  ['fe80::9 fe80::9', 'fe80::9@eth1'],
  ['fe80::9', 'fe80::9@eth1'],
])('IPv6 next hop %s leads to %s', (nextHop, expected) => {
  const { learn, route } = dualHomed();
  learn(1, 'fd00:65::/122', nextHop);
  expect(route('fd00:65::/122')).toBe(expected);
});

test('the same link-local address on two links is two next hops', () => {
  const { learn, route } = dualHomed();
  for (const n of [1, 2]) learn(n, 'fd00:65::/122', 'fe80::9');
  expect(route('fd00:65::/122')).toBe('fe80::9@eth1 fe80::9@eth2');
});

test('next-hop sets get new ids when they come again, and none changes its meaning', () => {
  const { speaker, links, learn, route } = dualHomed();
  learn(1, '10.65.1.0/26', '10.1.1.0');
  expect(route('10.65.1.0/26')).toBe('10.1.1.0@eth1');
  // FakeKernel refuses a set that is defined twice or not at all.
  for (let i = 0; i < 3; i += 1) {
    links(['eth1']);
    expect(route('10.65.1.0/26')).toBeUndefined();
    links();
    expect(route('10.65.1.0/26')).toBe('10.1.1.0@eth1');
  }
  expect(speaker.kernel.records).toBe(7);
});

test('a route that comes and goes between two batches is not told at all', () => {
  const { speaker, learn } = dualHomed();
  learn(1, '10.65.1.0/26', '10.1.1.0');
  while (speaker.engine.step(10));
  speaker.engine.receiveUpdate(1, updateOctets({ withdraw: ['10.65.1.0/26'] }));
  speaker.run();
  expect(speaker.kernel.records).toBe(0);
});
