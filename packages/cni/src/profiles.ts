import type { AnyResource } from '@overland/model';
import { networkProfile } from '@overland/workloads';
import { CNI_CODE, CniError } from './cni-error.ts';

const API_VERSION = 'projectcalico.org/v3';

/** {@link networkProfile}. @throws {CniError} Code 7 if the network's name cannot be that of a profile. */
export function profileOf(network: string): AnyResource {
  const profile = networkProfile(network);
  if (profile) return profile;
  throw new CniError(
    CNI_CODE.invalidConfiguration,
    `name is "${network}": it names the profile of the network, so it must be lower-case letters, digits and '-', at most 63`,
  );
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
