import { describe, expect, test } from 'vitest';
import { faultPaths } from '../../test/fault-paths.ts';
import vectors from '../../test/vectors/policy-kinds.json' with { type: 'json' };
import { parseManifest } from '../manifest.ts';

interface Vector {
  readonly name: string;
  readonly source: string;
  readonly kind: string;
  readonly metadata: object;
  readonly spec: object;
}

interface ValidVector extends Vector {
  /** Fields of the spec as they are read. */
  readonly expect?: object;
  readonly expectAbsent?: readonly string[];
  readonly expectName?: string;
}

function manifestOf({ kind, metadata, spec }: Vector): unknown {
  return { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
}

describe('policy kinds, sets, profiles and endpoints', () => {
  test.each<ValidVector>(vectors.valid)('accept $name ($source)', (vector) => {
    const manifest = manifestOf(vector);
    expect(faultPaths(manifest)).toEqual([]);
    const { metadata, spec } = parseManifest(manifest);
    expect(spec).toMatchObject(vector.expect ?? {});
    for (const field of vector.expectAbsent ?? []) expect(spec).not.toHaveProperty(field);
    if (vector.expectName) expect(metadata.name).toBe(vector.expectName);
  });

  test.each<Vector & { readonly path: string; readonly further?: readonly string[] }>(
    vectors.invalid,
  )('refuse $name ($source)', (vector) => {
    expect(faultPaths(manifestOf(vector))).toEqual([vector.path, ...(vector.further ?? [])]);
  });

  test('no policy has more than 1024 rules in one direction', () => {
    const spec = (count: number) => ({ egress: Array(count).fill({ action: 'Allow' }) });
    const policy = (count: number) =>
      manifestOf({
        name: '',
        source: '',
        kind: 'NetworkPolicy',
        metadata: { name: 'a' },
        spec: spec(count),
      });
    expect(faultPaths(policy(1024))).toEqual([]);
    expect(faultPaths(policy(1025))).toEqual(['spec.egress']);
  });

  test('a policy outside the default tier is labelled with its tier', () => {
    const labelled = (tier: string, labels = {}) =>
      parseManifest({
        apiVersion: 'projectcalico.org/v3',
        kind: 'GlobalNetworkPolicy',
        metadata: { name: 'a', labels },
        spec: { tier },
      }).metadata.labels;
    expect(labelled('security')).toEqual({ 'projectcalico.org/tier': 'security' });
    expect(labelled('default')).toEqual({});
    expect(labelled('default', { 'projectcalico.org/tier': 'security' })).toEqual({
      'projectcalico.org/tier': 'default',
    });
  });
});
