export { extensionsPage } from './reference/extensions-page.ts';
export type { FieldRow } from './reference/field-rows.ts';
export { fieldRows } from './reference/field-rows.ts';
export type { JsonSchema } from './reference/json-schema.ts';
export { jsonSchemaOf } from './reference/json-schema.ts';
export { kindIndex, kindPage, pageName } from './reference/kind-page.ts';
