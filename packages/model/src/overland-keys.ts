import type { Kind } from './kinds.ts';
import { kindTable } from './kinds.ts';
import type { ResourceName } from './resource.ts';

/** Everything of ours that Calico has no place for. Nothing of Calico reads or removes it. */
const OVERLAND = '/overland/v1/';

/** The extension fields of all objects of a kind. */
export function extensionPrefix(kind: Kind): string {
  return `${OVERLAND}extensions/${kindTable(kind).plural}/`;
}

/** The extension fields of one object: `/overland/v1/extensions/bgppeers/leaf11`. */
export function extensionKey(kind: Kind, { name, namespace }: ResourceName): string {
  return `${extensionPrefix(kind)}${namespace ? `${namespace}/` : ''}${name}`;
}

/** Which fields of the objects of a kind were set by `apply`. */
export function appliedPrefix(kind: Kind): string {
  return `${OVERLAND}applied/${kindTable(kind).plural}/`;
}

/** Those of one object: `/overland/v1/applied/bgppeers/leaf11`. */
export function appliedKey(kind: Kind, { name, namespace }: ResourceName): string {
  return `${appliedPrefix(kind)}${namespace ? `${namespace}/` : ''}${name}`;
}

/** Written with each policy that is put into the tier, so that it is not removed meanwhile. */
export function tierGuardKey(tier: string): string {
  return `${creationGuardKey('Tier')}/${tier}`;
}

/** Written with each object of the kind that is created, so that only one at a time is. */
export function creationGuardKey(kind: Kind): string {
  return `${OVERLAND}created/${kindTable(kind).plural}`;
}

/** Keys that live as long as an agent runs, under its lease. */
export const AGENT_PREFIX = `${OVERLAND}agents/`;

/** Present while the agent of `node` runs. */
export function agentKey(node: string): string {
  return AGENT_PREFIX + node;
}

/** The inverse of {@link agentKey}; `undefined` for other keys. */
export function parseAgentKey(key: string): string | undefined {
  const node = key.startsWith(AGENT_PREFIX) ? key.slice(AGENT_PREFIX.length) : '';
  return node === '' || node.includes('/') ? undefined : node;
}

/** Which agent compacts etcd: present under the lease of the one that does. */
export const COMPACTION_LEADER_KEY = `${OVERLAND}leaders/compaction`;

/** Which agent collects the garbage of address management: present under the lease of the one that does. */
export const COLLECTION_LEADER_KEY = `${OVERLAND}leaders/ipam-collection`;

/** Begins the IPAM handles of a node's workloads; how garbage collection tells them from Calico's. */
export function workloadHandlePrefix(node: string): string {
  return `overland.${node}.`;
}

/** Claims of node names. */
export const HOST_CLAIM_PREFIX = `${OVERLAND}hosts/`;

/** Which host has the name `node`: JSON with the host's UUID. Outlives the agent. */
export function hostClaimKey(node: string): string {
  return HOST_CLAIM_PREFIX + node;
}

/** What stands at {@link hostClaimKey}. */
export interface HostClaim {
  /** Made once per host and kept there. */
  readonly uuid: string;
  /** For people: where that host can be found. */
  readonly hostname: string;
}
