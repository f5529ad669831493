import { findKind, KINDS, type Kind, kindTable, nearestName } from '@overland/model';
import { type FieldRow, fieldRows, jsonSchemaOf } from '@overland/model/reference';
import { type CommandContext, command, UsageError } from '../command.ts';
import { type Column, formatTable } from '../table.ts';

/** `schema [KIND] [-o json|table]` - the JSON Schema of a kind's manifests; without KIND the list of kinds. */
export const schema = command({
  name: 'schema',
  summary: "Print the JSON Schema of a kind's manifests, or list the kinds",
  description:
    'KIND is the name, plural or an alias of a kind, in any case. Prints its JSON Schema (draft 2020-12) for editors and validators; -o table prints its fields for people. A schema cannot say everything: overland validate also parses selectors, prefixes and the like, and checks rules between fields, which stand in the schema as x-overland-rules. Without KIND lists the kinds.',
  arguments: { kind: { summary: 'such as IPPool, ippools or pool', optional: true } },
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'format',
      summary: 'how to print; default: json with KIND, table without',
      choices: ['table', 'json'],
    },
  },
  examples: [
    ['overland schema IPPool > ippool.schema.json', 'for an editor that checks YAML'],
    ['overland schema bgppeer -o table', 'the fields, for people'],
    ['overland schema -o json', 'every kind and how it is called, for a script'],
  ],
  async handle({ stdout, colours }, { kind: typed, output }) {
    if (typed === undefined) {
      const kinds = (Object.keys(KINDS) as Kind[]).map(describeKind);
      if (output === 'json') stdout.write(`${JSON.stringify(kinds, null, 2)}\n`);
      else stdout.write(formatTable(KIND_COLUMNS, kinds, colours.bold));
      return 0;
    }
    const found = kindOf(typed);
    const jsonSchema = jsonSchemaOf(found);
    if (output === 'table') stdout.write(fieldTable(found, colours));
    else stdout.write(`${JSON.stringify(jsonSchema, null, 2)}\n`);
    return 0;
  },
});

function kindOf(typed: string): Kind {
  const kind = findKind(typed);
  if (kind) return kind;
  const names = Object.values(KINDS).flatMap((table) => [
    table.kind,
    table.plural,
    ...table.aliases,
  ]);
  const nearest = nearestName(typed, names);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  throw new UsageError(`there is no kind ${typed}${hint}\noverland schema lists the kinds`);
}

interface KindDescription {
  readonly kind: Kind;
  readonly plural: string;
  readonly aliases: readonly string[];
  readonly namespaced: boolean;
  readonly summary: string;
}

function describeKind(name: Kind): KindDescription {
  const { plural, aliases, namespaced, summary } = kindTable(name);
  return { kind: name, plural, aliases, namespaced, summary };
}

const KIND_COLUMNS: readonly Column<KindDescription>[] = [
  { title: 'KIND', cell: ({ kind }) => kind },
  { title: 'PLURAL', cell: ({ plural }) => plural },
  { title: 'ALSO CALLED', cell: ({ aliases }) => aliases.join(', ') },
  { title: 'SCOPE', cell: ({ namespaced }) => (namespaced ? 'namespace' : 'cluster') },
];

const FIELD_COLUMNS: readonly Column<FieldRow>[] = [
  { title: 'FIELD', cell: ({ path, required }) => (required ? `${path} *` : path) },
  { title: 'TYPE', cell: ({ type }) => type },
  { title: 'DEFAULT', cell: (row) => row.default },
  { title: 'MUST BE', cell: ({ rule }) => rule },
  { title: 'MEANING', cell: ({ meaning }) => meaning },
];

function fieldTable(kind: Kind, colours: CommandContext['colours']): string {
  const { properties = {}, 'x-overland-rules': rules = [] } = jsonSchemaOf(kind);
  const rows = fieldRows({ properties: { spec: properties.spec ?? {} } }).slice(1);
  const lines = rules.map(({ path, rule }) => `${path} ${rule}\n`);
  return [
    `${kindTable(kind).summary}\n\n`,
    formatTable(FIELD_COLUMNS, rows, colours.bold),
    rows.some(({ required }) => required) ? '\n* required\n' : '',
    lines.length > 0 ? `\n${[...new Set(lines)].join('')}` : '',
  ].join('');
}
