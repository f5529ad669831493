import type { KindTable, ResourceOf } from './kind.ts';
import { bgpConfiguration } from './kinds/bgp-configuration.ts';
import { bgpFilter } from './kinds/bgp-filter.ts';
import { bgpPeer } from './kinds/bgp-peer.ts';
import { blockAffinity } from './kinds/block-affinity.ts';
import { calicoNodeStatus } from './kinds/calico-node-status.ts';
import { clusterInformation } from './kinds/cluster-information.ts';
import { felixConfiguration } from './kinds/felix-configuration.ts';
import { globalNetworkPolicy } from './kinds/global-network-policy.ts';
import { globalNetworkSet } from './kinds/global-network-set.ts';
import { hostEndpoint } from './kinds/host-endpoint.ts';
import { ipPool } from './kinds/ip-pool.ts';
import { ipReservation } from './kinds/ip-reservation.ts';
import { ipamBlock } from './kinds/ipam-block.ts';
import { ipamConfiguration } from './kinds/ipam-configuration.ts';
import { ipamHandle } from './kinds/ipam-handle.ts';
import { kubeControllersConfiguration } from './kinds/kube-controllers-configuration.ts';
import { networkPolicy } from './kinds/network-policy.ts';
import { networkSet } from './kinds/network-set.ts';
import { node } from './kinds/node.ts';
import { profile } from './kinds/profile.ts';
import { stagedGlobalNetworkPolicy } from './kinds/staged-global-network-policy.ts';
import { stagedKubernetesNetworkPolicy } from './kinds/staged-kubernetes-network-policy.ts';
import { stagedNetworkPolicy } from './kinds/staged-network-policy.ts';
import { tier } from './kinds/tier.ts';
import { workloadEndpoint } from './kinds/workload-endpoint.ts';

/** Every kind, by name. A new kind is its own file in `kinds/` and one line here. */
export const KINDS = {
  Node: node,
  IPPool: ipPool,
  IPReservation: ipReservation,
  BGPConfiguration: bgpConfiguration,
  BGPPeer: bgpPeer,
  BGPFilter: bgpFilter,
  WorkloadEndpoint: workloadEndpoint,
  HostEndpoint: hostEndpoint,
  Tier: tier,
  NetworkPolicy: networkPolicy,
  GlobalNetworkPolicy: globalNetworkPolicy,
  StagedNetworkPolicy: stagedNetworkPolicy,
  StagedGlobalNetworkPolicy: stagedGlobalNetworkPolicy,
  StagedKubernetesNetworkPolicy: stagedKubernetesNetworkPolicy,
  NetworkSet: networkSet,
  GlobalNetworkSet: globalNetworkSet,
  Profile: profile,
  IPAMConfiguration: ipamConfiguration,
  BlockAffinity: blockAffinity,
  IPAMBlock: ipamBlock,
  IPAMHandle: ipamHandle,
  FelixConfiguration: felixConfiguration,
  KubeControllersConfiguration: kubeControllersConfiguration,
  ClusterInformation: clusterInformation,
  CalicoNodeStatus: calicoNodeStatus,
} as const;

export type Kind = keyof typeof KINDS;

/** The resource type of a kind: `ResourceOfKind<'IPPool'>` is `IpPool`. */
export type ResourceOfKind<K extends Kind> = ResourceOf<(typeof KINDS)[K]>;

/** Any resource; `kind` tells which. */
export type AnyResource = { readonly [K in Kind]: ResourceOfKind<K> }[Kind];

/** A kind table whose kind is not known at compile time. */
// biome-ignore lint/suspicious/noExplicitAny: a table's rules take its own resource; only `any` fits all
export type AnyKindTable = KindTable<Kind, any, any>;

/** The table of a kind. */
export function kindTable(kind: Kind): AnyKindTable {
  return KINDS[kind] as AnyKindTable;
}

/** Whether `name` is a kind, in exact spelling. */
export function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

/** The kind that an operator means: its name, plural or an alias, in any case. */
export function findKind(typed: string): Kind | undefined {
  const wanted = typed.toLowerCase();
  return Object.values(KINDS).find(
    ({ kind, plural, aliases }) =>
      kind.toLowerCase() === wanted || plural === wanted || aliases.includes(wanted),
  )?.kind;
}

/** The kind with this plural, as datastore keys have it. */
export function kindOfPlural(plural: string): Kind | undefined {
  return Object.values(KINDS).find((table) => table.plural === plural)?.kind;
}
