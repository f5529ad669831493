import { type AddressHolder, hostAddressesOf } from '@overland/felix';
import { type Labels, type Node, parseWorkloadEndpointName } from '@overland/model';
import { type IpAddress, networkAddress } from '@overland/net';
import type { FlowEnd } from './flow-record.ts';

/** Who has these addresses: endpoints and network sets as they were found, hosts besides. Those of nobody are left out. */
export function flowEnds(
  addresses: ReadonlySet<IpAddress>,
  holders: ReadonlyMap<IpAddress, AddressHolder>,
  nodes: readonly Node[],
): Map<IpAddress, FlowEnd> {
  const ends = new Map<IpAddress, FlowEnd>();
  for (const [address, holder] of holders) ends.set(address, endOf(holder));
  for (const node of nodes) {
    const { name, labels } = node.metadata;
    for (const address of hostAddressesOf(node).map(networkAddress)) {
      // A network set that holds hosts says less of one than its name.
      const isKnown = ends.get(address)?.kind === 'workload';
      if (addresses.has(address) && !isKnown) {
        ends.set(address, { kind: 'host', name, ...withLabels(labels) });
      }
    }
  }
  return ends;
}

function endOf({ key, labels }: AddressHolder): FlowEnd {
  const [kind = '', name = ''] = key.split(' ');
  if (kind === 'WorkloadEndpoint') {
    return { kind: 'workload', ...workloadOf(name), ...withLabels(labels) };
  }
  const isHost = kind === 'HostEndpoint';
  return { kind: isHost ? 'host' : 'network-set', name, ...withLabels(labels) };
}

/** @param name `NAMESPACE/NAME` of an endpoint. @returns Of its parts, what people call it. */
function workloadOf(name: string): Pick<FlowEnd, 'name' | 'node'> {
  const [namespace = '', own = ''] = name.split('/');
  try {
    const { node, pod, containerID, workload, endpoint } = parseWorkloadEndpointName(own);
    return { name: `${namespace}/${pod ?? workload ?? containerID ?? endpoint}`, node };
  } catch {
    // Made by something that has names of its own.
    return { name };
  }
}

function withLabels(labels: Labels | undefined): Pick<FlowEnd, 'labels'> {
  return labels && Object.keys(labels).length > 0 ? { labels } : {};
}
