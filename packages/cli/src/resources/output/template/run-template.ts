import { isJsonObject, sameJson } from '@overland/model';
import { FailureError } from '../../../command.ts';
import { textOf } from '../json-path.ts';
import type { Template, TemplateNode, Term } from './parse-template.ts';

interface Scope {
  /** What `.` is. */
  readonly dot: unknown;
  /** What `$` is. */
  readonly root: unknown;
  readonly variables: Map<string, unknown>;
}

/** Longest output: keeps out a template that multiplies. */
const MAX_OUTPUT = 256 * 1024 * 1024;

/**
 * What a template makes of the result of `get`, which is a list: of one `…List` for a kind, or of the objects that
 * were named. So `{{range .}}{{range .Items}}` is as for calicoctl; as for kubectl, `.items` and, of a single object, its fields are found
 * as well. Fields are named as in JSON, or as Go's types have them (`.ObjectMeta.Name`, `.Spec.CIDR`).
 *
 * @throws {FailureError} If a function is given what it cannot take.
 */
export function runTemplate(template: Template, root: readonly unknown[]): string {
  const output: string[] = [];
  let length = 0;
  const write = (text: string): void => {
    output.push(text);
    length += text.length;
    if (length > MAX_OUTPUT) throw new FailureError('template: the output is too long');
  };
  run(template, { dot: root, root, variables: new Map() }, write);
  return output.join('');
}

function run(template: Template, scope: Scope, write: (text: string) => void): void {
  for (const node of template) runNode(node, scope, write);
}

function runNode(node: TemplateNode, scope: Scope, write: (text: string) => void): void {
  switch (node.type) {
    case 'text':
      write(node.text);
      break;
    case 'print':
      write(printed(evaluate(node.term, scope)));
      break;
    case 'set':
      scope.variables.set(node.variable, evaluate(node.term, scope));
      break;
    case 'range':
      runRange(node, scope, write);
      break;
    case 'if':
    case 'with': {
      const value = evaluate(node.term, scope);
      const inner = inside(scope, node.type === 'with' && isTrue(value) ? value : scope.dot);
      const [variable] = node.variables;
      if (variable !== undefined) inner.variables.set(variable, value);
      run(isTrue(value) ? node.body : node.otherwise, inner, write);
      break;
    }
    default:
      node satisfies never;
  }
}

function runRange(
  { term, variables, body, otherwise }: Extract<TemplateNode, { type: 'range' | 'if' | 'with' }>,
  scope: Scope,
  write: (text: string) => void,
): void {
  const value = evaluate(term, scope);
  const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : isJsonObject(value)
      ? Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
      : [];
  if (entries.length === 0) run(otherwise, inside(scope, scope.dot), write);
  for (const [key, item] of entries) {
    const inner = inside(scope, item);
    const [first, second] = variables;
    if (second !== undefined) {
      inner.variables.set(first ?? '', key);
      inner.variables.set(second, item);
    } else if (first !== undefined) inner.variables.set(first, item);
    run(body, inner, write);
  }
}

function inside({ root, variables }: Scope, dot: unknown): Scope {
  return { dot, root, variables: new Map(variables) };
}

function evaluate(term: Term, scope: Scope): unknown {
  switch (term.type) {
    case 'constant':
      return term.value;
    case 'place': {
      const { variable, fields } = term;
      let value = scope.dot;
      if (variable === '') value = scope.root;
      else if (variable !== undefined) {
        if (!scope.variables.has(variable))
          throw new FailureError(`template: there is no variable $${variable}`);
        value = scope.variables.get(variable);
      }
      return fields.reduce((from, field) => fieldOf(from, field, scope), value);
    }
    case 'call':
      return call(
        term.name,
        term.args.map((arg) => evaluate(arg, scope)),
      );
    default:
      return term satisfies never;
  }
}

/** Go's names of what JSON calls otherwise. */
const GO_NAMES: Readonly<Record<string, string>> = { ObjectMeta: 'metadata', ListMeta: 'metadata' };

function fieldOf(from: unknown, field: string, { root }: Scope): unknown {
  // kubectl's root is the list or the object itself.
  const object: unknown =
    Array.isArray(from) && from === root && from.length === 1 ? from[0] : from;
  if (!isJsonObject(object)) return undefined;
  if (Object.hasOwn(object, field)) return object[field];
  if (field === 'TypeMeta') return object;
  const wanted = (GO_NAMES[field] ?? field).toLowerCase();
  return Object.entries(object).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

function call(name: string, args: readonly unknown[]): unknown {
  const [first, second] = args;
  switch (name) {
    case 'join':
      return join(first, String(second), 0);
    case 'joinAndTruncate':
      return join(first, String(second), Number(args[2]));
    case 'len':
      return lengthOf(first);
    case 'index':
      return args.slice(1).reduce((value, key) => itemOf(value, key), first);
    case 'eq':
      return args.slice(1).some((other) => isSame(first, other));
    case 'ne':
      return !isSame(first, second);
    case 'lt':
      return compare(first, second) < 0;
    case 'le':
      return compare(first, second) <= 0;
    case 'gt':
      return compare(first, second) > 0;
    case 'ge':
      return compare(first, second) >= 0;
    case 'and':
      return args.find((value) => !isTrue(value)) ?? args.at(-1);
    case 'or':
      return args.find(isTrue) ?? args.at(-1);
    case 'not':
      return !isTrue(first);
    case 'print':
      return args.map(printed).join('');
    case 'println':
      return `${args.map(printed).join(' ')}\n`;
    default:
      throw new RangeError(`no function ${name}`);
  }
}

/** As calicoctl's: maps as sorted `key=value` pairs; cut off with `…` at so many characters if that is positive. */
function join(value: unknown, separator: string, most: number): string {
  if (value === undefined || value === null) return '';
  const items = Array.isArray(value)
    ? value.map(printed)
    : isJsonObject(value)
      ? Object.entries(value)
          .map(([key, item]) => `${key}=${printed(item)}`)
          .toSorted()
      : [printed(value)];
  const text = items.join(separator);
  return most > 0 && text.length > most ? `${text.slice(0, Math.max(0, most - 3))}...` : text;
}

function lengthOf(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (isJsonObject(value)) return Object.keys(value).length;
  throw new FailureError(`template: ${printed(value)} has no length`);
}

function itemOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isJsonObject(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : undefined;
}

/** What is absent equals the empty text, zero and false: Go's types have no absence. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === undefined || a === null) return b === undefined || b === null || !isTrue(b);
  return b === undefined || b === null ? !isTrue(a) : sameJson(a, b);
}

function compare(a: unknown, b: unknown): number {
  const numeric = (value: unknown): value is number | bigint =>
    typeof value === 'number' || typeof value === 'bigint';
  if (numeric(a) && numeric(b)) return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw new FailureError(`template: ${printed(a)} and ${printed(b)} cannot be compared`);
}

function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (value === 0 || value === 0n) return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isJsonObject(value) || Object.keys(value).length > 0;
}

function printed(value: unknown): string {
  return value === undefined || value === null ? '' : textOf(value);
}
