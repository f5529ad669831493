import { parseAddress, parseInterfaceAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import type { Route } from '../ports.ts';
import { writeAddressCreation, writeAddressDump, writeAddressRemoval } from './address-codec.ts';
import type { DeviceNumbers } from './devices.ts';
import {
  writeLinkChange,
  writeLinkDump,
  writeLinkGet,
  writeLinkRemoval,
  writeVethCreation,
} from './link-codec.ts';
import { MessageWriter } from './message-writer.ts';
import {
  writeNeighbourDump,
  writeNeighbourReplacement,
  writeProxyCreation,
} from './neighbour-codec.ts';
import {
  writeNextHopDump,
  writeNextHopRemoval,
  writeNextHopReplacement,
} from './next-hop-codec.ts';
import { writeRouteDump, writeRouteRemoval, writeRouteReplacement } from './route-codec.ts';

/**
 * Requests as `ip` 6.1 sends them (strace -e trace=sendmsg), attributes in our order. The header is written apart:
 * length, type, flags; sequence 1, port 0.
 */
const devices: DeviceNumbers = { numberOf: () => 3 };

function request(write: (writer: MessageWriter) => void): string {
  const writer = new MessageWriter();
  write(writer);
  return Buffer.from(writer.bytes).toString('hex');
}

/** The expected message: its length is computed, the rest is spelled out. */
function message(typeAndFlags: string, ...parts: string[]): string {
  const rest = `${typeAndFlags}0100000000000000${parts.join('')}`.replaceAll(' ', '');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(4 + rest.length / 2);
  return length.toString('hex') + rest;
}

const route = (destination: string, target: Route['target'], more: Partial<Route> = {}): Route => ({
  destination: parsePrefix(destination),
  metric: 0,
  protocol: 86,
  target,
  ...more,
});

test.each([
  {
    name: 'route replace 10.65.0.0/26 nhid 11 proto 86 metric 7',
    route: route('10.65.0.0/26', { type: 'next-hop-object', id: 11 }, { metric: 7 }),
    body: [
      '021a0000 fe560001 00000000',
      '08000100 0a410000',
      '08000600 07000000',
      '08001e00 0b000000',
    ],
  },
  {
    name: 'route replace 10.66.0.0/16 via 10.1.0.1 dev eth1 proto 86 src 10.1.0.0',
    route: route(
      '10.66.0.0/16',
      { type: 'gateway', nextHop: { address: parseAddress('10.1.0.1'), device: 'eth1' } },
      { source: parseAddress('10.1.0.0') },
    ),
    body: [
      '02100000 fe560001 00000000',
      '08000100 0a420000',
      '08000600 00000000',
      '08000700 0a010000',
      '08000400 03000000',
      '08000500 0a010001',
    ],
  },
  {
    name: 'route replace 10.65.0.2/32 dev eth1 proto 86 scope link',
    route: route('10.65.0.2/32', { type: 'device', device: 'eth1' }),
    body: [
      '02200000 fe56fd01 00000000',
      '08000100 0a410002',
      '08000600 00000000',
      '08000400 03000000',
    ],
  },
  {
    name: 'route replace 10.67.0.0/16 proto 86 nexthop via 10.1.0.1 dev eth1 nexthop via inet6 fd00::1 dev eth1',
    route: route('10.67.0.0/16', {
      type: 'multipath',
      nextHops: [
        { address: parseAddress('10.1.0.1'), device: 'eth1' },
        { address: parseAddress('fd00::1'), device: 'eth1' },
      ],
    }),
    body: [
      '02100000 fe560001 00000000',
      '08000100 0a430000',
      '08000600 00000000',
      '34000900',
      '10000000 03000000 08000500 0a010001',
      '20000000 03000000 16001200 0a00 fd000000000000000000000000000001 0000',
    ],
  },
  {
    name: 'route replace blackhole fd65::/122 proto 86 (metric 0 is 1024)',
    route: route('fd65::/122', { type: 'blackhole' }),
    body: [
      '0a7a0000 fe560006 00000000',
      '14000100 fd650000000000000000000000000000',
      '08000600 00040000',
    ],
  },
])('$name', ({ route: wanted, body }) => {
  // RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_REPLACE | NLM_F_CREATE
  expect(request((writer) => writeRouteReplacement(writer, wanted, devices))).toBe(
    message('1800 0105', ...body),
  );
});

test('route del 10.65.0.0/26 proto 86 metric 7: any scope, type and target', () => {
  const removed = route('10.65.0.0/26', { type: 'blackhole' }, { metric: 7 });
  expect(request((writer) => writeRouteRemoval(writer, removed))).toBe(
    message('1900 0100', '021a0000 fe56ff00 00000000', '08000100 0a410000', '08000600 07000000'),
  );
});

test('a route of a type that we never write is a mistake of the caller', () => {
  const unreachable = route('10.65.0.0/26', { type: 'other', routeType: 7 });
  expect(() => request((writer) => writeRouteReplacement(writer, unreachable, devices))).toThrow(
    RangeError,
  );
});

test('next-hop objects', () => {
  const nextHop = { address: parseAddress('10.1.0.1'), device: 'eth1' };
  const path = { id: 1, protocol: 86, content: { type: 'path', family: 'ipv4', nextHop } } as const;
  expect(request((writer) => writeNextHopReplacement(writer, path, devices))).toBe(
    message(
      '6800 0105',
      '02005600 00000000',
      '08000100 01000000',
      '08000500 03000000',
      '08000600 0a010001',
    ),
  );
  const group = { id: 10, protocol: 86, content: { type: 'group', members: [1, 2] } } as const;
  expect(request((writer) => writeNextHopReplacement(writer, group, devices))).toBe(
    message(
      '6800 0105',
      '00005600 00000000',
      '08000100 0a000000',
      '14000200 01000000 00000000 02000000 00000000',
    ),
  );
  const weighted = {
    id: 10,
    protocol: 86,
    content: { type: 'group', members: [1, 2], weights: [3, 255] },
  } as const;
  expect(request((writer) => writeNextHopReplacement(writer, weighted, devices))).toContain(
    message('6800 0105', '00005600 00000000', '08000100 0a000000').slice(-16) +
      '14000200 01000000 02000000 02000000 fe000000'.replaceAll(' ', ''),
  );
  expect(request((writer) => writeNextHopRemoval(writer, 11))).toBe(
    message('6900 0100', '00000000 00000000', '08000100 0b000000'),
  );
});

test('links', () => {
  expect(request((writer) => writeLinkChange(writer, 3, { up: false, mtu: 1400 }))).toBe(
    message('1300 0100', '00000000 03000000 00000000 01000000', '08000400 78050000'),
  );
  expect(request((writer) => writeLinkChange(writer, 3, { up: true }))).toBe(
    message('1300 0100', '00000000 03000000 01000000 01000000'),
  );
  expect(request((writer) => writeLinkRemoval(writer, 'eth1'))).toBe(
    message('1100 0100', '00000000 00000000 00000000 00000000', '09000300 6574683100 000000'),
  );
  expect(request((writer) => writeLinkGet(writer, 'eth1'))).toBe(
    message(
      '1200 0100',
      '00000000 00000000 00000000 00000000',
      '08001d00 08000000',
      '09000300 6574683100 000000',
    ),
  );
});

test('link add cali1 mtu 1400 address ee:ee:ee:ee:ee:ee type veth peer name eth0 mtu 1400 netns FD', () => {
  const peer = { name: 'eth0', namespace: '/run/netns/web1' };
  const spec = { name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee', mtu: 1400, peer };
  const placement = { namespaceFd: 4, index: 0, peerIndex: 0 };
  expect(request((writer) => writeVethCreation(writer, spec, placement))).toBe(
    message(
      '1000 0106', // NLM_F_EXCL | NLM_F_CREATE
      '00000000 00000000 00000000 00000000',
      '0a000300 63616c693100 0000',
      '08000400 78050000',
      '0a000100 eeeeeeeeeeee 0000',
      '44001200',
      '09000100 7665746800 000000',
      '34000200',
      '30000100',
      '00000000 00000000 00000000 00000000',
      '09000300 6574683000 000000',
      '08000400 78050000',
      '08001c00 04000000',
    ),
  );
});

test('addresses: addr replace fd00::1/64 dev eth1 nodad', () => {
  const address = parseInterfaceAddress('fd00::1/64');
  const body = [
    '0a400000 03000000',
    '14000200 fd000000000000000000000000000001',
    '14000100 fd000000000000000000000000000001',
  ];
  expect(request((writer) => writeAddressCreation(writer, 3, address, false))).toBe(
    message('1400 0105', ...body, '08000800 02000000'),
  );
  expect(request((writer) => writeAddressCreation(writer, 3, address, true))).toBe(
    message('1400 0105', ...body),
  );
  expect(request((writer) => writeAddressRemoval(writer, 3, address))).toBe(
    message('1500 0100', ...body),
  );
});

test('neighbours', () => {
  const address = parseAddress('10.1.0.1');
  const mac = '02:00:00:00:00:01';
  expect(request((writer) => writeNeighbourReplacement(writer, 3, address, mac))).toBe(
    message(
      '1c00 0105',
      '02000000 03000000 80000000',
      '08000100 0a010001',
      '0a000200 020000000001 0000',
    ),
  );
  expect(request((writer) => writeProxyCreation(writer, 3, address))).toBe(
    message('1c00 0105', '02000000 03000000 80000800', '08000100 0a010001'),
  );
});

test('dumps filter in the kernel as far as it can', () => {
  expect(request(writeLinkDump)).toBe(
    message('1200 0103', '00000000 00000000 00000000 00000000', '08001d00 08000000'),
  );
  expect(request((writer) => writeAddressDump(writer, 3))).toBe(
    message('1600 0103', '00000000 03000000'),
  );
  expect(request((writer) => writeRouteDump(writer, 'ipv6', 86))).toBe(
    message('1a00 0103', '0a000000 fe560000 00000000'),
  );
  expect(request(writeNextHopDump)).toBe(message('6a00 0103', '00000000 00000000'));
  expect(request((writer) => writeNeighbourDump(writer, true))).toBe(
    message('1e00 0103', '00000000 00000000 00000800'),
  );
});

test('messages follow each other in one buffer that grows, and one can be taken back', () => {
  const writer = new MessageWriter();
  for (let id = 1; id <= 1000; id++) writeNextHopRemoval(writer, id);
  expect(writer.bytes).toHaveLength(32_000);
  expect(writer.sequence).toBe(1000);
  writer.begin(104, 0);
  writer.u32(0);
  writer.abandon();
  expect(writer.bytes).toHaveLength(32_000);
  expect(writer.sequence).toBe(1000);
  writer.acknowledge();
  const view = new DataView(writer.bytes.buffer);
  expect(view.getUint16(31_968 + 6, true)).toBe(5); // NLM_F_REQUEST | NLM_F_ACK
  expect(view.getUint16(6, true)).toBe(1);
  writer.clear();
  expect(writer.bytes).toHaveLength(0);
});
