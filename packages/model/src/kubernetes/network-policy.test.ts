import { describe, expect, test } from 'vitest';
import { faultPaths } from '../../test/fault-paths.ts';
import vectors from '../../test/vectors/kubernetes-network-policies.json' with { type: 'json' };
import { parseManifest } from '../manifest.ts';

function manifestOf(spec: unknown, metadata: unknown = { name: 'web', namespace: 'prod' }) {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
}

interface Vector {
  readonly name: string;
  readonly source: string;
  readonly spec: unknown;
}

describe("Kubernetes' NetworkPolicy", () => {
  test.each<Vector & { readonly expect: object }>(vectors.valid)(
    'is converted: $name ($source)',
    (vector) => {
      const { kind, spec } = parseManifest(manifestOf(vector.spec));
      expect(kind).toBe('NetworkPolicy');
      expect(spec).toMatchObject(vector.expect);
    },
  );

  test.each<Vector & { readonly paths: readonly string[] }>(vectors.invalid)(
    'is refused: $name ($source)',
    ({ spec, paths }) => {
      expect(faultPaths(manifestOf(spec))).toEqual(paths);
    },
  );

  test('gets a name that only such policies have, and keeps labels and annotations', () => {
    const labels = { team: 'a' };
    const annotations = { 'example.org/why': 'because' };
    const policy = parseManifest(
      manifestOf({}, { name: 'a.b', labels, annotations, uid: 'u', resourceVersion: '7' }),
    );
    expect(policy.metadata).toEqual({
      name: 'knp.default.a.b',
      namespace: 'default',
      labels,
      annotations,
    });
  });

  test.each([
    [{ name: 'Web' }, 'metadata.name'],
    [{ name: 'x'.repeat(242) }, 'metadata.name'],
    [{}, 'metadata.name'],
    [{ name: 'web', lables: {} }, 'metadata.lables'],
    [{ name: 'web', labels: { a: 'b c' } }, 'metadata.labels.a'],
  ])('with metadata %j is refused at %s', (metadata, path) => {
    expect(faultPaths(manifestOf({}, metadata))).toEqual([path]);
  });

  test('what does not fit into one of our policies is refused as a whole', () => {
    const values = Array.from({ length: 200 }, (_, i) => `value-${i}`);
    const matchExpressions = [{ key: 'a', operator: 'In', values }];
    expect(() => parseManifest(manifestOf({ podSelector: { matchExpressions } }))).toThrow(
      'NetworkPolicy(prod/web): spec cannot be converted to a policy of projectcalico.org/v3: spec.selector must be a selector: at most 1024 characters',
    );
    const ingress = Array(1025).fill({});
    expect(() => parseManifest(manifestOf({ ingress }))).toThrow('at most 1024 items');
  });

  test.each([
    [{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }, 'kind must be NetworkPolicy'],
    [{ apiVersion: 'networking.k8s.io/v1beta1', kind: 'NetworkPolicy' }, 'apiVersion must be'],
  ])('other objects of Kubernetes are not: %j', (value, wanted) => {
    expect(() => parseManifest({ ...value, metadata: { name: 'a' }, spec: {} })).toThrow(wanted);
  });
});
