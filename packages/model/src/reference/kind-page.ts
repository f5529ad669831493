import { resourcePrefix } from '../keys.ts';
import { type AnyKindTable, KINDS, type Kind, kindTable } from '../kinds.ts';
import { type FieldRow, fieldRows } from './field-rows.ts';
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import { code, markdownTable } from './markdown.ts';

const GENERATED =
  'Generated from the tables in `packages/model/src/kinds/`; `npm run docs` writes it anew.';

/** Where the IPAM kinds are stored. */
const IPAM_KEYS: Readonly<Record<string, string>> = {
  IPAMConfiguration: '/calico/ipam/v2/config',
  BlockAffinity: '/calico/ipam/v2/host/NODE/ipv4/block/CIDR',
  IPAMBlock: '/calico/ipam/v2/assignment/ipv4/block/CIDR',
  IPAMHandle: '/calico/ipam/v2/handle/NAME',
};

/** Everything about a kind, as Markdown. @param example A manifest, as YAML. */
export function kindPage(kind: Kind, example: string): string {
  const table = kindTable(kind);
  const schema = jsonSchemaOf(kind);
  const { spec, status } = schema.properties ?? {};
  const parts = [
    `# ${kind}`,
    GENERATED,
    table.summary,
    facts(table),
    '## Example',
    `\`\`\`yaml\n${example.trimEnd()}\n\`\`\``,
    '## Spec',
    fieldTable(fieldRows(spec ?? {})),
    ...(status ? ['## Status', fieldTable(fieldRows(status))] : []),
    ...rulesOf(schema),
    `\`overland schema ${kind}\` prints the JSON Schema.`,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The list of all kinds, as Markdown. */
export function kindIndex(): string {
  const rows = Object.keys(KINDS).map((name) => {
    const { kind, summary, aliases, namespaced } = kindTable(name as Kind);
    return [
      `[${kind}](${pageName(kind)})`,
      namespaced ? 'namespace' : 'cluster',
      aliases.map(code).join(', '),
      summary,
    ];
  });
  const text = `# Resources

${GENERATED}

Every kind of \`projectcalico.org/v3\` that Overland knows: a page each, with all fields, defaults and rules, and a manifest to start from
([examples/](examples/)). What Calico lacks is marked there and explained in [extensions.md](../extensions.md).

A manifest is read strictly: unknown fields are mistakes, every rule is checked, and everything that is wrong is said at once (\`overland validate -f FILE\`). null and an empty
string where none makes sense mean that the field is absent. Objects in the datastore are read leniently, and what is not known is kept when they are written again.`;
  return `${text}\n\n${markdownTable(['Kind', 'Scope', 'Also called', 'What it is'], rows)}\n`;
}

/** File name of a kind's page. */
export function pageName(kind: Kind): string {
  return `${kind.toLowerCase()}.md`;
}

/** A table of fields. */
export function fieldTable(rows: readonly FieldRow[]): string {
  const head = ['Field', 'Type', 'Default', 'Must be', 'Meaning'];
  return markdownTable(
    head,
    rows.map((row) => [
      `${code(row.path)}${row.required ? ' (required)' : ''}${row.extension ? ' (extension)' : ''}`,
      row.type,
      code(row.default),
      row.rule,
      row.meaning,
    ]),
  );
}

function facts({ kind, plural, aliases, namespaced, name, storage }: AnyKindTable): string {
  const key =
    storage === 'ipam'
      ? IPAM_KEYS[kind]
      : `${resourcePrefix(kind)}${namespaced ? 'NAMESPACE/' : ''}NAME`;
  return [
    `- Scope: ${namespaced ? 'a namespace' : 'the cluster'}`,
    `- Name: ${name.rule.replace(/^must /, '')}`,
    `- On the command line: ${[plural, ...aliases].map(code).join(', ')}`,
    `- Stored at: ${code(key ?? '')}`,
  ].join('\n');
}

function rulesOf(schema: JsonSchema): string[] {
  const rules = (schema['x-overland-rules'] ?? []).map(
    ({ path, rule }) => `- ${code(path)} ${rule}`,
  );
  const immutable = (schema['x-overland-immutable'] ?? []).map(code);
  return [
    ...(rules.length > 0 ? ['## Rules between fields', [...new Set(rules)].join('\n')] : []),
    ...(immutable.length > 0
      ? [`What cannot be changed after creation: ${immutable.join(', ')}.`]
      : []),
  ];
}
