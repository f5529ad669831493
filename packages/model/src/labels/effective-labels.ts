import type { GlobalNetworkSet } from '../kinds/global-network-set.ts';
import type { HostEndpoint } from '../kinds/host-endpoint.ts';
import type { NetworkSet } from '../kinds/network-set.ts';
import type { WorkloadEndpoint } from '../kinds/workload-endpoint.ts';
import type { Labels } from '../selector/expression.ts';
import {
  NAME_LABEL,
  NAMESPACE_LABEL,
  NAMESPACE_PREFIX,
  ORCHESTRATOR_LABEL,
  SERVICE_ACCOUNT_LABEL,
  SERVICE_ACCOUNT_PREFIX,
} from './label-names.ts';

/** The `labelsToApply` of a profile, by its name; `undefined` if there is no such profile. */
export type ProfileLabels = (profile: string) => Labels | undefined;

/** The profile that carries the labels of a namespace to its workloads. */
export function namespaceProfileName(namespace: string): string {
  return `kns.${namespace}`;
}

/** The profile that carries the labels of a service account to its workloads. */
export function serviceAccountProfileName(namespace: string, account: string): string {
  return `ksa.${namespace}.${account}`;
}

/** What the profile of a namespace applies: the namespace's labels and its name, marked as such. */
export function namespaceLabels(namespace: string, labels: Labels): Labels {
  return marked(NAMESPACE_PREFIX, { ...labels, [NAME_LABEL]: namespace });
}

/** What the profile of a service account applies: the account's labels and its name, marked as such. */
export function serviceAccountLabels(account: string, labels: Labels): Labels {
  return marked(SERVICE_ACCOUNT_PREFIX, { ...labels, [NAME_LABEL]: account });
}

/**
 * The labels by which selectors see an endpoint. Where from, strongest first: what follows from where it is
 * (namespace, orchestrator, service account), its own labels, its profiles in the order in which it lists them.
 */
export function endpointLabels(
  endpoint: WorkloadEndpoint | HostEndpoint,
  profileLabels: ProfileLabels,
): Labels {
  const { metadata, spec } = endpoint;
  const forced: Record<string, string> = {};
  if (endpoint.kind === 'WorkloadEndpoint') {
    forced[NAMESPACE_LABEL] = metadata.namespace ?? 'default';
    forced[ORCHESTRATOR_LABEL] = endpoint.spec.orchestrator;
    const account = endpoint.spec.serviceAccountName;
    if (account) forced[SERVICE_ACCOUNT_LABEL] = account;
  }
  return inheritLabels({ ...metadata.labels, ...forced }, (spec.profiles ?? []).map(profileLabels));
}

/** The labels by which selectors see the addresses of a set. A set of a namespace has those of the namespace too. */
export function networkSetLabels(
  set: NetworkSet | GlobalNetworkSet,
  profileLabels: ProfileLabels,
): Labels {
  const { name, namespace, labels } = set.metadata;
  const own = { ...labels, [NAME_LABEL]: name };
  if (set.kind === 'GlobalNetworkSet' || !namespace) return own;
  const placed = { ...own, [NAMESPACE_LABEL]: namespace };
  return inheritLabels(placed, [profileLabels(namespaceProfileName(namespace))]);
}

/** Labels of a thing of its own, and those it inherits, strongest first: where several say a label, the first of them counts. */
export function inheritLabels(own: Labels, parents: readonly (Labels | undefined)[]): Labels {
  return Object.assign({}, ...parents.toReversed(), own);
}

function marked(prefix: string, labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [prefix + key, value]));
}
