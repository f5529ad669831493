import type { IpPool, Node, WorkloadEndpoint } from '@overland/model';
import {
  comparePrefixes,
  contains,
  hostPrefix,
  isHostPrefix,
  type Prefix,
  parseInterfaceAddress,
  prefixOf,
} from '@overland/net';
import type { Report } from './diagnostics.ts';

export interface OriginInputs {
  readonly node: Node;
  readonly blocks: readonly Prefix[];
  readonly endpoints: readonly WorkloadEndpoint[];
  readonly pools: readonly IpPool[];
}

/**
 * Prefixes that this node offers: its blocks, addresses of its workloads from blocks of others (whose owner
 * would attract the traffic otherwise), and its own addresses where they are host prefixes (loopbacks).
 */
export function originatedPrefixes(inputs: OriginInputs, report: Report): Prefix[] {
  const { node, blocks, endpoints, pools } = inputs;
  const borrowed = endpoints
    .filter(({ spec }) => spec.node === node.metadata.name)
    .flatMap(({ spec }) => spec.ipNetworks)
    .filter((network) => !blocks.some((block) => contains(block, network)));
  const hidden = pools.filter(({ spec }) => spec.disableBGPExport);
  const offered = [...blocks, ...borrowed].filter((prefix) => {
    const pool = hidden.find(({ spec }) => contains(spec.cidr, prefix));
    if (pool) report(`prefix ${prefix}`, `IPPool ${pool.metadata.name} has disableBGPExport`);
    return !pool;
  });
  return [...new Set([...offered, ...loopbacks(node)])].toSorted(comparePrefixes);
}

function loopbacks({ spec }: Node): Prefix[] {
  return [spec.bgp?.ipv4Address, spec.bgp?.ipv6Address]
    .filter((text) => text !== undefined)
    .map(parseInterfaceAddress)
    .filter(({ address, length }) => isHostPrefix(prefixOf(address, length)))
    .map(({ address }) => hostPrefix(address));
}
