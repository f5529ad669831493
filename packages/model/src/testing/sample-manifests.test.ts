import { expect, test } from 'vitest';
import { KINDS, type Kind } from '../kinds.ts';
import { sampleManifests } from './sample-manifests.ts';

/** What Calico's rules allow in no object, although the fields exist: the other direction has them. */
const NEVER = {
  services: [
    'spec.ingress[].destination.services',
    'spec.ingress[].destination.services.name',
    'spec.ingress[].destination.services.namespace',
    'spec.egress[].source.services',
    'spec.egress[].source.services.name',
    'spec.egress[].source.services.namespace',
  ],
  http: [
    'spec.egress[].http',
    'spec.egress[].http.methods',
    'spec.egress[].http.paths',
    'spec.egress[].http.paths[].exact',
    'spec.egress[].http.paths[].prefix',
  ],
} as const;

const NEVER_SET: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  NetworkPolicy: [...NEVER.services, ...NEVER.http],
  GlobalNetworkPolicy: [...NEVER.services, ...NEVER.http],
  StagedNetworkPolicy: [...NEVER.services, ...NEVER.http],
  StagedGlobalNetworkPolicy: [...NEVER.services, ...NEVER.http],
  Profile: NEVER.http,
  BGPFilter: [
    'spec.importV4[].operations[].setNextHopSelf',
    'spec.importV6[].operations[].setNextHopSelf',
  ],
};

test.each(Object.keys(KINDS) as Kind[])('every field of %s is in a valid manifest', (kind) => {
  const { manifests, missing } = sampleManifests(kind);
  expect(manifests.length).toBeGreaterThan(0);
  expect(missing.toSorted()).toEqual((NEVER_SET[kind] ?? []).toSorted());
});
