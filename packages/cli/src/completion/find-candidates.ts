import type { Command, OptionSpec } from '../command.ts';
import { flagOf } from '../flag-name.ts';
import { NOUNS, type RegistryEntry } from '../registry.ts';

/** One thing that may stand at the cursor. */
export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** What may stand at the cursor. */
export type Completion =
  | { readonly type: 'words'; readonly candidates: readonly Candidate[] }
  | { readonly type: 'files' }
  | { readonly type: 'kinds' }
  /** Names of objects, those given already left out. */
  | {
      readonly type: 'names';
      readonly kind: string;
      readonly given: readonly string[];
      readonly options: Readonly<Record<string, string>>;
    }
  /** Namespaces in which there are objects of the kind. */
  | {
      readonly type: 'namespaces';
      readonly kind: string;
      readonly options: Readonly<Record<string, string>>;
    }
  /** Names of the workloads of this host. */
  | { readonly type: 'workloads' };

const NOTHING: Completion = { type: 'words', candidates: [] };
const HELP: Candidate = { word: '--help', meaning: 'explain the command' };
const FILES: ReadonlySet<string> = new Set(['file', 'path', 'directory', 'topology']);

/**
 * What may stand in the place of the last of `words`: the words of a command line behind the program's name, the
 * last one begun or empty. Knows arguments by their names in the command's table: `kind`, `name` or `names`
 * behind it, `name` of a workload command, `file` and the like; and options by the names of their values.
 */
export async function findCandidates(
  words: readonly string[],
  commands: readonly RegistryEntry[],
): Promise<Completion> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const entry = commands.find(({ name }) => isPrefix(name.split(' '), before));
  if (!entry) return wordsOf(nextWords(before, commands), current);
  return completeInput(await entry.load(), before.slice(entry.name.split(' ').length), current);
}

/** Nouns and verbs that continue `before`. */
function nextWords(before: readonly string[], commands: readonly RegistryEntry[]): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const { name, summary } of commands) {
    const parts = name.split(' ');
    if (!isPrefix(before, parts)) continue;
    const word = parts[before.length] ?? '';
    const isLast = parts.length === before.length + 1;
    const meaning = isLast ? summary : (NOUNS[parts.slice(0, before.length + 1).join(' ')] ?? '');
    if (!found.has(word)) found.set(word, { word, meaning });
  }
  return [...found.values(), ...(found.size > 0 ? [HELP] : [])];
}

function completeInput(
  { name: command, arguments: specs, options }: Command,
  before: readonly string[],
  current: string,
): Completion {
  const { positional, values, open, isLiteral } = scan(options, before);
  const names = Object.keys(specs);
  const kind = positional[names.indexOf('kind')];
  if (open === options.namespace && open && kind !== undefined) {
    return { type: 'namespaces', kind, options: values };
  }
  if (open) return completeValue(open, current, '');
  if (current.startsWith('-') && !isLiteral) {
    const [flag, value] = splitFlag(current);
    const spec = value === undefined ? undefined : findOption(options, flag);
    if (spec) return completeValue(spec, value ?? '', `${flag}=`);
    return wordsOf([...Object.entries(options).map(optionCandidate), HELP], current);
  }
  const at = Math.min(positional.length, names.length - 1);
  const name = names[at];
  if (name === undefined || (at < positional.length && !specs[name]?.variadic)) return NOTHING;
  const choices = specs[name]?.choices;
  if (choices) return wordsOf(choices.map(withoutMeaning), current);
  if (name === 'kind') return { type: 'kinds' };
  if (name === 'name' || name === 'names') {
    if (kind !== undefined) {
      return { type: 'names', kind, given: positional.slice(at), options: values };
    }
    if (command.startsWith('workload ')) return { type: 'workloads' };
  }
  return FILES.has(name) ? { type: 'files' } : NOTHING;
}

interface Scanned {
  readonly positional: readonly string[];
  /** Values of options, by their name in the table; of one given several times, the last. */
  readonly values: Readonly<Record<string, string>>;
  /** The option whose value is to come next. */
  readonly open: OptionSpec | undefined;
  /** Behind `--` nothing is an option. */
  readonly isLiteral: boolean;
}

function scan(options: Command['options'], before: readonly string[]): Scanned {
  const positional: string[] = [];
  const values: Record<string, string> = {};
  let open: readonly [name: string, spec: OptionSpec] | undefined;
  let isLiteral = false;
  for (const word of before) {
    if (open) {
      values[open[0]] = word;
      open = undefined;
    } else if (isLiteral || !word.startsWith('-') || word === '-') {
      positional.push(word);
    } else if (word === '--') {
      isLiteral = true;
    } else {
      const [flag, value] = splitFlag(word);
      const found = Object.entries(options).find(([name, spec]) => hasFlag(name, spec, flag));
      if (!found || found[1].type === 'boolean') continue;
      if (value === undefined) open = found;
      else values[found[0]] = value;
    }
  }
  return { positional, values, open: open?.[1], isLiteral };
}

function completeValue(spec: OptionSpec, begun: string, lead: string): Completion {
  if (spec.type === 'string' && spec.choices) {
    return wordsOf(
      spec.choices.map((choice) => withoutMeaning(lead + choice)),
      lead + begun,
    );
  }
  const isFile = spec.type !== 'boolean' && FILES.has(spec.value ?? '');
  return isFile ? { type: 'files' } : NOTHING;
}

function withoutMeaning(word: string): Candidate {
  return { word, meaning: '' };
}

function optionCandidate([name, spec]: readonly [string, OptionSpec]): Candidate {
  return { word: flagOf(name), meaning: spec.summary };
}

function findOption(options: Command['options'], flag: string): OptionSpec | undefined {
  return Object.entries(options).find(([name, spec]) => hasFlag(name, spec, flag))?.[1];
}

function hasFlag(name: string, { short }: OptionSpec, flag: string): boolean {
  return flag === flagOf(name) || (short !== undefined && flag === `-${short}`);
}

function splitFlag(word: string): [flag: string, value: string | undefined] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function wordsOf(
  candidates: readonly Candidate[],
  begun: string,
): Extract<Completion, { type: 'words' }> {
  return { type: 'words', candidates: candidates.filter(({ word }) => word.startsWith(begun)) };
}

function isPrefix(start: readonly string[], of: readonly string[]): boolean {
  return start.length <= of.length && start.every((word, i) => word === of[i]);
}
