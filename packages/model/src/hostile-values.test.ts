import fc from 'fast-check';
import { expect, test } from 'vitest';
import { carryOver } from './carry-over.ts';
import { KINDS, type Kind } from './kinds.ts';
import { parseManifest } from './manifest.ts';
import { tryReadResource } from './read-resource.ts';
import { fieldNames } from './schema.ts';
import { ValidationError } from './validation.ts';

const kinds = Object.keys(KINDS) as Kind[];

/** Any JSON, and often scalars that nearly fit. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    null,
    '10.0.0.0/16',
    'fd00::/48',
    '1.10',
    'all()',
    "a == 'b'",
    '3s',
    0,
    -1,
    64512,
  ),
);

/** An object of a kind with fields of its spec set to anything. */
const document = fc.constantFrom(...kinds).chain((kind) => {
  const fields = fieldNames(KINDS[kind].spec);
  const spec = fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), anything, {
    maxKeys: 6,
  });
  const metadata = fc.oneof(fc.record({ name: fc.constantFrom('x', 'default') }), anything);
  return fc.record({
    apiVersion: fc.constant('projectcalico.org/v3'),
    kind: fc.constant(kind),
    metadata,
    spec: fc.oneof(spec, anything),
  });
});

test('a manifest is taken or refused with faults, whatever it holds', () => {
  fc.assert(
    fc.property(fc.oneof(document, anything), (value) => {
      try {
        parseManifest(value);
      } catch (error) {
        expect(error).toBeInstanceOf(ValidationError);
        expect((error as ValidationError).faults.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 2000 },
  );
});

test('what is read and written without a change is stored as it was', () => {
  let read = 0;
  fc.assert(
    fc.property(document, (stored) => {
      const result = tryReadResource(stored.kind, stored);
      if ('faults' in result) return;
      read++;
      expect(carryOver(stored.kind, stored, result.resource, result.resource)).toEqual(stored);
    }),
    { numRuns: 2000 },
  );
  expect(read).toBeGreaterThan(100);
});
