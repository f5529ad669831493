import type { Node } from '@overland/model';
import { type IpAddress, isAddress, networkAddress, parseAddress } from '@overland/net';
import { hostAddressesOf } from '../outgoing-nat.ts';
import type { PolicyEndpoint } from './endpoint.ts';

/** One end of a flow: a workload, a host, or an address of nobody that we know. */
export type FlowPlace =
  | {
      readonly kind: 'workload';
      readonly name: string;
      readonly addresses: readonly IpAddress[];
      readonly endpoint: PolicyEndpoint;
    }
  | {
      readonly kind: 'host';
      readonly name: string;
      readonly addresses: readonly IpAddress[];
      /** The host endpoints of the node. */
      readonly endpoints: readonly PolicyEndpoint[];
    }
  | { readonly kind: 'address'; readonly name: string; readonly addresses: readonly IpAddress[] };

/** No such end, or several. */
export class PlaceError extends Error {
  override readonly name = 'PlaceError';
}

/**
 * Finds an end by what a person calls it: an address, `NAMESPACE/NAME` or `NAME` of an endpoint, workload or pod, or a node.
 *
 * @throws {PlaceError}
 */
export function findPlace(
  text: string,
  endpoints: readonly PolicyEndpoint[],
  nodes: readonly Node[],
): FlowPlace {
  const workloads = endpoints.filter(({ kind }) => kind === 'workload');
  const hosts = nodes.map((node) => hostPlace(node, endpoints));
  if (isAddress(text)) {
    const address = parseAddress(text);
    const [workload] = workloads.filter(({ addresses }) => addresses.includes(address));
    if (workload) return { ...workloadPlace(workload), addresses: [address] };
    const host = hosts.find(({ addresses }) => addresses.includes(address));
    if (host) return { ...host, addresses: [address] };
    return { kind: 'address', name: address, addresses: [address] };
  }
  const named = workloads.filter(({ name, aliases }) =>
    [name, ...aliases].some((full) => full === text || full.endsWith(`/${text}`)),
  );
  const places = [...named.map(workloadPlace), ...hosts.filter(({ name }) => name === text)];
  const [only, ...others] = places;
  if (!only) {
    throw new PlaceError(`${text} is no address, and no endpoint, workload or node has that name`);
  }
  if (others.length > 0) {
    const names = places.map(({ kind, name }) => `${kind} ${name}`);
    throw new PlaceError(`${text} is ${names.length} of them: ${names.slice(0, 5).join(', ')}`);
  }
  return only;
}

function workloadPlace(endpoint: PolicyEndpoint): FlowPlace {
  const { name, aliases, addresses } = endpoint;
  return { kind: 'workload', name: aliases[0] ?? name, addresses, endpoint };
}

function hostPlace(node: Node, endpoints: readonly PolicyEndpoint[]) {
  const { name } = node.metadata;
  const own = endpoints.filter((endpoint) => endpoint.kind === 'host' && endpoint.node === name);
  const addresses = [
    ...hostAddressesOf(node).map(networkAddress),
    ...own.flatMap((endpoint) => endpoint.addresses),
  ];
  return { kind: 'host', name, addresses: [...new Set(addresses)], endpoints: own } as const;
}
