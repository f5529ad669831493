import {
  type GlobalNetworkSet,
  type Labels,
  type NetworkSet,
  namespaceProfileName,
  networkSetLabels,
} from '@overland/model';
import type { Prefix } from '@overland/net';
import type { NamedPort } from '../policy/address-sets.ts';
import type { PolicyEndpoint } from '../policy/endpoint.ts';

/** Something that sets can hold: an endpoint of any host, or a network set. */
export interface SetSource {
  /** Without inherited ones. */
  readonly labels: Labels;
  /** Profiles that it inherits labels from, strongest first. */
  readonly parents: readonly string[];
  readonly nets: readonly Prefix[];
  readonly ports: readonly NamedPort[];
}

/** Inherited labels are the matchers' matter. */
export function noLabels(): undefined {
  return undefined;
}

/** @param endpoint With its own labels. */
export function endpointSource({ labels, profiles, nets, ports }: PolicyEndpoint): SetSource {
  return { labels, parents: profiles, nets, ports };
}

export function networkSetSource(
  set: NetworkSet | GlobalNetworkSet | undefined,
): SetSource | undefined {
  if (!set) return undefined;
  const { namespace } = set.metadata;
  return {
    labels: networkSetLabels(set, noLabels),
    parents: set.kind === 'NetworkSet' && namespace ? [namespaceProfileName(namespace)] : [],
    nets: set.spec.nets ?? [],
    ports: [],
  };
}
