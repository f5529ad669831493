import type { Labels, Node, ResourceOfKind } from '@overland/model';
import {
  contains,
  familyOf,
  type IpAddress,
  isAddress,
  networkAddress,
  parseAddress,
  parseInterfaceAddress,
  prefixLength,
} from '@overland/net';
import type { FlowEnd } from './flow-record.ts';

/** Where the names of ends are looked up. */
interface KnownResources {
  all<K extends 'WorkloadEndpoint' | 'Node' | 'NetworkSet' | 'GlobalNetworkSet'>(
    kind: K,
  ): readonly ResourceOfKind<K>[];
}

/** Who has these addresses: workloads first, then hosts, then the narrowest network set. Those of nobody are left out. */
export function flowEnds(
  addresses: readonly IpAddress[],
  resources: KnownResources,
): Map<IpAddress, FlowEnd> {
  const wanted = new Set(addresses);
  const ends = new Map<IpAddress, FlowEnd>();
  const put = (address: IpAddress, end: FlowEnd): void => {
    if (wanted.delete(address)) ends.set(address, end);
  };
  for (const { metadata, spec } of resources.all('WorkloadEndpoint')) {
    for (const network of spec.ipNetworks) {
      const address = networkAddress(network);
      if (!wanted.has(address)) continue;
      const name = spec.pod ?? spec.workload ?? metadata.name;
      put(address, {
        kind: 'workload',
        name: `${metadata.namespace ?? 'default'}/${name}`,
        node: spec.node,
        ...withLabels(metadata.labels),
      });
    }
  }
  for (const node of resources.all('Node')) {
    for (const address of addressesOf(node)) {
      put(address, { kind: 'host', name: node.metadata.name, ...withLabels(node.metadata.labels) });
    }
  }
  const sets = [...resources.all('NetworkSet'), ...resources.all('GlobalNetworkSet')];
  for (const address of wanted) {
    const end = narrowestSet(address, sets);
    if (end) ends.set(address, end);
  }
  return ends;
}

function addressesOf({ spec }: Node): IpAddress[] {
  const { ipv4Address, ipv6Address } = spec.bgp ?? {};
  return [
    ...[ipv4Address, ipv6Address].flatMap((text) =>
      text === undefined ? [] : [parseInterfaceAddress(text).address],
    ),
    ...(spec.addresses ?? []).flatMap(({ address }) =>
      isAddress(address) ? [parseAddress(address)] : [],
    ),
  ];
}

function narrowestSet(
  address: IpAddress,
  sets: readonly ResourceOfKind<'NetworkSet' | 'GlobalNetworkSet'>[],
): FlowEnd | undefined {
  let [best, narrowest]: [FlowEnd | undefined, number] = [undefined, -1];
  for (const { metadata, spec } of sets) {
    for (const net of spec.nets ?? []) {
      if (familyOf(net) !== familyOf(address) || prefixLength(net) <= narrowest) continue;
      if (!contains(net, address)) continue;
      narrowest = prefixLength(net);
      const { namespace, name, labels } = metadata;
      best = {
        kind: 'network-set',
        name: namespace === undefined ? name : `${namespace}/${name}`,
        ...withLabels(labels),
      };
    }
  }
  return best;
}

function withLabels(labels: Labels | undefined): Pick<FlowEnd, 'labels'> {
  return labels && Object.keys(labels).length > 0 ? { labels } : {};
}
