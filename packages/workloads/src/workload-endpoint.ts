import {
  API_VERSION,
  parseManifest,
  ValidationError,
  type WorkloadEndpoint,
  workloadEndpointName,
} from '@overland/model';
import { hostPrefix, ParseError } from '@overland/net';
import type { AttachRequest } from './api.ts';
import { type FieldFault, InvalidRequestError } from './errors.ts';
import type { WorkloadRecord } from './workload-record.ts';

/** What names the stored endpoint of an attachment. */
export interface EndpointName {
  readonly namespace: string;
  readonly name: string;
  /** Guards a newer container that took over the name. */
  readonly containerId: string;
}

/** @throws {InvalidRequestError} If the request's parts make no name. */
export function endpointNameOf(node: string, request: AttachRequest): EndpointName {
  const { orchestrator, containerId, namespace } = request;
  try {
    const name = workloadEndpointName({
      node,
      orchestrator,
      containerID: containerId,
      workload: request.name,
      pod: request.name,
      endpoint: request.interface,
    });
    return { namespace, name, containerId };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const fields = { containerID: 'containerId', endpoint: 'interface', pod: 'name' };
    const field = fields[error.what as keyof typeof fields] ?? error.what;
    throw new InvalidRequestError([{ field, reason: `needs ${error.allowed}` }], { cause: error });
  }
}

/**
 * The WorkloadEndpoint of an attachment, as Calico's tools read it.
 *
 * @throws {InvalidRequestError} If it breaks a rule of the kind.
 */
export function workloadEndpointOf(
  node: string,
  { request, addresses, hostInterface, mac }: WorkloadRecord,
): WorkloadEndpoint {
  const { name, namespace } = endpointNameOf(node, request);
  const manifest = {
    apiVersion: API_VERSION,
    kind: 'WorkloadEndpoint',
    metadata: { name, namespace, labels: request.labels },
    spec: {
      node,
      orchestrator: request.orchestrator,
      workload: request.name,
      ...(request.orchestrator === 'k8s' && { pod: request.name }),
      containerID: request.containerId,
      endpoint: request.interface,
      ipNetworks: addresses.map(hostPrefix),
      profiles: request.profiles,
      interfaceName: hostInterface,
      mac,
      ...(request.ports && { ports: request.ports.map(storedPort) }),
      ...(request.qosControls && { qosControls: request.qosControls }),
    },
  };
  try {
    return parseManifest(manifest) as WorkloadEndpoint;
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const faults = error.faults.map(({ path, rule }): FieldFault => {
      return { field: fieldOf(path, request), reason: rule };
    });
    throw new InvalidRequestError(faults, { cause: error });
  }
}

function storedPort({ hostIP, ...port }: NonNullable<AttachRequest['ports']>[number]) {
  return { ...port, ...(hostIP !== undefined && { hostIP: hostPrefix(hostIP) }) };
}

/** The field of the request that became this field of the endpoint. */
function fieldOf(path: string, { orchestrator }: AttachRequest): string {
  if (path.startsWith('metadata.labels')) return path.slice('metadata.'.length);
  if (path.startsWith('spec.profiles')) return 'profiles';
  if (/^spec\.(ports|qosControls)/.test(path)) return path.slice('spec.'.length);
  if (path === 'spec.containerID') return 'containerId';
  if (path === 'metadata.name') return orchestrator === 'cni' ? 'containerId' : 'name';
  return path;
}
