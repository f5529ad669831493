import { parseAddress } from '@overland/net';
import { describe, expect, test } from 'vitest';
import {
  type BmpPeer,
  encodeInitiation,
  encodePeerDown,
  encodePeerUp,
  encodeRouteMonitoring,
  encodeStatistics,
  encodeTermination,
} from './bmp-message.ts';

const hexOf = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');

const hex = (text: string): string => text.replaceAll(/\s/g, '');

const IPV4: BmpPeer = {
  rib: 'pre-policy',
  address: parseAddress('10.0.0.1'),
  asn: 65_551,
  routerId: parseAddress('192.0.2.1'),
  timeMs: 1_700_000_000_250,
};
const IPV6: BmpPeer = { ...IPV4, rib: 'post-policy', address: parseAddress('2001:db8::1') };

// Written by hand after RFC 7854 section 4.2: type, flags, distinguisher, address, AS, BGP ID, seconds, microseconds.
const TIME = '6553f100 0003d090';
const HEADER4 = `00 00 ${'00'.repeat(8)} ${'00'.repeat(12)} 0a000001 0001000f c0000201 ${TIME}`;
const HEADER6 = `00 c0 ${'00'.repeat(8)} 20010db8${'00'.repeat(11)}01 0001000f c0000201 ${TIME}`;
const LOC_RIB = `03 00 ${'00'.repeat(8)} ${'00'.repeat(16)} 0001000f c0000201 ${TIME}`;

test('Initiation: what we are and what we are called', () => {
  expect(hexOf(encodeInitiation('r1', 'us'))).toBe(
    hex('03 00000012 04  0001 0002 7573  0002 0002 7231'),
  );
});

test('Termination: a text, and the reason by number', () => {
  expect(hexOf(encodeTermination(0, 'bye'))).toBe(
    hex('03 00000013 05  0000 0003 627965  0001 0002 0000'),
  );
});

test('what stands before an UPDATE counts it in its length', () => {
  expect(hexOf(encodeRouteMonitoring(IPV6, 0x17))).toBe(hex(`03 00000047 00 ${HEADER6}`));
});

test('Peer Up: our address, both ports, both OPENs', () => {
  const up = {
    localAddress: parseAddress('10.0.0.9'),
    localPort: 179,
    remotePort: 40_000,
    openSent: Uint8Array.of(1, 2),
    openReceived: Uint8Array.of(3),
  };
  expect(hexOf(encodePeerUp(IPV4, up))).toBe(
    hex(`03 00000047 03 ${HEADER4} ${'00'.repeat(12)} 0a000009 00b3 9c40 0102 03`),
  );
});

test('Peer Up of the Loc-RIB has no addresses (RFC 9069)', () => {
  const none = { localAddress: parseAddress('0.0.0.0'), localPort: 0, remotePort: 0 };
  const open = { openSent: Uint8Array.of(7), openReceived: Uint8Array.of(7) };
  expect(hexOf(encodePeerUp({ ...IPV4, rib: 'loc-rib' }, { ...none, ...open }))).toBe(
    hex(`03 00000046 03 ${LOC_RIB} ${'00'.repeat(20)} 07 07`),
  );
});

describe('Peer Down says who, and what', () => {
  const notification = Uint8Array.of(0xff);
  test.each([
    [{ by: 'us', notification }, '01 ff'],
    [{ by: 'us', fsmEvent: 2 }, '02 0002'],
    [{ by: 'peer', notification }, '03 ff'],
    [{ by: 'peer' }, '04'],
    [{ by: 'configuration' }, '05'],
  ] as const)('%j', (down, reason) => {
    const length = (48 + hex(reason).length / 2).toString(16).padStart(8, '0');
    expect(hexOf(encodePeerDown(IPV4, down))).toBe(hex(`03 ${length} 02 ${HEADER4} ${reason}`));
  });
});

test('statistics: counters of 32 bits, gauges of 64, with a family where they are about one', () => {
  const octets = encodeStatistics(IPV4, [
    { type: 0, value: 5, octets: 4 },
    { type: 7, value: 2 ** 33 + 1, octets: 8 },
    { type: 9, value: 3, octets: 8, afi: 2 },
  ]);
  expect(hexOf(octets)).toBe(
    hex(`03 00000057 01 ${HEADER4} 00000003
      0000 0004 00000005  0007 0008 00000002 00000001  0009 000b 0002 01 00000000 00000003`),
  );
});
