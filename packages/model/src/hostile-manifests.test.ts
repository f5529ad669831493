import fc from 'fast-check';
import { beforeAll, expect, test, vi } from 'vitest';
import { exampleManifests, kubernetesPolicy } from '../test/example-manifests.ts';
import {
  applyEdits,
  applyTextEdits,
  edits,
  nested,
  textEdits,
} from '../test/manifest-mutations.ts';
import { carryOver } from './carry-over.ts';
import { isJsonObject, parseJson, stringifyJson } from './json.ts';
import { KINDS, type Kind } from './kinds.ts';
import { parseManifest } from './manifest.ts';
import { NoYamlError, printYaml } from './print-yaml.ts';
import { readResource, tryReadResource } from './read-resource.ts';
import { fieldNames } from './schema.ts';
import { ValidationError } from './validation.ts';
import { parseYaml, YamlError } from './yaml/parse-yaml.ts';

const soak = process.env.OVERLAND_SOAK === '1';
/** Always the same ones, unless there is time for others. */
const runs = (few: number) => (soak ? { numRuns: 1_000_000 } : { numRuns: few, seed: 20261127 });
vi.setConfig({ testTimeout: soak ? 7_200_000 : 120_000 }); // all computing: how long depends on the machine alone

const examples = exampleManifests();
const fields = [
  ...new Set(Object.values(KINDS).flatMap((table) => fieldNames(table.spec))),
  ...['apiVersion', 'kind', 'metadata', 'spec', 'status', 'name', 'namespace', 'labels'],
  ...['annotations', 'ownerReferences', 'uid', 'finalizers'],
];

/** The value as a parser would give it: with bigints beyond 2^53, without -0. */
function asParsed(value: unknown): unknown {
  return parseJson(stringifyJson(value));
}

/** What a manifest is read as; `undefined` if it is refused, in the only way it may be. */
function taken(value: unknown): ReturnType<typeof parseManifest> | undefined {
  try {
    return parseManifest(value);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    expect(error.faults.length).toBeGreaterThan(0);
    expect(error.message).not.toBe('');
    return undefined;
  }
}

/** Equal as JSON: 0 and -0 are, and a large number and bigint. Much quicker than `expect` where they are equal. */
function expectSame(actual: unknown, expected: unknown): void {
  if (stringifyJson(actual) !== stringifyJson(expected)) expect(actual).toEqual(expected);
}

/** What is taken must be taken again as it is printed, and be the same. */
function survivesPrinting(resource: ReturnType<typeof parseManifest>): void {
  // Named by conversion: only the policy of Kubernetes can be applied, not what it becomes.
  if (resource.metadata.name.startsWith('knp.default.')) return;
  expectSame(parseManifest(parseJson(stringifyJson(resource))), resource);
  let text: string;
  try {
    text = printYaml(resource);
  } catch (error) {
    if (error instanceof NoYamlError) return;
    throw error;
  }
  const [document] = parseYaml(text);
  expectSame(document && 'value' in document && parseManifest(document.value), resource);
}

beforeAll(() => {
  const kinds = new Set(examples.filter(isJsonObject).map(({ kind }) => kind));
  expect([...kinds].toSorted()).toEqual(Object.keys(KINDS).toSorted());
});

test('an example of each kind is taken and survives printing', () => {
  for (const example of examples) survivesPrinting(parseManifest(example));
});

test('the longest names and values survive printing', () => {
  const key = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}/${'k'.repeat(63)}`;
  const labels = { [key]: 'v'.repeat(63) };
  const annotations = { [key]: '\u{1F600}: "\'\\\n\t#'.repeat(10_000) };
  const metadata = { name: 'n'.repeat(253), labels, annotations };
  survivesPrinting(
    parseManifest({
      apiVersion: 'projectcalico.org/v3',
      kind: 'GlobalNetworkSet',
      metadata,
      spec: {},
    }),
  );
});

test('what is nearly a manifest is taken or refused with faults', () => {
  let [all, good] = [0, 0];
  const manifest = fc.constantFrom(...examples, kubernetesPolicy);
  fc.assert(
    fc.property(manifest, edits(fields), (example, changes) => {
      all++;
      const resource = taken(asParsed(applyEdits(example, changes)));
      if (!resource) return;
      good++;
      survivesPrinting(resource);
    }),
    runs(4000),
  );
  // Both happen, and often: the changes are neither harmless nor always deadly.
  expect(good / all).toBeGreaterThan(0.1);
  expect(good / all).toBeLessThan(0.9);
});

test("what is nearly Kubernetes' NetworkPolicy becomes a policy that breaks no rule, or is refused with faults", () => {
  let [all, good] = [0, 0];
  fc.assert(
    fc.property(edits(fields), (changes) => {
      all++;
      const resource = taken(applyEdits(kubernetesPolicy, changes));
      if (!resource) return;
      good++;
      const { kind, metadata } = resource;
      if (!metadata.name.startsWith('knp.default.')) return;
      // Stored under a name of its own, it is held to every rule of the kind that it has become.
      expect(() => readResource(kind, resource)).not.toThrow();
      const named = { ...resource, metadata: { ...metadata, name: 'own-name' } };
      expect(parseManifest(named)).toEqual(named);
    }),
    runs(2000),
  );
  expect(good / all).toBeGreaterThan(0.1);
  expect(good / all).toBeLessThan(0.9);
});

test('what is nearly an object of the datastore is read, or refused with faults; unchanged, it stays as it is', () => {
  let [all, good] = [0, 0];
  const stored = fc.constantFrom(...examples);
  fc.assert(
    fc.property(
      stored,
      edits(fields),
      fc.constantFrom(...Object.keys(KINDS)),
      (example, changes, other) => {
        all++;
        const document = asParsed(applyEdits(example, changes));
        const named = isJsonObject(document) ? document.kind : undefined;
        const kind = (
          typeof named === 'string' && Object.hasOwn(KINDS, named) ? named : other
        ) as Kind;
        const result = tryReadResource(kind, document);
        if ('faults' in result) {
          expect(result.faults.length).toBeGreaterThan(0);
          expect(() => readResource(kind, document)).toThrow(ValidationError);
          return;
        }
        good++;
        expectSame(carryOver(kind, document, result.resource, result.resource), document);
      },
    ),
    runs(2000),
  );
  expect(good / all).toBeGreaterThan(0.1);
});

test('what is deeper than the stack is refused', () => {
  for (const example of examples as { kind: Kind }[]) {
    for (const value of [
      nested(example, 20_000),
      { ...example, spec: nested(1, 20_000) },
      { ...example, metadata: { name: 'x', ownerReferences: nested({}, 20_000) } },
    ]) {
      expect(() => parseManifest(value)).toThrow('must have at most 100 levels');
      expect(() => readResource(example.kind, value)).toThrow('must have at most 100 levels');
    }
  }
});

test('any text is YAML or a mistake with its place; what is in it is taken or refused with faults', () => {
  let [all, mistakes, good] = [0, 0, 0];
  const text = fc.constantFrom(
    ...examples.flatMap((example) => [
      printYaml(example as object),
      stringifyJson(example),
      stringifyJson(example, 2),
    ]),
    examples.map((example) => printYaml(example as object)).join('---\n'),
    `kind: List\nitems: ${stringifyJson(examples.slice(0, 5))}`,
  );
  fc.assert(
    fc.property(text, textEdits, (whole, changes) => {
      all++;
      for (const document of parseYaml(applyTextEdits(whole, changes))) {
        if ('error' in document) {
          mistakes++;
          expect(document.error).toBeInstanceOf(YamlError);
          expect(document.line).toBeGreaterThan(0);
          continue;
        }
        expect(document.lineOf(['spec', 'ingress', 0, 'action'])).toBeGreaterThanOrEqual(
          document.line,
        );
        const resource = taken(document.value);
        if (!resource) continue;
        good++;
        survivesPrinting(resource);
      }
    }),
    runs(10_000),
  );
  expect(mistakes / all).toBeGreaterThan(0.1);
  expect(good / all).toBeGreaterThan(0.1);
});
