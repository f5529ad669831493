import { z } from 'zod';
import { type AnyKindTable, type Kind, kindTable } from '../kinds.ts';
import { API_VERSION, metadataSchema } from '../resource.ts';

/** A JSON Schema (draft 2020-12), as far as ours go. Keys with `x-overland` are notes for readers. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly default?: unknown;
  /** Given by whoever writes, never shown. */
  readonly writeOnly?: boolean;
  /** A field that Calico does not have. */
  readonly 'x-overland-extension'?: boolean;
  /** What a value must be, where a schema cannot say all of it: `a selector`. */
  readonly 'x-overland-rule'?: string;
  /** The default, where it depends on something else. */
  readonly 'x-overland-default'?: string;
  /** Rules between fields: the validator checks them, a schema cannot. */
  readonly 'x-overland-rules'?: readonly { readonly path: string; readonly rule: string }[];
  /** Paths that cannot be changed after creation. */
  readonly 'x-overland-immutable'?: readonly string[];
}

type Draft = { -readonly [K in keyof JsonSchema]: JsonSchema[K] } & Record<string, unknown>;

/**
 * The schema of a kind's manifests, for editors and other validators. Whatever breaks it, `parseManifest` refuses,
 * but for null and empty strings, which it reads as absent; it checks more: what is parsed, and rules between fields.
 */
export function jsonSchemaOf(kind: Kind): JsonSchema {
  const table = kindTable(kind);
  const spec = convert(table.spec);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: kind,
    description: table.summary,
    type: 'object',
    properties: {
      apiVersion: { const: API_VERSION, description: 'Group and version of the API.' },
      kind: { const: kind, description: 'The kind.' },
      metadata: metadataOf(table),
      spec: { ...spec, description: 'What is wanted.' },
      ...(table.status && { status: { ...convert(table.status), description: 'What is so.' } }),
    },
    required: ['apiVersion', 'kind', 'metadata', ...(spec.required?.length ? ['spec'] : [])],
    additionalProperties: false,
    'x-overland-rules': table.rules.map(({ path, rule }) => ({ path, rule })),
    ...(table.immutable.length > 0 && { 'x-overland-immutable': table.immutable }),
  };
}

function metadataOf({ name, manifestName, namespaced, nameFrom }: AnyKindTable): JsonSchema {
  const { properties = {}, ...metadata } = convert(metadataSchema);
  const { namespace, ...others } = properties;
  const rules = [name.rule, ...(manifestName ? [manifestName.rule] : [])];
  return {
    ...metadata,
    description: 'Name and labels, and what the datastore adds.',
    required: nameFrom ? [] : ['name'],
    properties: {
      ...others,
      name: { ...others.name, 'x-overland-rule': rules.join(', ').replaceAll('must be ', '') },
      ...(namespaced && namespace && { namespace: { ...namespace, default: 'default' } }),
    },
  };
}

function convert(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => complete(zodSchema, jsonSchema as Draft),
  });
  return converted as JsonSchema;
}

/** Turns the meta data of our tables into JSON Schema, and says what zod leaves out. */
function complete(zodSchema: z.core.$ZodType, draft: Draft): void {
  const { def } = zodSchema._zod as { readonly def: { type: string; defaultValue?: unknown } };
  if (def.type === 'object') draft.additionalProperties = false;
  if (def.type === 'bigint') draft.type = 'integer';
  if (def.type === 'default' && def.defaultValue !== undefined) draft.default = def.defaultValue;
  // zod leaves it out where reading a value changes its form.
  const { default: preset } = (z.globalRegistry.get(zodSchema) ?? {}) as { default?: unknown };
  if (preset !== undefined) draft.default = preset;
  if (draft.minimum === Number.MIN_SAFE_INTEGER) delete draft.minimum;
  if (draft.maximum === Number.MAX_SAFE_INTEGER) delete draft.maximum;
  delete draft.propertyNames;
  const { rule, extension, secret } = draft;
  if (typeof rule === 'string') draft['x-overland-rule'] = rule;
  if (extension === true) draft['x-overland-extension'] = true;
  if (secret === true) draft.writeOnly = true;
  for (const key of ['rule', 'extension', 'secret']) delete draft[key];
  // A default in words is for people.
  if (draft.type !== 'string' && typeof draft.default === 'string') {
    draft['x-overland-default'] = draft.default;
    delete draft.default;
  }
}
