import { completeResource, parseManifest, type WorkloadEndpoint } from '@overland/model';
import { expect, test } from 'vitest';
import { workloadGuardOf } from './workload-guard.ts';

function guardOf(spec: object) {
  const given = { orchestrator: 'cni', node: 'h1', containerID: 'c', endpoint: 'eth0', ...spec };
  const manifest = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: { namespace: 'prod' },
    spec: given,
  };
  return workloadGuardOf(completeResource(parseManifest(manifest)) as WorkloadEndpoint);
}

test.each(['02:00:00:00:00:AB', '02-00-00-00-00-ab', '0200.0000.00AB'])(
  'a MAC address is compared in one spelling: %s',
  (mac) => {
    expect(guardOf({ mac }).mac).toBe('02:00:00:00:00:ab');
  },
);

test('a limit of 0 is none, and a burst that is not said is the usual one', () => {
  const { limits } = guardOf({
    qosControls: {
      ingressPacketRate: 0,
      ingressMaxConnections: 0,
      egressPacketRate: 100,
      egressMaxConnections: 7,
    },
  });
  expect(limits).toEqual({
    ingress: { packets: undefined, connections: undefined },
    egress: { packets: { perSecond: 100, burst: 5 }, connections: 7 },
  });
});

test('a port of the host is of one address, or of all', () => {
  const port = { protocol: 'TCP', port: 80, hostPort: 8080 };
  const addressOf = (hostIP?: string) =>
    guardOf({ ports: [{ ...port, hostIP }] }).hostPorts[0]?.hostAddress;
  expect([addressOf(), addressOf('0.0.0.0/32'), addressOf('192.0.2.1/32')]).toEqual([
    undefined,
    undefined,
    '192.0.2.1',
  ]);
  expect(guardOf({ ports: [{ name: 'web', protocol: 'TCP', port: 80 }] }).hostPorts).toEqual([]);
});

test.each([
  [46, 46],
  ['EF', 46],
  ['DF', 0],
  ['LE', 1],
  ['CS6', 48],
  ['AF11', 10],
  ['AF43', 38],
  ['7', 7],
  [undefined, undefined],
])('the code point %s is %s', (dscp, number) => {
  expect(guardOf({ qosControls: { dscp } }).dscp).toBe(number);
});
