import { UsageError } from '../../../command.ts';

/** A value to be computed: a constant, a place in the data, or a function of others. */
export type Term =
  | { readonly type: 'constant'; readonly value: string | number | boolean }
  /** `.`, `.a.b`, `$.a`, `$name.a`: fields of the current value, of the whole, or of a variable. */
  | {
      readonly type: 'place';
      readonly variable: string | undefined;
      readonly fields: readonly string[];
    }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly Term[] };

/** One part of a template. */
export type TemplateNode =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'print'; readonly term: Term }
  | { readonly type: 'set'; readonly variable: string; readonly term: Term }
  | {
      readonly type: 'if' | 'range' | 'with';
      readonly term: Term;
      /** `$i, $item := …` of a range. */
      readonly variables: readonly string[];
      readonly body: Template;
      readonly otherwise: Template;
    };

export type Template = readonly TemplateNode[];

/** Functions and the numbers of their arguments. */
const FUNCTIONS = {
  join: [2, 2],
  joinAndTruncate: [3, 3],
  len: [1, 1],
  index: [2, 9],
  eq: [2, 9],
  ne: [2, 2],
  lt: [2, 2],
  le: [2, 2],
  gt: [2, 2],
  ge: [2, 2],
  and: [1, 9],
  or: [1, 9],
  not: [1, 1],
  print: [1, 9],
  println: [1, 9],
} as const satisfies Record<string, readonly [least: number, most: number]>;

/** Deepest nesting of blocks and brackets. */
const MAX_DEPTH = 50;
const ACTION =
  /\{\{(?<open>-\s)?(?<body>(?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^}"`]|\}(?!\}))*?)(?<close>\s-)?\}\}/g;
const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?<number>-?\d+(?:\.\d+)?)|(?<place>\$?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|\$\w*(?:\.[A-Za-z_]\w*)*|(?:\.[A-Za-z_]\w*)+|\.)|(?<word>[A-Za-z_]\w*)|(?<sign>:=|[()|,=]))/y;

interface Action {
  readonly body: string;
}

/**
 * Parses the part of Go's template language that `-o go-template` understands: text, `{{.a.b}}`, `range`, `if`, `else`, `with`,
 * `end`, variables, pipes, comments, `{{-`, `-}}` and the functions of {@link FUNCTIONS}.
 *
 * @throws {UsageError} That names what it does not know.
 */
export function parseTemplate(text: string): Template {
  const parts = [...partsOf(text)];
  const reader = { parts, next: 0 };
  const { nodes, ended } = readNodes(reader, 0);
  if (ended !== undefined) fail(`{{${ended}}} without a block that it ends`);
  return nodes;
}

function* partsOf(text: string): Generator<string | Action> {
  let at = 0;
  let trim = false;
  const plain = (raw: string) => (trim ? raw.trimStart() : raw);
  for (const found of text.matchAll(ACTION)) {
    const before = plain(text.slice(at, found.index));
    const { open, close, body = '' } = found.groups ?? {};
    yield open === undefined ? before : before.trimEnd();
    yield { body: body.trim() };
    trim = close !== undefined;
    at = found.index + found[0].length;
  }
  const rest = plain(text.slice(at));
  if (rest.includes('{{'))
    fail(`${rest.slice(rest.indexOf('{{'), rest.indexOf('{{') + 40)} is not closed`);
  yield rest;
}

interface Reader {
  readonly parts: readonly (string | Action)[];
  next: number;
}

/** Nodes up to an `end` or `else` that belongs to the block around them. */
function readNodes(
  reader: Reader,
  depth: number,
): { readonly nodes: Template; readonly ended: string | undefined } {
  if (depth > MAX_DEPTH) fail(`more than ${MAX_DEPTH} blocks in each other`);
  const nodes: TemplateNode[] = [];
  while (reader.next < reader.parts.length) {
    const part = reader.parts[reader.next++] ?? '';
    if (typeof part === 'string') {
      if (part !== '') nodes.push({ type: 'text', text: part });
      continue;
    }
    const { body } = part;
    if (body.startsWith('/*') && body.endsWith('*/')) continue;
    if (body === 'end' || /^else\b/.test(body)) return { nodes, ended: body };
    const block = /^(if|range|with)\b\s*(.*)$/s.exec(body);
    const type = block?.[1] as 'if' | 'range' | 'with' | undefined;
    nodes.push(type ? readBlock(reader, type, block?.[2] ?? '', depth) : readAction(body));
  }
  return { nodes, ended: undefined };
}

function readBlock(
  reader: Reader,
  type: 'if' | 'range' | 'with',
  head: string,
  depth: number,
): TemplateNode {
  const { variables, term } = readAssignment(head, `{{${type}}}`);
  const { nodes: body, ended } = readNodes(reader, depth + 1);
  if (ended === undefined) fail(`{{${type} ${head}}} has no {{end}}`);
  if (ended === 'end') return { type, term, variables, body, otherwise: [] };
  const chained = /^else\s+if\b\s*(.*)$/s.exec(ended ?? '');
  if (chained) {
    return {
      type,
      term,
      variables,
      body,
      otherwise: [readBlock(reader, 'if', chained[1] ?? '', depth)],
    };
  }
  if (ended !== 'else') fail(`{{${ended}}} is not supported`);
  const { nodes: otherwise, ended: last } = readNodes(reader, depth + 1);
  if (last !== 'end') fail(`{{else}} of {{${type} ${head}}} has no {{end}}`);
  return { type, term, variables, body, otherwise };
}

function readAction(body: string): TemplateNode {
  const [word = ''] = /^[a-z]+\b/.exec(body) ?? [];
  if (['define', 'template', 'block', 'break', 'continue'].includes(word))
    fail(`{{${word}}} is not supported`);
  const { variables, term } = readAssignment(body, `{{${body}}}`);
  const [variable, second] = variables;
  if (second !== undefined) fail(`{{${body}}} sets two variables`);
  return variable === undefined ? { type: 'print', term } : { type: 'set', variable, term };
}

interface Token {
  readonly kind: 'string' | 'number' | 'place' | 'word' | 'sign';
  readonly text: string;
}

function readAssignment(
  text: string,
  subject: string,
): { readonly variables: readonly string[]; readonly term: Term } {
  const tokens = [...tokensOf(text, subject)];
  const at = tokens.findIndex(({ kind, text: sign }) => kind === 'sign' && /^:?=$/.test(sign));
  const names = tokens.slice(0, Math.max(at, 0)).filter(({ text: sign }) => sign !== ',');
  for (const { text: name } of names) {
    if (!/^\$\w+$/.test(name)) fail(`${subject}: ${name} is not a variable`);
  }
  const rest = tokens.slice(at + 1);
  const term = readPipe(rest, subject, 0);
  if (rest.length > 0) fail(`${subject}: cannot read '${rest[0]?.text}'`);
  return { variables: names.map(({ text: name }) => name.slice(1)), term };
}

function* tokensOf(text: string, subject: string): Generator<Token> {
  TOKEN.lastIndex = 0;
  const whole = text.trimEnd();
  while (TOKEN.lastIndex < whole.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(whole)?.groups ?? {};
    const entry = Object.entries(groups).find(([, value]) => value !== undefined);
    if (!entry) fail(`${subject}: cannot read '${whole.slice(at).trim()}'`);
    const [kind, value] = entry as [Token['kind'], string];
    yield { kind, text: value };
  }
}

/** Takes from the front of `tokens`: commands joined by `|`, each the last argument of the next. */
function readPipe(tokens: Token[], subject: string, depth: number): Term {
  if (depth > MAX_DEPTH) fail(`${subject}: more than ${MAX_DEPTH} brackets in each other`);
  let term = readCommand(tokens, subject, { depth, piped: [] });
  while (tokens[0]?.text === '|' && tokens[0].kind === 'sign') {
    tokens.shift();
    term = readCommand(tokens, subject, { depth, piped: [term] });
  }
  return term;
}

function readCommand(
  tokens: Token[],
  subject: string,
  { depth, piped }: { readonly depth: number; readonly piped: readonly Term[] },
): Term {
  const [first] = tokens;
  const isCall = first?.kind === 'word' && first.text !== 'true' && first.text !== 'false';
  if (!isCall) {
    const term = readTerm(tokens, subject, depth);
    if (piped.length > 0) fail(`${subject}: only a function can stand behind |`);
    return term;
  }
  tokens.shift();
  const name = first.text;
  if (!Object.hasOwn(FUNCTIONS, name)) {
    fail(`${subject}: the function ${name} is not supported: ${Object.keys(FUNCTIONS).join(', ')}`);
  }
  const args: Term[] = [];
  while (tokens[0] && !(tokens[0].kind === 'sign' && /^[|)]$/.test(tokens[0].text))) {
    args.push(readTerm(tokens, subject, depth));
  }
  args.push(...piped);
  const [least, most] = FUNCTIONS[name as keyof typeof FUNCTIONS];
  if (args.length < least || args.length > most) {
    fail(
      `${subject}: ${name} takes ${least === most ? least : `${least} to ${most}`} arguments, not ${args.length}`,
    );
  }
  return { type: 'call', name, args };
}

function readTerm(tokens: Token[], subject: string, depth: number): Term {
  const token = tokens.shift();
  if (!token) return fail(`${subject}: something is missing at the end`);
  switch (token.kind) {
    case 'string':
      return { type: 'constant', value: unquote(token.text) };
    case 'number':
      return { type: 'constant', value: Number(token.text) };
    case 'word':
      if (token.text === 'true' || token.text === 'false')
        return { type: 'constant', value: token.text === 'true' };
      if (Object.hasOwn(FUNCTIONS, token.text)) return { type: 'call', name: token.text, args: [] };
      return fail(`${subject}: cannot read '${token.text}'`);
    case 'place': {
      const [head = '', ...fields] = token.text.split('.');
      const variable = head.startsWith('$') ? head.slice(1) : undefined;
      return { type: 'place', variable, fields: fields.filter((field) => field !== '') };
    }
    case 'sign': {
      if (token.text !== '(') return fail(`${subject}: '${token.text}' is not expected`);
      const inner = readPipe(tokens, subject, depth + 1);
      if (tokens.shift()?.text !== ')') fail(`${subject}: a bracket is not closed`);
      return inner;
    }
    default:
      return token.kind satisfies never;
  }
}

function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return fail(`${text} is not a string`);
  }
}

function fail(message: string): never {
  throw new UsageError(`template: ${message}`);
}
