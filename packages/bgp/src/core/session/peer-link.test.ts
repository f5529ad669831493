import { parseAddress, parseInterfaceAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { peerLink } from './peer-link.ts';

const PEER = parseAddress('10.1.0.1');
const eth1 = (usable: boolean, ...addresses: string[]) => ({
  name: 'eth1',
  usable,
  addresses: addresses.map(parseInterfaceAddress),
});

test('the link is the one with an address of the same subnet', () => {
  const lo = { name: 'lo', usable: true, addresses: [parseInterfaceAddress('10.0.0.1/32')] };
  expect(peerLink([lo, eth1(true, '10.1.0.0/31')], { address: PEER }, undefined)).toEqual({
    device: 'eth1',
    usable: true,
  });
});

test('a link without carrier is unusable', () => {
  expect(peerLink([eth1(false, '10.1.0.0/31')], { address: PEER }, undefined)?.usable).toBe(false);
});

test('a link that lost its address, or vanished, is unusable', () => {
  const known = { device: 'eth1', usable: true };
  expect(peerLink([eth1(true)], { address: PEER }, known)).toEqual({
    device: 'eth1',
    usable: false,
  });
  expect(peerLink([], { address: PEER }, known)).toEqual({ device: 'eth1', usable: false });
});

test('a peer several hops away has no link', () => {
  expect(peerLink([eth1(false, '10.2.0.0/31')], { address: PEER }, undefined)).toBeUndefined();
});

test('a peer with an interface is on that one, whatever addresses others have', () => {
  const peer = { address: parseAddress('fe80::2'), interface: 'eth1' };
  const eth0 = { ...eth1(true, 'fe80::1/64'), name: 'eth0' };
  expect(peerLink([eth0, eth1(true)], peer, undefined)).toEqual({ device: 'eth1', usable: true });
  expect(peerLink([eth0, eth1(false)], peer, undefined)).toEqual({ device: 'eth1', usable: false });
  expect(peerLink([eth0], peer, undefined)).toEqual({ device: 'eth1', usable: false });
});
