import { API_VERSION, parseManifest, type WorkloadEndpoint } from '@overland/model';
import { expect, test } from 'vitest';
import { bandwidthOf } from './bandwidth.ts';

function read(qosControls: object | undefined) {
  const endpoint = parseManifest({
    apiVersion: API_VERSION,
    kind: 'WorkloadEndpoint',
    metadata: { name: 'host1-overland-web-eth0', namespace: 'default' },
    spec: {
      node: 'host1',
      orchestrator: 'overland',
      workload: 'web',
      endpoint: 'eth0',
      interfaceName: 'cali1',
      ...(qosControls && { qosControls }),
    },
  }) as WorkloadEndpoint;
  const notes: string[] = [];
  return { limits: bandwidthOf(endpoint, (reason) => notes.push(reason)), notes };
}

test.each([
  ['nothing', undefined, undefined],
  ['other controls', { ingressPacketRate: 100 }, undefined],
  ['no limit, in so many words', { ingressBandwidth: 0, egressBandwidth: 0 }, undefined],
  ['a burst without a rate', { ingressBurst: 8000 }, undefined],
  [
    'a rate, with the burst of Calico',
    { egressBandwidth: 10_000_000 },
    { egress: { rate: 1_250_000, burst: 536_870_912 } },
  ],
  [
    'both directions',
    { ingressBandwidth: 1_000_000_000_000, ingressBurst: 80_000, egressBandwidth: 1000 },
    {
      ingress: { rate: 125_000_000_000, burst: 10_000 },
      egress: { rate: 125, burst: 536_870_912 },
    },
  ],
  [
    'a peak',
    { ingressBandwidth: 8000, ingressPeakrate: 16_000, ingressMinburst: 3000 },
    { ingress: { rate: 1000, burst: 536_870_912, peak: { rate: 2000, burst: 3000 } } },
  ],
])('%s', (_name, controls, limits) => {
  expect(read(controls)).toEqual({ limits, notes: [] });
});

test.each([
  [
    { egressBandwidth: 5 },
    125,
    'qosControls.egressBandwidth is 5: taken as 1000, of 1000 to 1000000000000000',
  ],
  [
    { egressBandwidth: 8000, egressPeakrate: 8000 },
    1000,
    'qosControls.egressPeakrate has no effect: it is not above egressBandwidth',
  ],
])('%o keeps a limit, and says what is wrong', (controls, rate, note) => {
  const { limits, notes } = read(controls);
  expect(limits?.egress).toEqual({ rate, burst: 536_870_912 });
  expect(notes).toEqual([note]);
});
