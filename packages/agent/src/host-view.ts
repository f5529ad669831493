import { contains, type Family, familyOf, networkAddress, prefixSize } from '@overland/net';
import type { BlockStatus } from './store-methods.ts';
import type { StoredResources } from './stored-resources.ts';

/** The addresses that this host's Node has. */
export function addressesOf(resources: StoredResources, nodeName: string): string[] {
  const node = resources.all('Node').find(({ metadata }) => metadata.name === nodeName);
  const { ipv4Address, ipv6Address } = node?.spec.bgp ?? {};
  return [ipv4Address, ipv6Address].filter((address) => address !== undefined);
}

/** This host's blocks and how full they are. */
export function blocksOf(resources: StoredResources, nodeName: string): BlockStatus[] {
  const used = ownEndpoints(resources, nodeName).flatMap(({ spec }) =>
    spec.ipNetworks.map(networkAddress),
  );
  return resources.blocks.map(({ cidr, confirmed }) => ({
    cidr,
    confirmed,
    family: familyOf(cidr),
    size: Number(prefixSize(cidr)),
    used: used.filter((address) => contains(cidr, address)).length,
  }));
}

export function ownEndpoints(resources: StoredResources, nodeName: string) {
  return resources.all('WorkloadEndpoint').filter(({ spec }) => spec.node === nodeName);
}

/** Families that have a pool. */
export function pooledFamilies(resources: StoredResources): Family[] {
  const pools = resources.all('IPPool');
  return (['ipv4', 'ipv6'] as const).filter((family) =>
    pools.some(({ spec }) => familyOf(spec.cidr) === family),
  );
}
