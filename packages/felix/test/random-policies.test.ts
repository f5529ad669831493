import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cluster } from './random-policies.ts';

/** Each must be there, or the packets that are sent through random policies prove nothing about it. */
const CONDITIONS = [
  'protocol',
  'notProtocol',
  'ipVersion',
  'icmp',
  'notICMP',
  'selector',
  'notSelector',
  'namespaceSelector',
  'nets',
  'notNets',
  'ports',
  'notPorts',
];

test('random policies have conditions of all kinds', () => {
  const policies = fc
    .sample(cluster, { numRuns: 40, seed: 6 })
    .flatMap((inputs) => inputs.policies);
  const text = JSON.stringify(policies);
  for (const condition of CONDITIONS) {
    expect(text.split(`"${condition}":`).length, condition).toBeGreaterThan(5);
  }
});
