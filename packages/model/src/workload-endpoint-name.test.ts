import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseWorkloadEndpointName, workloadEndpointName } from './workload-endpoint-name.ts';

test.each([
  [
    { node: 'node-1', orchestrator: 'k8s', pod: 'pod--a', endpoint: 'eth0' },
    'node--1-k8s-pod----a-eth0',
  ],
  [{ node: 'n', orchestrator: 'cni', containerID: 'c-1', endpoint: 'eth0' }, 'n-cni-c--1-eth0'],
  [{ node: 'n', orchestrator: 'libnetwork', endpoint: 'ep' }, 'n-libnetwork-libnetwork-ep'],
  [{ node: 'n', orchestrator: 'openstack', workload: 'vm', endpoint: 'tap' }, 'n-openstack-vm-tap'],
])('%j is named %s', (identity, name) => {
  expect(workloadEndpointName(identity)).toBe(name);
  expect(parseWorkloadEndpointName(name)).toEqual(identity);
});

test.each([
  { node: '', orchestrator: 'k8s', pod: 'p', endpoint: 'e' },
  { node: 'n', orchestrator: 'k8s', containerID: 'p', endpoint: 'e' },
  { node: '-n', orchestrator: 'k8s', pod: 'p', endpoint: 'e' },
  { node: 'n', orchestrator: 'k8s', pod: 'p-', endpoint: 'e' },
])('%j cannot be named', (identity) => {
  expect(() => workloadEndpointName(identity)).toThrow('is not a valid');
});

test.each(['', 'a', 'a-b-c', 'a-k8s-b-c-d', 'a--b-c-d'])('%j is not a name', (name) => {
  expect(() => parseWorkloadEndpointName(name)).toThrow('workload endpoint name');
});

test('the inverse holds for every name that can be made', () => {
  const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?$/);
  fc.assert(
    fc.property(part, part, part, (node, pod, endpoint) => {
      const identity = { node, orchestrator: 'k8s', pod, endpoint };
      expect(parseWorkloadEndpointName(workloadEndpointName(identity))).toEqual(identity);
    }),
  );
});
