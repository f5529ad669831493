import { expect, test } from 'vitest';
import { parseSpeakerFile, SpeakerFileError } from './speaker-file.ts';

const text = (...peers: readonly string[]): string =>
  `{asn: 65101, routerId: 10.0.0.5, peers: [${peers.map((peer) => `{asn: 65011, ${peer}}`).join(', ')}]}`;

function faults(...peers: readonly string[]): readonly string[] {
  try {
    parseSpeakerFile(text(...peers));
    return [];
  } catch (error) {
    if (!(error instanceof SpeakerFileError)) throw error;
    return error.faults;
  }
}

test.each([
  ['address: fe80::1%eth1', { name: 'fe80::1%eth1', address: 'fe80::1', interface: 'eth1' }],
  ['address: fe80::1, interface: eth1', { name: 'fe80::1%eth1', interface: 'eth1' }],
  ['address: "fe80::1%bond0.7", name: leaf', { name: 'leaf', interface: 'bond0.7' }],
])('%s is a link-local peer: IPv6, unless it says more', (peer, expected) => {
  const [config] = parseSpeakerFile(text(peer)).peers;
  expect(config).toMatchObject({ ...expected, families: ['ipv6'] });
  expect(config).not.toHaveProperty('unnumbered');
  expect(config).not.toHaveProperty('extendedNextHop');
});

test('an interface alone is an unnumbered peer: both families, over IPv6 next hops', () => {
  const [config] = parseSpeakerFile(text('interface: eth1')).peers;
  expect(config).toMatchObject({
    name: 'eth1',
    address: '::',
    interface: 'eth1',
    unnumbered: true,
    families: ['ipv4', 'ipv6'],
    extendedNextHop: true,
    ttl: 1,
  });
});

test('what an unnumbered peer says itself, or its defaults, counts', () => {
  const [config] = parseSpeakerFile(
    `{asn: 65101, routerId: 10.0.0.5, defaults: {families: [ipv6]}, peers: [{interface: eth1, asn: internal, extendedNextHop: false}]}`,
  ).peers;
  expect(config).toMatchObject({ asn: 65101, families: ['ipv6'], extendedNextHop: false });
});

test.each([
  ['name: x', 'peers[0].address: missing: an address, or an interface for an unnumbered peer'],
  ['address: fe80::1', 'peers[0].address: fe80::1 is link-local: fe80::1%INTERFACE, or interface'],
  [
    'address: fe80::1%eth1, interface: eth2',
    'peers[0].interface: eth2 is not the eth1 of the address',
  ],
  [
    'address: 10.1.0.1, interface: eth1',
    'peers[0].interface: only link-local addresses need an interface, 10.1.0.1 does not',
  ],
  [
    'address: fd00::1%eth1',
    'peers[0].address: only link-local addresses need an interface, fd00::1 does not',
  ],
  ['interface: "eth 1"', 'peers[0].interface: "eth 1" is not allowed: the name of an interface'],
  ['interface: ""', 'peers[0].interface: "" is not allowed: the name of an interface'],
  [
    'address: "fe80::1%"',
    'peers[0].address: "fe80::1%" is not a valid IP address: expected the name of an interface behind %',
  ],
])('%s is wrong', (peer, fault) => {
  expect(faults(peer)).toEqual([fault]);
});

test('an interface has one unnumbered peer; a link-local address may be on two interfaces', () => {
  expect(faults('interface: eth1', 'interface: eth1, name: other')).toEqual([
    'peers[1].interface: eth1 is the interface of peers[0]',
  ]);
  expect(faults('address: fe80::1%eth1', 'address: fe80::1%eth1')).toEqual([
    'peers[1].address: fe80::1%eth1 is the address of peers[0]',
  ]);
  expect(faults('address: fe80::1%eth1', 'address: fe80::1%eth2', 'interface: eth1')).toEqual([]);
});
