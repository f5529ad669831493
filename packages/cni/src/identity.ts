import type { AnyResource } from '@overland/model';
import type { Environment } from './environment.ts';
import type { NetworkConfiguration } from './network-configuration.ts';
import { namespaceProfile, profileOf } from './profiles.ts';

/** Who a container is, to policies and operators. */
export interface Identity {
  readonly orchestrator: 'cni' | 'k8s';
  readonly namespace: string;
  /** Of the workload. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Has to be there when the endpoint is. */
  readonly profile: AnyResource;
}

/** Keys of Cloud Foundry's `metadata` as labels. */
const CLOUD_FOUNDRY_PREFIX = 'cloudfoundry.org/';

/**
 * Under Kubernetes the pod, by its namespace and name; elsewhere the container, by the name that podman tells, or
 * its id. Labels are those of `args.cni.labels`, of Mesos' network_info and of Cloud Foundry's metadata.
 *
 * @throws {CniError} Code 7 if the network's name cannot be that of a profile.
 */
export function identityOf(
  configuration: NetworkConfiguration,
  environment: Environment,
): Identity {
  const { podName, podNamespace } = environment.args;
  const labels = labelsOf(configuration);
  if (podName && podNamespace) {
    const profile = namespaceProfile(podNamespace);
    return { orchestrator: 'k8s', namespace: podNamespace, name: podName, labels, profile };
  }
  return {
    orchestrator: 'cni',
    namespace: 'default',
    name: workloadName(podName ?? '') || workloadName(environment.containerId),
    labels,
    profile: profileOf(configuration.name),
  };
}

/** Names of containers may have what those of workloads must not. It need not be unique: the container's id is. */
function workloadName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-|-$/g, '');
}

function labelsOf({ args, metadata = {} }: NetworkConfiguration): Record<string, string> {
  const mesos = args?.['org.apache.mesos']?.network_info?.labels?.labels ?? [];
  const given = args?.cni?.labels ?? {};
  const listed = Array.isArray(given)
    ? given.map(({ key, value }) => [key, value] as const)
    : Object.entries(given);
  const cloudFoundry = Object.entries(metadata).flatMap(([key, value]) =>
    typeof value === 'string' && value !== ''
      ? [[CLOUD_FOUNDRY_PREFIX + key.replaceAll('_', '-'), value] as const]
      : [],
  );
  return Object.fromEntries([
    ...cloudFoundry,
    ...mesos.map(({ key, value }) => [key, value] as const),
    ...listed,
  ]);
}
