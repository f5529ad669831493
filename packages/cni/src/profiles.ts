import type { AnyResource } from '@overland/model';
import { CNI_CODE, CniError } from './cni-error.ts';

const API_VERSION = 'projectcalico.org/v3';

/**
 * Profile of the endpoints of a network, as Calico's plugin makes it outside of Kubernetes: they may reach
 * everything, and be reached by each other. Its name is that of the network.
 *
 * @throws {CniError} Code 7 if the network's name cannot be that of a profile.
 */
export function networkProfile(network: string): AnyResource {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(network)) {
    throw new CniError(
      CNI_CODE.invalidConfiguration,
      `name is "${network}": it names the profile of the network, so it must be lower-case letters, digits and '-', at most 63`,
    );
  }
  return {
    apiVersion: API_VERSION,
    kind: 'Profile',
    metadata: { name: network },
    spec: {
      ingress: [{ action: 'Allow', source: { selector: `has(${network})` } }],
      egress: [{ action: 'Allow' }],
      labelsToApply: { [network]: '' },
    },
  } as AnyResource;
}

/** Profile of a namespace of Kubernetes, as Calico's controllers make it: everything is allowed that no policy forbids. */
export function namespaceProfile(namespace: string): AnyResource {
  return {
    apiVersion: API_VERSION,
    kind: 'Profile',
    metadata: { name: `kns.${namespace}` },
    spec: {
      ingress: [{ action: 'Allow' }],
      egress: [{ action: 'Allow' }],
      labelsToApply: { 'pcns.projectcalico.org/name': namespace },
    },
  } as AnyResource;
}
