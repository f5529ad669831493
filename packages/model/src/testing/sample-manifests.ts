import { type AnyResource, type Kind, kindTable } from '../kinds.ts';
import { parseManifest } from '../manifest.ts';
import { fieldRows } from '../reference/field-rows.ts';
import { type JsonSchema, jsonSchemaOf } from '../reference/json-schema.ts';
import { API_VERSION } from '../resource.ts';
import { parsePath, ValidationError, valueAt } from '../validation.ts';
import { FURTHER_SPECS, NAMES, VALUES } from './sample-choices.ts';
import { sampleValue } from './sample-values.ts';

/** Manifests of a kind, and the fields that none of them has because the rules let no generated value pass. */
export interface SampleManifests {
  readonly manifests: readonly object[];
  /** As `spec.importV4[].cidr`. */
  readonly missing: readonly string[];
}

/**
 * Valid manifests of a kind that together set as many fields of the spec as can be: fields that exclude each other are in
 * different ones. Made from the schema; the rules between fields say what to leave out.
 */
export function sampleManifests(kind: Kind): SampleManifests {
  const schema = jsonSchemaOf(kind).properties?.spec ?? {};
  const missing = new Set(fieldPaths(schema));
  const manifests: object[] = (FURTHER_SPECS[kind] ?? []).map((spec) => manifestOf(kind, spec));
  for (const manifest of manifests) strike(missing, manifest);
  for (;;) {
    const spec = sampleValue(schema, 'spec', (path) => wants(missing, path), VALUES[kind] ?? {});
    const manifest = validManifest(manifestOf(kind, spec));
    if (!manifest || strike(missing, manifest) === 0) return { manifests, missing: [...missing] };
    manifests.push(manifest);
  }
}

function manifestOf(kind: Kind, spec: unknown): object {
  const name = NAMES[kind] ?? 'sample';
  const metadata = kindTable(kind).nameFrom ? {} : { name, labels: { rack: 'r1' } };
  return { apiVersion: API_VERSION, kind, metadata, spec };
}

/** Takes the fields that a manifest sets out of those that are missing. @returns How many there were. */
function strike(missing: Set<string>, manifest: object): number {
  const found = [...missing].filter((path) => holds(manifest, path));
  for (const path of found) missing.delete(path);
  return found.length;
}

function fieldPaths(spec: JsonSchema): string[] {
  return fieldRows({ properties: { spec } }, { repeat: true })
    .slice(1)
    .map(({ path }) => path);
}

function wants(missing: ReadonlySet<string>, path: string): boolean {
  for (const other of missing) {
    if (other === path || other.startsWith(`${path}.`) || other.startsWith(`${path}[`)) return true;
  }
  return false;
}

/** Takes away what the rules object to, until they object to nothing. */
function validManifest(generated: object): object | undefined {
  let manifest = generated;
  for (;;) {
    const objections = objectionsTo(manifest);
    if (objections.length === 0) return manifest;
    const [first] = objections
      .map(parsePath)
      .filter((path) => valueAt(manifest, path) !== undefined);
    if (!first) return undefined;
    manifest = without(manifest, first) as object;
  }
}

function objectionsTo(manifest: object): string[] {
  try {
    parseManifest(manifest);
    return [];
  } catch (error) {
    if (error instanceof ValidationError) return error.faults.map(({ path }) => path);
    throw error;
  }
}

function without(value: unknown, [step, ...rest]: readonly (string | number)[]): unknown {
  if (step === undefined) return undefined;
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => {
      if (i !== step) return [item];
      return rest.length === 0 ? [] : [without(item, rest)];
    });
  }
  const { [step]: inner, ...others } = value as Record<string | number, unknown>;
  return rest.length === 0 ? others : { ...others, [step]: without(inner, rest) };
}

/** Whether a manifest sets a field, in any item of the lists on the way. */
function holds(value: unknown, path: string): boolean {
  const [step, ...rest] = path.split(/\.|(?=\[\])/);
  if (step === undefined || step === '') return value !== undefined;
  const further = rest.join('.').replaceAll('.[]', '[]');
  if (step === '[]') return Array.isArray(value) && value.some((item) => holds(item, further));
  if (typeof value !== 'object' || value === null) return false;
  const inner = step === '*' ? Object.values(value) : [Reflect.get(value, step)];
  return inner.some((item) => item !== undefined && holds(item, further));
}

/** A manifest as it is read. */
export function sampleResources(kind: Kind): AnyResource[] {
  return sampleManifests(kind).manifests.map(parseManifest);
}
