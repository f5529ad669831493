import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseManifest } from './manifest.ts';

interface Vector {
  readonly name: string;
  /** Where Calico says so. */
  readonly source: string;
  readonly kind: string;
  /** Name of the object, if it matters. */
  readonly object?: string;
  readonly spec: unknown;
}

interface InvalidVector extends Vector {
  /** Part of what is said. */
  readonly says: string;
}

const file = new URL('../test/vectors/operations.json', import.meta.url);
const vectors = JSON.parse(
  readFileSync(file, 'utf8').replace('"LONG"', JSON.stringify(`x == '${'a'.repeat(1020)}'`)),
) as { readonly valid: readonly Vector[]; readonly invalid: readonly InvalidVector[] };

function parse({ kind, object = 'x', spec }: Vector): unknown {
  return parseManifest({
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata: { name: object },
    spec,
  });
}

test.each(vectors.valid)('takes $name ($source)', (vector) => {
  expect(parse(vector)).toMatchObject({ kind: vector.kind });
});

test.each(vectors.invalid)('refuses $name ($source)', (vector) => {
  expect(() => parse(vector)).toThrow(vector.says);
});
