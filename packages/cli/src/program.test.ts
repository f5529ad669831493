import { Readable, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { coloursFor } from './colours.ts';
import { type Command, command, FailureError, OUTPUT_OPTION, UsageError } from './command.ts';
import { runProgram } from './program.ts';
import { COMMANDS, type RegistryEntry } from './registry.ts';
import { captureRun } from './testing/captured-run.ts';

const greet = command({
  name: 'person greet',
  summary: 'Greet people',
  arguments: {
    who: { summary: 'whom' },
    others: { summary: 'and whom else', variadic: true, optional: true },
  },
  options: {
    output: OUTPUT_OPTION,
    loud: { type: 'boolean', summary: 'shout' },
    noWait: { type: 'boolean', summary: 'do not wait for an answer' },
    times: { type: 'number', summary: 'how often', minimum: 1, maximum: 3, default: 1 },
    alsoCalled: { type: 'list', summary: 'other names' },
  },
  examples: [
    ['overland person greet Ada', 'one'],
    ['overland person greet Ada Bob --loud', 'two'],
  ],
  async handle({ stdout }, input) {
    if (input.who === 'nobody') throw new UsageError('nobody is not a person');
    if (input.who === 'mute') throw new FailureError('mute does not answer');
    stdout.write(JSON.stringify(input));
    return 0;
  },
});

function entry(loaded: Command): RegistryEntry {
  return { name: loaded.name, summary: loaded.summary, load: async () => loaded };
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const sink = (key: 'out' | 'err'): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        written[key] += String(chunk);
        done();
      },
    });
  const context = {
    stdin: Readable.from([]),
    stdout: sink('out'),
    stderr: sink('err'),
    signal: new AbortController().signal,
    env: {},
    workingDirectory: '/',
    isRoot: false,
    isInteractive: false,
    colours: coloursFor({}, {}),
  };
  const code = await runProgram(args, context, [entry(greet)]);
  return { code, ...written };
}

test('arguments and options arrive by name, with defaults', async () => {
  const { code, out } = await run('person', 'greet', 'Ada', 'Bob', 'Eve', '--also-called', 'X');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    who: 'Ada',
    others: ['Bob', 'Eve'],
    output: 'table',
    loud: false,
    noWait: false,
    times: 1,
    alsoCalled: ['X'],
  });
});

test('an option may begin with no', async () => {
  const { out } = await run('person', 'greet', 'Ada', '--no-wait');
  expect(JSON.parse(out)).toMatchObject({ noWait: true });
});

test.each([
  [['person', 'greet'], "overland: missing required argument 'who'"],
  [['person', 'greet', 'Ada', '--lout'], "overland: unknown option '--lout'"],
  [
    ['person', 'greet', 'Ada', '--times', '9'],
    "overland: --times wants a number from 1 to 3, not '9'",
  ],
  [
    ['person', 'greet', 'Ada', '-o', 'xml'],
    "option '-o, --output <format>' argument 'xml' is invalid",
  ],
  [['person', 'greet', 'nobody'], 'overland: nobody is not a person'],
  [['person', 'great'], "overland: unknown command 'great'"],
])('%j is refused with exit code 2', async (args, message) => {
  const { code, err, out } = await run(...args);
  expect(err).toContain(message);
  expect(out).toBe('');
  expect(code).toBe(2);
});

test('failing to do the work is exit code 1', async () => {
  expect(await run('person', 'greet', 'mute')).toEqual({
    code: 1,
    out: '',
    err: 'overland: mute does not answer\n',
  });
});

test('the help of a command has its examples', async () => {
  const { code, out } = await run('person', 'greet', '--help');
  expect(code).toBe(0);
  expect(out).toContain('overland person greet Ada Bob --loud  # two');
  expect(out).toContain('(default: 1)');
  expect(out).not.toMatch(/default: (false|none|\[\])/);
});

test.each([
  [['help'], 'Usage: overland'],
  [['help', 'node'], 'Usage: overland node'],
  [['help', 'node', 'status'], 'Usage: overland node status'],
  [['node', 'help'], 'Usage: overland node'],
  [['node', 'help', 'status'], 'Usage: overland node status'],
  [['node', '--help'], 'Help of a command: overland node COMMAND --help'],
])('%j is help', async (args, text) => {
  const { code, out } = await captureRun(args);
  expect(out).toContain(text);
  expect(code).toBe(0);
});

test.each([
  [['nod'], 'Did you mean node?'],
  [['checksystem'], 'Did you mean node checksystem?'],
  [['node', 'statsu'], 'Did you mean status?'],
  [['node', 'status', '--wiat', '1'], 'Did you mean --wait?'],
])('%j is answered with what may have been meant', async (args, text) => {
  const { code, err } = await captureRun(args);
  expect(err).toContain(text);
  expect(code).toBe(2);
});

test('without a command the help is shown and the exit code is 2', async () => {
  const { code, err } = await run();
  expect(code).toBe(2);
  expect(err).toContain('Usage: overland');
});

test.each(COMMANDS.map((one) => [one.name, one] as const))(
  '%s: registry and command agree',
  async (_name, { name, summary, load }) => {
    expect(await load()).toMatchObject({ name, summary });
  },
);

test('an option after a command to run, without --, says what to put there', async () => {
  expect(await run('person', 'greet', 'Ada', 'ls', '-la')).toEqual({
    code: 2,
    out: '',
    err: "overland: unknown option '-la'; put -- before the command to run\n",
  });
});
