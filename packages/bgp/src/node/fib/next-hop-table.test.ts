import { type NextHopObject, PROTOCOL } from '@overland/linux';
import { type NextHop, parseAddress, type WeightedNextHop } from '@overland/net';
import { expect, test } from 'vitest';
import { NOTHING } from './fib-table.ts';
import { NextHopTable, type PathSet, PENDING } from './next-hop-table.ts';

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

const group = (id: number, ...members: number[]): NextHopObject => ({
  id,
  protocol: PROTOCOL.bgp,
  content: { type: 'group', members },
});
const set = (...nextHops: WeightedNextHop[]): PathSet => ({ family: 'ipv4', nextHops });

/** A table with the objects of the kernel, and the devices that are down. */
function tableOf(...objects: NextHopObject[]) {
  const down = new Set<string>();
  const table = new NextHopTable((device) => !down.has(device));
  table.readBack(objects);
  return {
    table,
    down,
    /** What is written for a set: the kernel takes it. */
    provide(wanted: PathSet): NextHopObject[] {
      const paths = table.missingPaths([wanted]);
      for (const object of paths) table.wrote(object);
      const groups = table.missingGroups([wanted]);
      for (const object of groups) table.wrote(object);
      return [...paths, ...groups];
    },
  };
}

test('one next hop is a path, several are a group of paths, members first', () => {
  const { table, provide } = tableOf();
  expect(table.target(set(A))).toBe(PENDING);
  expect(provide(set(A))).toEqual([path(86_000, A)]);
  expect(table.target(set(A))).toBe(86_000);
  expect(provide(set(B, A))).toEqual([path(86_001, B), group(86_002, 86_000, 86_001)]);
  expect(provide(set(A, B))).toEqual([]);
  expect(table.target(set(A, B))).toBe(86_002);
});

test('sets that differ in their shares are different groups, and found again', () => {
  const { table, provide } = tableOf();
  const [wide, narrow] = [{ ...A, weight: 3 }, B];
  expect(provide(set(wide, narrow)).at(-1)).toEqual({
    id: 86_002,
    protocol: PROTOCOL.bgp,
    content: { type: 'group', members: [86_000, 86_001], weights: [3, 1] },
  });
  provide(set(A, B));
  expect(table.target(set(A, B))).toBe(86_003);
  expect(provide(set(narrow, wide))).toEqual([]);
  expect(table.unused(new Set([86_002]))).toEqual([86_003]);
});

test('what the kernel has already is used, under its number, by one set', () => {
  const { table, down, provide } = tableOf(path(5, A), path(6, B), group(7, 6, 5));
  expect(provide(set(A, B))).toEqual([]);
  expect(table.target(set(A, B))).toBe(7);
  const C = via('10.3.0.1', 'eth3');
  down.add('eth3');
  expect(provide(set(A, B, C))).toEqual([group(86_000, 5, 6)]);
});

test('a group keeps its number while a link of it is down', () => {
  const { table, down, provide } = tableOf();
  provide(set(A, B));
  down.add('eth1');
  // As the kernel does it.
  expect(table.readBack([path(86_001, B), group(86_002, 86_001)])).toEqual(new Set([86_000]));
  expect(provide(set(A, B))).toEqual([]);
  expect(table.target(set(A, B))).toBe(86_002);
  expect(table.target(set(A))).toBe(NOTHING);
  down.clear();
  expect(provide(set(A, B))).toEqual([path(86_000, A), group(86_002, 86_000, 86_001)]);
});

test('a group goes without a next hop that the kernel refuses', () => {
  const { table } = tableOf();
  const [, b] = table.missingPaths([set(A, B)]);
  if (b) table.wrote(b);
  expect(table.missingGroups([set(A, B)])).toEqual([group(86_002, 86_001)]);
  expect(table.target(set(A, B))).toBe(PENDING);
  expect(table.target(set(A))).toBe(PENDING);
});

test('an IPv4 route leaves through an IPv6 gateway: the object has the family of the gateway', () => {
  const { provide } = tableOf();
  const C = via('fe80::1', 'eth3');
  const ipv6Path = { type: 'path', family: 'ipv6', nextHop: C } as const;
  expect(provide(set(C))).toEqual([{ id: 86_000, protocol: PROTOCOL.bgp, content: ipv6Path }]);
  expect(provide({ family: 'ipv6', nextHops: [C] })).toEqual([]);
});

test('a number that somebody else has, or takes, is left alone', () => {
  const foreign: NextHopObject = { ...path(86_000, A), protocol: 196 };
  const { table, provide } = tableOf(foreign);
  provide(set(A));
  expect(table.target(set(A))).toBe(86_001);
  table.readBack([foreign, { ...foreign, id: 86_001 }]);
  expect(provide(set(A))).toEqual([path(86_002, A)]);
});

test('what no route uses is garbage: groups before members, and members of used groups stay', () => {
  const { table, provide } = tableOf();
  const other = set(A, via('10.3.0.1', 'eth3'));
  provide(set(A, B));
  provide(other);
  const both = table.target(set(A, B));
  expect(table.unused(new Set([both, table.target(other)]))).toEqual([]);
  expect(table.unused(new Set([both]))).toEqual([86_004, 86_003]);
});

test('a removed object is written anew', () => {
  const { table, provide } = tableOf(path(5, A));
  provide(set(A));
  table.removed(5);
  expect(provide(set(A))).toEqual([path(86_000, A)]);
});
