import {
  type AnyResource,
  API_VERSION,
  type BgpConfiguration,
  type BgpFilter,
  type BgpPeer,
  completeResource,
  type IpPool,
  type Kind,
  type Node,
  readResource,
  type WorkloadEndpoint,
} from '@overland/model';
import { parsePrefix } from '@overland/net';
import type { FabricInputs } from '../src/index.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A resource as it is read from the datastore: whoever wrote it may know other rules. */
function resource(kind: Kind, metadata: Fields, spec: Fields): unknown {
  const stored = { apiVersion: API_VERSION, kind, metadata, spec };
  return completeResource(readResource(kind, stored) as AnyResource);
}

export const node = (name: string, bgp: Fields, labels: Fields = {}): Node =>
  resource('Node', { name, labels }, { bgp }) as Node;
export const peer = (name: string, spec: Fields): BgpPeer =>
  resource('BGPPeer', { name }, spec) as BgpPeer;
export const filter = (name: string, spec: Fields): BgpFilter =>
  resource('BGPFilter', { name }, spec) as BgpFilter;
export const pool = (name: string, spec: Fields): IpPool =>
  resource('IPPool', { name }, spec) as IpPool;
export const bgp = (spec: Fields, name = 'default'): BgpConfiguration =>
  resource('BGPConfiguration', { name }, spec) as BgpConfiguration;
export const endpoint = (nodeName: string, ...ipNetworks: string[]): WorkloadEndpoint =>
  resource(
    'WorkloadEndpoint',
    { name: `${nodeName}-cni-c1-eth0` },
    { orchestrator: 'cni', node: nodeName, containerID: 'c1', endpoint: 'eth0', ipNetworks },
  ) as WorkloadEndpoint;

/** One dual-homed host of the lab, as it is before anything is added. */
export function inputs(
  changes: Partial<Omit<FabricInputs, 'blocks' | 'lent'>> & {
    blocks?: readonly string[];
    lent?: readonly string[];
  } = {},
): FabricInputs {
  return {
    nodeName: 'host11',
    nodes: [
      node('host11', { asNumber: 65101, ipv4Address: '10.0.0.11/32', ipv6Address: 'fd00::11/128' }),
    ],
    bgpConfigurations: [bgp({ nodeToNodeMeshEnabled: false })],
    bgpPeers: [],
    bgpFilters: [],
    pools: [pool('ipv4', { cidr: '10.65.0.0/16' }), pool('ipv6', { cidr: 'fd00:65::/48' })],
    endpoints: [],
    strictAffinity: false,
    secretsDirectory: '/secrets',
    ...changes,
    blocks: (changes.blocks ?? []).map(parsePrefix),
    lent: (changes.lent ?? []).map(parsePrefix),
  };
}
