import {
  type AnyResource,
  completeResource,
  type FelixConfiguration,
  type IpPool,
  type Node,
  parseManifest,
} from '@overland/model';
import { expect, test } from 'vitest';
import { hostAddressesOf, outgoingNatOf } from './outgoing-nat.ts';

function resource(kind: string, name: string, spec: object): AnyResource {
  const metadata = { name };
  const manifest = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  return completeResource(parseManifest(manifest));
}

const pool = (name: string, cidr: string, natOutgoing: boolean) =>
  resource('IPPool', name, { cidr, natOutgoing });
const NODES = [
  resource('Node', 'h1', { bgp: { ipv4Address: '192.0.2.1/24' } }),
  resource('Node', 'h2', { bgp: { ipv4Address: '10.65.0.7/24', ipv6Address: 'fd00::2/64' } }),
] as unknown as readonly Node[];

function natOf(pools: readonly AnyResource[], felix: object = {}) {
  const configuration = resource('FelixConfiguration', 'default', felix) as FelixConfiguration;
  const hosts = NODES.map(hostAddressesOf);
  return outgoingNatOf(pools as unknown as readonly IpPool[], hosts, configuration.spec);
}

test('where no pool wants it there is none', () => {
  expect(natOf([pool('a', '10.65.0.0/16', false)])).toBeUndefined();
});

test('all pools are exempt, and hosts outside them if so configured', () => {
  const pools = [pool('a', '10.65.0.0/16', true), pool('b', '10.66.0.0/16', false)];
  expect(natOf(pools)).toMatchObject({
    sources: ['10.65.0.0/16'],
    exempt: ['10.65.0.0/16', '10.66.0.0/16'],
  });
  expect(natOf(pools, { natOutgoingExclusions: 'IPPoolsAndHostIPs' })?.exempt).toEqual([
    '10.65.0.0/16',
    '10.66.0.0/16',
    '192.0.2.1/32',
    'fd00::2/128',
  ]);
});

test('ports are one or a range, and + at the end of an interface is any end', () => {
  const pools = [pool('a', '10.65.0.0/16', true)];
  const given = { natPortRange: '1024:2048', iptablesNATOutgoingInterfaceFilter: 'eth+' };
  expect(natOf(pools, given)).toMatchObject({
    ports: { first: 1024, last: 2048 },
    interfaces: 'eth*',
  });
  expect(natOf(pools, { natPortRange: 1024 })?.ports).toEqual({ first: 1024, last: 1024 });
});
