import {
  endpointLabels,
  type HostEndpoint,
  type Labels,
  type ProfileLabels,
  protocolNumber,
  type WorkloadEndpoint,
} from '@overland/model';
import { hostPrefix, type IpAddress, networkAddress } from '@overland/net';
import { type WorkloadGuard, workloadGuardOf } from '../workload-guard.ts';
import type { Labelled } from './address-sets.ts';

/** An endpoint as policies see it. */
export interface PolicyEndpoint extends Labelled {
  readonly kind: 'workload' | 'host';
  /** `NAMESPACE/NAME` of a workload endpoint, the name of a host endpoint. */
  readonly name: string;
  /** Other names that people have for it: of the pod, or of the workload. */
  readonly aliases: readonly string[];
  readonly node: string;
  readonly interfaceName: string | undefined;
  readonly labels: Labels;
  readonly addresses: readonly IpAddress[];
  /** In order. */
  readonly profiles: readonly string[];
  /** Of a workload only. */
  readonly guard?: WorkloadGuard | undefined;
}

export function workloadEndpointOf(
  endpoint: WorkloadEndpoint,
  profileLabels: ProfileLabels,
): PolicyEndpoint {
  const { metadata, spec } = endpoint;
  const namespace = metadata.namespace ?? 'default';
  const aliases = [spec.pod, spec.workload].filter((name) => name !== undefined);
  return {
    kind: 'workload',
    name: `${namespace}/${metadata.name}`,
    aliases: aliases.map((name) => `${namespace}/${name}`),
    node: spec.node,
    interfaceName: spec.interfaceName,
    labels: endpointLabels(endpoint, profileLabels),
    addresses: spec.ipNetworks.map(networkAddress),
    nets: spec.ipNetworks,
    ports: (spec.ports ?? []).flatMap(({ name, protocol, port }) =>
      name ? [{ name, protocol: protocolNumber(protocol), port }] : [],
    ),
    profiles: spec.profiles ?? [],
    guard: workloadGuardOf(endpoint),
  };
}

export function hostEndpointOf(
  endpoint: HostEndpoint,
  profileLabels: ProfileLabels,
): PolicyEndpoint {
  const { metadata, spec } = endpoint;
  const addresses = spec.expectedIPs ?? [];
  return {
    kind: 'host',
    name: metadata.name,
    aliases: [],
    node: spec.node,
    interfaceName: spec.interfaceName,
    labels: endpointLabels(endpoint, profileLabels),
    addresses,
    nets: addresses.map(hostPrefix),
    ports: (spec.ports ?? []).map(({ name, protocol, port }) => ({
      name,
      protocol: protocolNumber(protocol),
      port,
    })),
    profiles: spec.profiles ?? [],
  };
}
