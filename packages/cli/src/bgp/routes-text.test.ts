import type { RouteView } from '@overland/bgp';
import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { routeMember } from './routes-json.ts';
import { RoutesText } from './routes-text.ts';

const path: RouteView['paths'][number] = {
  peer: 'spine1',
  pathId: null,
  best: true,
  multipath: true,
  internal: false,
  stale: false,
  usable: true,
  refused: null,
  nextHop: parseAddress('10.1.0.1'),
  asPath: [65000, 65012],
  origin: 'igp',
  med: null,
  localPref: null,
  rpki: null,
  communities: [],
  originatorId: null,
  clusterList: [],
};
const own = { ...path, peer: null, nextHop: null, asPath: [], multipath: false };
const second = { ...path, peer: 'spine2', best: false, nextHop: parseAddress('10.1.0.3') };
const stale = {
  ...second,
  internal: true,
  multipath: false,
  stale: true,
  med: 5,
  localPref: 200,
  communities: ['65000:1'],
};
const refused = { ...second, multipath: false, usable: false, refused: 'as-path-loop' };

const routes: RouteView[] = [
  { prefix: parsePrefix('10.65.0.0/26'), paths: [own] },
  { prefix: parsePrefix('10.65.0.64/26'), paths: [path, second, stale, refused] },
];

test('what the origins are is a column where anything is known of them', () => {
  const text = new RoutesText(coloursFor({}, {}), false);
  const paths = [
    { ...path, rpki: 'valid' as const },
    { ...second, rpki: 'not-found' as const },
  ];
  expect(
    text.page([{ prefix: parsePrefix('10.65.0.0/26'), paths }, routes[0] as RouteView]),
  ).toBe(`\
Status codes: * valid, > best, = multipath, i internal, S stale, R refused
Origin codes: i - IGP, e - EGP, ? - incomplete
RPKI validation codes: V valid, I invalid, N not found

         Network       Next Hop  From    Metric  LocPrf  Path
 *>   V  10.65.0.0/26  10.1.0.1  spine1                  65000 65012 i
 *=   N                10.1.0.3  spine2                  65000 65012 i
 *>      10.65.0.0/26  self      self                    i
`);
});

test("prints FRR's columns and flags, a prefix once", () => {
  const text = new RoutesText(coloursFor({}, {}), false);
  expect(text.page(routes) + text.page([]) + text.end()).toBe(`\
Status codes: * valid, > best, = multipath, i internal, S stale, R refused
Origin codes: i - IGP, e - EGP, ? - incomplete

      Network        Next Hop  From    Metric  LocPrf  Path
 *>   10.65.0.0/26   self      self                    i
 *>   10.65.0.64/26  10.1.0.1  spine1                  65000 65012 i
 *=                  10.1.0.3  spine2                  65000 65012 i
S* i                 10.1.0.3  spine2       5     200  65000 65012 i
R                    10.1.0.3  spine2                  65000 65012 i

Displayed 2 routes and 5 total paths
`);
});

test('says why a path is refused when asked for', () => {
  const text = new RoutesText(coloursFor({}, {}), true);
  expect(text.page(routes)).toMatch(/R .* as-path-loop\n/);
});

test('nothing is said in words', () => {
  const text = new RoutesText(coloursFor({}, {}), false);
  expect(text.page([]) + text.end()).toBe('no routes\n');
});

test("JSON has FRR's keys", () => {
  const json = JSON.parse(`{${routes.map(routeMember).join(',')}}`);
  expect(json['10.65.0.64/26'][0]).toEqual({
    valid: true,
    bestpath: true,
    multipath: true,
    pathFrom: 'external',
    prefix: '10.65.0.64',
    prefixLen: 26,
    network: '10.65.0.64/26',
    peerName: 'spine1',
    path: '65000 65012',
    origin: 'IGP',
    nexthops: [{ ip: '10.1.0.1', afi: 'ipv4', used: true }],
  });
  expect(json['10.65.0.64/26'][2]).toMatchObject({ metric: 5, communities: ['65000:1'] });
  expect(json['10.65.0.64/26'][3]).toMatchObject({ refused: 'as-path-loop', peerName: 'spine2' });
});

test('path identifiers stand behind the peer (RFC 7911)', () => {
  const paths = [
    { ...path, pathId: 0 },
    { ...second, pathId: 7 },
  ];
  const several = { prefix: parsePrefix('10.65.0.64/26'), paths };
  const text = new RoutesText(coloursFor({}, {}), false).page([several]);
  expect(text).toMatch(/spine1 #0 .*\n.*spine2 #7 /);
  expect(routeMember(several)).toMatch(/"addpathRxId":0.*"addpathRxId":7/);
});
