import { describe, expect, test } from 'vitest';
import { faultPaths } from '../../test/fault-paths.ts';
import vectors from '../../test/vectors/policy-rules.json' with { type: 'json' };
import { parseManifest } from '../manifest.ts';

interface Vector {
  readonly rule: unknown;
  readonly direction?: string;
  readonly kind?: string;
}

/** A policy with one rule. */
function policyOf({ rule, direction = 'ingress', kind = 'NetworkPolicy' }: Vector): unknown {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata: { name: 'web' },
    spec: { [direction]: [rule] },
  };
}

describe('one rule of a policy', () => {
  test.each<Vector & { name: string; source: string }>(vectors.valid)(
    'accepts $name ($source)',
    (vector) => {
      expect(faultPaths(policyOf(vector))).toEqual([]);
    },
  );

  test.each<Vector & { name: string; source: string; path: string }>(vectors.invalid)(
    'refuses $name ($source)',
    (vector) => {
      const { direction = 'ingress', path } = vector;
      expect(faultPaths(policyOf(vector))).toEqual([`spec.${direction}[0].${path}`]);
    },
  );

  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  const nets = (count: number) => numbers(count).map((i) => `10.${i >> 8}.${i & 255}.0/24`);
  const methods = (count: number) => numbers(count).map((i) => `M${i}`);
  const paths = (count: number) => numbers(count).map((i) => ({ exact: `/${i}` }));

  // Source: Calico's CRD of NetworkPolicy.
  test.each([
    ['source.ports', 50, (n: number) => ({ protocol: 'TCP', source: { ports: numbers(n) } })],
    ['source.notPorts', 50, (n: number) => ({ protocol: 17, source: { notPorts: numbers(n) } })],
    ['source.nets', 256, (n: number) => ({ source: { nets: nets(n) } })],
    ['destination.notNets', 256, (n: number) => ({ destination: { notNets: nets(n) } })],
    ['http.methods', 20, (n: number) => ({ http: { methods: methods(n) } })],
    ['http.paths', 20, (n: number) => ({ http: { paths: paths(n) } })],
  ] as const)('%s has at most %i items', (path, limit, fields) => {
    const rule = (count: number) => ({ action: 'Allow', ...fields(count) });
    expect(faultPaths(policyOf({ rule: rule(limit) }))).toEqual([]);
    expect(faultPaths(policyOf({ rule: rule(limit + 1) }))).toEqual([`spec.ingress[0].${path}`]);
  });

  test('is read in one spelling', () => {
    const policy = parseManifest(
      policyOf({
        rule: {
          action: 'Allow',
          protocol: '6',
          source: { nets: ['FD00:0::/64'] },
          destination: { ports: ['80', '90:90', '100:200', 'http', 443] },
        },
      }),
    );
    expect(policy.spec).toMatchObject({
      ingress: [
        {
          protocol: 6,
          source: { nets: ['fd00::/64'] },
          destination: { ports: [80, 90, '100:200', 'http', 443] },
        },
      ],
    });
  });
});
