import { type NextHopObject, PROTOCOL } from '@overland/linux';
import { type NextHop, parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { NextHopTable } from './next-hop-table.ts';

const via = (address: string, device: string): NextHop => ({
  address: parseAddress(address),
  device,
});
const A = via('10.1.0.1', 'eth1');
const B = via('10.2.0.1', 'eth2');
const path = (id: number, nextHop: NextHop): NextHopObject => ({
  id,
  protocol: PROTOCOL.bgp,
  content: { type: 'path', family: 'ipv4', nextHop },
});

test('one next hop is a path, several are a group of paths, members first', () => {
  const table = new NextHopTable([]);
  expect(table.objectFor('ipv4', [A])).toEqual({ id: 86_000, missing: [path(86_000, A)] });
  expect(table.objectFor('ipv4', [B, A])).toEqual({
    id: 86_002,
    missing: [
      path(86_001, B),
      {
        id: 86_002,
        protocol: PROTOCOL.bgp,
        content: { type: 'group', members: [86_000, 86_001] },
      },
    ],
  });
  expect(table.objectFor('ipv4', [A, B])).toEqual({ id: 86_002, missing: [] });
});

test('sets that differ in their shares are different groups, and found again', () => {
  const table = new NextHopTable([]);
  const [wide, narrow] = [{ ...A, weight: 3 }, B];
  expect(table.objectFor('ipv4', [wide, narrow]).missing.at(-1)).toEqual({
    id: 86_002,
    protocol: PROTOCOL.bgp,
    content: { type: 'group', members: [86_000, 86_001], weights: [3, 1] },
  });
  expect(table.objectFor('ipv4', [A, B]).id).toBe(86_003);
  expect(table.objectFor('ipv4', [narrow, wide])).toEqual({ id: 86_002, missing: [] });
  expect(table.unused(new Set([86_002]))).toEqual([86_003]);
});

test('what the kernel has already is used, under its number', () => {
  const group: NextHopObject = {
    id: 7,
    protocol: PROTOCOL.bgp,
    content: { type: 'group', members: [6, 5] },
  };
  const table = new NextHopTable([path(5, A), path(6, B), group]);
  expect(table.objectFor('ipv4', [A, B])).toEqual({ id: 7, missing: [] });
});

test('an IPv4 route leaves through an IPv6 gateway: the object has the family of the gateway', () => {
  const table = new NextHopTable([]);
  const C = via('fe80::1', 'eth3');
  const ipv6Path = { type: 'path', family: 'ipv6', nextHop: C } as const;
  const object: NextHopObject = { id: 86_000, protocol: PROTOCOL.bgp, content: ipv6Path };
  expect(table.objectFor('ipv4', [C])).toEqual({ id: 86_000, missing: [object] });
  expect(table.objectFor('ipv6', [C])).toEqual({ id: 86_000, missing: [] });
});

test('a number that somebody else has is left alone', () => {
  const foreign: NextHopObject = { ...path(86_000, A), protocol: 196 };
  expect(new NextHopTable([foreign]).objectFor('ipv4', [A]).id).toBe(86_001);
});

test('what no route uses is garbage: groups before members, and members of used groups stay', () => {
  const table = new NextHopTable([]);
  const both = table.objectFor('ipv4', [A, B]).id;
  const other = table.objectFor('ipv4', [A, via('10.3.0.1', 'eth3')]).id;
  expect(table.unused(new Set([both, other]))).toEqual([]);
  expect(table.unused(new Set([both]))).toEqual([other, other - 1]);
});

test('a forgotten object is written anew', () => {
  const table = new NextHopTable([path(5, A)]);
  table.forget([5]);
  expect(table.objectFor('ipv4', [A]).missing).toHaveLength(1);
});
