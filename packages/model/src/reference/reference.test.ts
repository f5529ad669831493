import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { KINDS, type Kind } from '../kinds.ts';
import { parseManifest } from '../manifest.ts';
import { sampleManifests } from '../testing/sample-manifests.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { extensionsPage } from './extensions-page.ts';
import { fieldRows } from './field-rows.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { kindIndex, kindPage, pageName } from './kind-page.ts';

const DOCS = '../../../../docs';
const kinds = Object.keys(KINDS) as Kind[];

function exampleOf(kind: Kind): string {
  const file = new URL(`${DOCS}/resources/examples/${kind.toLowerCase()}.yaml`, import.meta.url);
  return readFileSync(file, 'utf8');
}

function manifestOf(text: string): unknown {
  const [document, ...others] = parseYaml(text);
  if (!document || others.length > 0) throw new Error('an example is one document');
  if ('error' in document) throw document.error;
  return document.value;
}

const ajv = new Ajv2020({ allErrors: true, strict: false });
const compiled = new Map<Kind, ValidateFunction>();

/** What is wrong with a value, in the words of a validator that is not ours. */
function schemaFaults(kind: Kind, value: unknown): string[] {
  const validate = compiled.get(kind) ?? ajv.compile(jsonSchemaOf(kind));
  compiled.set(kind, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe.each(kinds)('%s', (kind) => {
  const text = exampleOf(kind);
  const schema = jsonSchemaOf(kind);

  test('its page is current', async () => {
    const page = `${DOCS}/resources/${pageName(kind)}`;
    await expect(kindPage(kind, text)).toMatchFileSnapshot(page);
  });

  test('its example is a manifest, and fits its schema', () => {
    const manifest = manifestOf(text);
    expect(parseManifest(manifest)).toMatchObject({ kind });
    expect(schemaFaults(kind, manifest)).toEqual([]);
  });

  test('valid manifests with every field fit its schema', () => {
    for (const manifest of sampleManifests(kind).manifests) {
      expect(schemaFaults(kind, manifest)).toEqual([]);
    }
  });

  test('its schema refuses another kind, unknown fields and wrong types', () => {
    const manifest = manifestOf(text) as { metadata: object; spec: Record<string, unknown> };
    const wrong = (changes: object) => schemaFaults(kind, { ...manifest, ...changes });
    expect(wrong({ kind: 'Pod' })).not.toEqual([]);
    expect(wrong({ metadata: { ...manifest.metadata, lables: {} } })).not.toEqual([]);
    expect(wrong({ spec: { ...manifest.spec, misspelt: 1 } })).not.toEqual([]);
    for (const field of Object.keys(manifest.spec)) {
      const spec = { ...manifest.spec, [field]: () => undefined };
      expect(wrong({ spec }), field).not.toEqual([]);
    }
  });

  test('every field says what it means', () => {
    const { spec, status } = schema.properties ?? {};
    const rows = [spec, status].flatMap((part) => (part ? fieldRows(part) : []));
    expect(rows.filter(({ meaning }) => meaning === '').map(({ path }) => path)).toEqual([]);
  });
});

test('the pages about all kinds are current', async () => {
  await expect(kindIndex()).toMatchFileSnapshot(`${DOCS}/resources/README.md`);
  await expect(extensionsPage()).toMatchFileSnapshot(`${DOCS}/extensions.md`);
});

test('there is no page of a kind that is gone', () => {
  const pages = readdirSync(new URL(`${DOCS}/resources`, import.meta.url));
  const known = ['README.md', 'examples', ...kinds.map(pageName)];
  expect(pages.toSorted()).toEqual(known.toSorted());
});

interface Vector {
  readonly name: string;
  readonly kind: Kind;
  readonly object?: string;
  readonly spec: unknown;
}

test('what the validator takes, the schema takes', () => {
  const file = new URL('../../test/vectors/operations.json', import.meta.url);
  const { valid } = JSON.parse(readFileSync(file, 'utf8')) as { readonly valid: Vector[] };
  for (const { name, kind, object = 'x', spec } of valid) {
    // Absent for the validator; a schema would have to allow it everywhere.
    if (JSON.stringify(spec).includes('""')) continue;
    const apiVersion = 'projectcalico.org/v3';
    const manifest = { apiVersion, kind, metadata: { name: object }, spec };
    expect(schemaFaults(kind, manifest), name).toEqual([]);
  }
});
