import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPacketHeader } from './packet-header.ts';

const octets = (...parts: (string | Uint8Array)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)));

const V4_ENDS = 'c0000201c0000202';
const V6_ENDS = '20010db8000000000000000000000001' + '20010db8000000000000000000000002';
/** Ports 4000 and 80. */
const PORTS = '0fa00050';
const ends4 = { source: '192.0.2.1', destination: '192.0.2.2' };
const ends6 = { source: '2001:db8::1', destination: '2001:db8::2' };

test.each([
  [
    'UDP over IPv4',
    octets('4500001800004000', '4011', '0000', V4_ENDS, PORTS),
    { ...ends4, protocol: 17, sourcePort: 4000, destinationPort: 80 },
  ],
  [
    'TCP over IPv4 with options',
    octets('4600001c00000000', '4006', '0000', V4_ENDS, '94040000', PORTS),
    { ...ends4, protocol: 6, sourcePort: 4000, destinationPort: 80 },
  ],
  [
    'a later fragment of IPv4',
    octets('4500001800000001', '4011', '0000', V4_ENDS, PORTS),
    { ...ends4, protocol: 17, sourcePort: 0, destinationPort: 0 },
  ],
  [
    'ICMP',
    octets('4500001800000000', '4001', '0000', V4_ENDS, '0800f7ff'),
    { ...ends4, protocol: 1, sourcePort: 0, destinationPort: 0, icmpType: 8, icmpCode: 0 },
  ],
  [
    'TCP behind IPv6 hop-by-hop options',
    octets('60000000000c', '0040', V6_ENDS, '0600050200000000', PORTS),
    { ...ends6, protocol: 6, sourcePort: 4000, destinationPort: 80 },
  ],
  [
    'a first fragment of IPv6',
    octets('60000000000c', '2c40', V6_ENDS, '1100000100000001', PORTS),
    { ...ends6, protocol: 17, sourcePort: 4000, destinationPort: 80 },
  ],
  [
    'a later fragment of IPv6',
    octets('60000000000c', '2c40', V6_ENDS, '1100000900000001', PORTS),
    { ...ends6, protocol: 17, sourcePort: 0, destinationPort: 0 },
  ],
  [
    'ICMPv6',
    octets('600000000004', '3aff', V6_ENDS, '87000000'),
    { ...ends6, protocol: 58, sourcePort: 0, destinationPort: 0, icmpType: 135, icmpCode: 0 },
  ],
])('%s', (_name, packet, tuple) => {
  expect(readPacketHeader(packet)).toEqual({ ...tuple, octets: packet.length });
});

test('of what is cut or no packet nothing is said, and nothing thrown', () => {
  const whole = octets('4500001800004000', '4011', '0000', V4_ENDS, PORTS);
  for (let length = 0; length < 24; length++) {
    expect(readPacketHeader(whole.subarray(0, length))).toBeUndefined();
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (any) => void readPacketHeader(any)));
});
