import type { AnyResource } from '@overland/model';

/**
 * Profile of the endpoints of a runtime's network, as Calico's plugin makes it outside of Kubernetes: they may reach
 * everything, and be reached by each other. Its name is that of the network.
 *
 * @returns `undefined` if the name cannot be that of a profile: lower-case letters, digits and `-`, at most 63.
 */
export function networkProfile(network: string): AnyResource | undefined {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(network)) return undefined;
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'Profile',
    metadata: { name: network },
    spec: {
      ingress: [{ action: 'Allow', source: { selector: `has(${network})` } }],
      egress: [{ action: 'Allow' }],
      labelsToApply: { [network]: '' },
    },
  } as AnyResource;
}
