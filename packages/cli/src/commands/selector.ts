import {
  formatSelector,
  type Labels,
  matches,
  parseSelector,
  SelectorError,
} from '@overland/model';
import { selectorId } from '@overland/model/selector-id';
import { command, OUTPUT_OPTION, UsageError } from '../command.ts';

/** `selector EXPR [--labels a=b,…] [-o json]` - what a selector means, without a datastore; exit code 2 if it does not parse. */
export const selector = command({
  name: 'selector',
  summary: 'Parse a label selector, and say which labels it matches',
  description:
    'Prints the canonical spelling and the id that kernel sets are named after; with --labels also whether an object with these labels is selected. With -o json: canonical, id, and matches, which is null without --labels. Exit code 2 if the selector does not parse.',
  arguments: { expression: { summary: 'such as "rack == \'r1\' && has(gpu)"' } },
  options: {
    labels: {
      type: 'list',
      short: 'l',
      value: 'key=value,…',
      summary: 'labels of an object; an empty text is an object without labels',
    },
    output: OUTPUT_OPTION,
  },
  examples: [
    ["overland selector \"rack in {'r1', 'r2'}\" --labels rack=r1,gpu=", 'does it match?'],
    ["overland selector '!has(gpu)' -o json", 'canonical spelling and id, for a script'],
  ],
  async handle({ stdout }, { expression: text, labels, output }) {
    const expression = parse(text);
    const canonical = formatSelector(expression);
    const id = selectorId(expression);
    const selected = labels.length === 0 ? null : matches(expression, parseLabels(labels));
    if (output === 'json') {
      stdout.write(`${JSON.stringify({ canonical, id, matches: selected })}\n`);
    } else {
      stdout.write(`canonical  ${canonical}\nid         ${id}\n`);
      if (selected !== null) stdout.write(`matches    ${selected ? 'yes' : 'no'}\n`);
    }
    return 0;
  },
});

function parse(text: string): ReturnType<typeof parseSelector> {
  try {
    return parseSelector(text);
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw new UsageError(
      [`the selector does not parse: expected ${error.allowed}`, ...pointAt(text, error)].join(
        '\n',
      ),
    );
  }
}

const SHOWN_BEFORE = 60;
const SHOWN_AFTER = 15;

/** The text around the mistake, and a caret below it. */
function pointAt(text: string, { column }: SelectorError): string[] {
  const from = Math.max(0, column - 1 - SHOWN_BEFORE);
  const shown = text.slice(from, column - 1 + SHOWN_AFTER).replaceAll(/\p{Cc}/gu, ' ');
  const before = from > 0 ? '…' : '';
  const after = column - 1 + SHOWN_AFTER < text.length ? '…' : '';
  return [`  ${before}${shown}${after}`, `  ${' '.repeat(before.length + column - 1 - from)}^`];
}

function parseLabels(given: readonly string[]): Labels {
  const labels = new Map<string, string>();
  for (const pair of given.flatMap((list) => (list === '' ? [] : list.split(',')))) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair.trim()) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(`--labels wants key=value,key=value,…, not '${pair}'`);
    }
    if (labels.has(key)) throw new UsageError(`--labels has the key ${key} twice`);
    labels.set(key, value);
  }
  return Object.fromEntries(labels);
}
