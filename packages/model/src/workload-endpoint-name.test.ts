import { ParseError } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from '../test/vectors/workload-endpoint-names.json' with { type: 'json' };
import {
  parseWorkloadEndpointName,
  type WorkloadEndpointIdentity,
  workloadEndpointName,
} from './workload-endpoint-name.ts';

describe('vectors', () => {
  test.each(vectors.valid)('composes and takes apart $name ($source)', ({ identity, composed }) => {
    expect(workloadEndpointName(identity)).toBe(composed);
    const parsed = parseWorkloadEndpointName(composed);
    expect(identity).toMatchObject(parsed);
    expect(workloadEndpointName(parsed)).toBe(composed);
  });

  test.each(vectors.invalid)('refuses $name ($source)', ({ identity, field }) => {
    const compose = () => workloadEndpointName(identity as WorkloadEndpointIdentity);
    expect(compose).toThrow(ParseError);
    expect(compose).toThrow(new RegExp(`is not a valid ${field}\\b`));
  });

  test.each(vectors.notNames)('$name is no name ($source)', ({ text }) => {
    expect(() => parseWorkloadEndpointName(text)).toThrow('workload endpoint name');
  });
});

test('the inverse holds for every name that can be made', () => {
  const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?$/);
  fc.assert(
    fc.property(part, part, part, part, (node, orchestrator, workload, endpoint) => {
      fc.pre(!['k8s', 'cni', 'libnetwork'].includes(orchestrator));
      for (const identity of [
        { node, orchestrator: 'k8s', pod: workload, endpoint },
        { node, orchestrator: 'cni', containerID: workload, endpoint },
        { node, orchestrator: 'libnetwork', endpoint },
        { node, orchestrator, workload, endpoint },
      ]) {
        expect(parseWorkloadEndpointName(workloadEndpointName(identity))).toEqual(identity);
      }
    }),
  );
});
