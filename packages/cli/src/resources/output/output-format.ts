import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Kind } from '@overland/model';
import { UsageError } from '../../command.ts';
import { type JsonPath, parseJsonPath, textOf } from './json-path.ts';
import { columnNamed, columnTitles, type KindColumn, kindColumns } from './kind-columns.ts';
import { parseTemplate, type Template } from './template/parse-template.ts';

/** How `get` prints. */
export type OutputFormat =
  | { readonly type: 'table'; readonly columns: readonly KindColumn[] }
  | { readonly type: 'yaml' }
  | { readonly type: 'json' }
  | { readonly type: 'name' }
  | { readonly type: 'template'; readonly template: Template };

/** For the help and for messages. */
export const OUTPUT_FORMATS =
  'ps, wide, yaml, json, name, custom-columns=…, go-template=… or go-template-file=…';

const MAX_TEMPLATE_OCTETS = 256 * 1024;

export interface FormatContext {
  readonly kind: Kind;
  /** Whether the first column is the namespace. */
  readonly hasNamespaceColumn: boolean;
  readonly workingDirectory: string;
}

/** Reads the value of `-o`. @throws {UsageError} That says what is allowed. */
export function parseOutputFormat(typed: string, context: FormatContext): OutputFormat {
  const at = typed.indexOf('=');
  const name = at < 0 ? typed : typed.slice(0, at);
  const value = at < 0 ? undefined : typed.slice(at + 1);
  switch (name) {
    case 'yaml':
    case 'json':
    case 'name':
      if (value === undefined) return { type: name };
      break;
    case 'ps':
    case 'wide':
      if (value === undefined) {
        const columns = kindColumns(context.kind, name === 'wide' ? 'wide' : 'narrow');
        return { type: 'table', columns: withNamespace(columns, context) };
      }
      break;
    case 'custom-columns':
      if (value) return { type: 'table', columns: customColumns(value, context) };
      break;
    case 'go-template':
    case 'template':
      if (value) return { type: 'template', template: parseTemplate(value) };
      break;
    case 'go-template-file':
    case 'templatefile':
      if (value) {
        return { type: 'template', template: parseTemplate(readTemplate(value, context)) };
      }
      break;
    default:
      break;
  }
  throw new UsageError(`-o ${typed} is not a format: ${OUTPUT_FORMATS}`);
}

function withNamespace(
  columns: readonly KindColumn[],
  { kind, hasNamespaceColumn }: FormatContext,
): readonly KindColumn[] {
  const namespace = hasNamespaceColumn ? columnNamed(kind, 'NAMESPACE') : undefined;
  return namespace ? [namespace, ...columns] : columns;
}

/** `NAME,CIDR` names columns of the kind, as calicoctl does; `TITLE:.path` makes one, as kubectl does. */
function customColumns(spec: string, { kind }: FormatContext): KindColumn[] {
  return splitOutsideBrackets(spec).map((item): KindColumn => {
    const at = item.indexOf(':');
    if (at < 0) {
      const column = columnNamed(kind, item.trim());
      if (column) return column;
      const known = columnTitles(kind).join(', ');
      throw new UsageError(
        `custom-columns: ${kind} has no column ${item.trim()}, only ${known}; or write TITLE:.path`,
      );
    }
    const title = item.slice(0, at).trim();
    if (title === '') throw new UsageError(`custom-columns: ${item} has no title`);
    return { title, cell: pathCell(parseJsonPath(item.slice(at + 1))) };
  });
}

/** `<none>`, as kubectl has it, so that the columns behind keep their place for scripts. */
function pathCell(find: JsonPath): KindColumn['cell'] {
  return (resource) => {
    const found = find(resource);
    return found.length === 0 ? '<none>' : found.map(textOf).join(',');
  };
}

function splitOutsideBrackets(text: string): string[] {
  const items = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '[') depth++;
    if (character === ']') depth--;
    if (character === ',' && depth === 0) items.push('');
    else items[items.length - 1] += character;
  }
  return items;
}

function readTemplate(file: string, { workingDirectory }: FormatContext): string {
  try {
    const text = readFileSync(resolve(workingDirectory, file), 'utf8');
    if (text.length <= MAX_TEMPLATE_OCTETS) return text;
  } catch (error) {
    throw new UsageError(`go-template-file: cannot read ${file}: ${(error as Error).message}`);
  }
  throw new UsageError(`go-template-file: ${file} is longer than ${MAX_TEMPLATE_OCTETS}`);
}
