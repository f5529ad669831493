import { Argument, Command as Commander, CommanderError, Option } from 'commander';
import {
  type ArgumentSpec,
  type Command,
  type CommandContext,
  type OptionSpec,
  UsageError,
} from './command.ts';
import { EXIT, exitCodeOf, isExpected } from './exit-codes.ts';
import { camel, flagOf, kebab } from './flag-name.ts';
import { COMMANDS, NOUNS, type RegistryEntry } from './registry.ts';

/**
 * Parses `args` (without the program's own name), runs the command they name and reports its failure on
 * `context.stderr`.
 *
 * @returns the exit code, of {@link EXIT}.
 */
export async function runProgram(
  args: readonly string[],
  context: CommandContext,
  commands: readonly RegistryEntry[] = COMMANDS,
): Promise<number> {
  if (args[0] === '__complete') {
    const { answerShell } = await import('./completion/answer-shell.ts');
    await answerShell(args.slice(args[1] === '--' ? 2 : 1), context, commands);
    return EXIT.success;
  }
  const outcome = { exitCode: EXIT.success as number };
  try {
    const program = await buildProgram(asCommand(args), context, { commands, outcome });
    await program.parseAsync(asCommand(args), { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    return reportError(error, context);
  }
}

/** `--version` alone is what most people try first; `help` may stand in front, or behind a noun. */
function asCommand(args: readonly string[]): readonly string[] {
  const [first, second, ...rest] = args;
  if (first === '--version' || first === '-V') return ['version', ...args.slice(1)];
  if (first === 'help') return [...args.slice(1), '--help'];
  if (first !== undefined && second === 'help' && Object.hasOwn(NOUNS, first)) {
    return [first, ...rest, '--help'];
  }
  return args;
}

interface Wiring {
  readonly commands: readonly RegistryEntry[];
  /** Written by the command that ran. */
  readonly outcome: { exitCode: number };
}

/** Only the command that `args` name is loaded; the others are a name and a summary. */
async function buildProgram(
  args: readonly string[],
  context: CommandContext,
  { commands, outcome }: Wiring,
): Promise<Commander> {
  const program = configure(new Commander('overland'), context, commands)
    .description('Container networking without the overlay: every host is a router.')
    .addHelpText('after', '\nHelp of a command: overland COMMAND --help');
  const chosen = chooseEntry(args, commands);
  const groups = new Map<string, Commander>();

  for (const entry of commands) {
    const [noun = '', verb] = entry.name.split(' ');
    let parent = program;
    if (verb !== undefined) {
      parent = groups.get(noun) ?? addGroup(program, noun, context);
      groups.set(noun, parent);
    }
    const leaf = configure(parent.command(verb ?? noun), context).description(entry.summary);
    if (entry !== chosen) continue;
    const loaded = await entry.load();
    declare(leaf, loaded).action(async () => {
      outcome.exitCode = await loaded.run(context, inputOf(leaf, loaded));
    });
  }
  return program;
}

function addGroup(program: Commander, noun: string, context: CommandContext): Commander {
  return configure(program.command(noun), context)
    .description(NOUNS[noun] ?? '')
    .addHelpText('after', `\nHelp of a command: overland ${noun} COMMAND --help`);
}

function configure(
  commander: Commander,
  context: CommandContext,
  commands: readonly RegistryEntry[] = [],
): Commander {
  return commander
    .exitOverride()
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      outputError: (text, write) =>
        write(explain(text.replace(/^error: /, 'overland: '), commander, commands)),
    });
}

/** What else may have been meant: a verb without its noun, or an option of the program that a command is to run. */
function explain(text: string, commander: Commander, commands: readonly RegistryEntry[]): string {
  const unknown = /unknown command '(.*?)'/.exec(text)?.[1];
  const withNoun = commands.filter(({ name }) => name.split(' ')[1] === unknown);
  if (unknown !== undefined && withNoun.length > 0) {
    const names = withNoun.map(({ name }) => name).join(' or ');
    return `overland: unknown command '${unknown}'\n(Did you mean ${names}?)\n`;
  }
  const { registeredArguments } = commander;
  const runsPrograms = registeredArguments.some(({ variadic }) => variadic);
  if (!runsPrograms || !text.includes('unknown option')) return text;
  return `${text.trimEnd()}; put -- before the command to run\n`;
}

function chooseEntry(
  args: readonly string[],
  commands: readonly RegistryEntry[],
): RegistryEntry | undefined {
  const [noun, verb] = args.filter((arg) => !arg.startsWith('-'));
  return commands.find(({ name }) => name === noun || name === `${noun} ${verb}`);
}

function declare(leaf: Commander, loaded: Command): Commander {
  if (loaded.description !== undefined)
    leaf.description(`${loaded.summary}.\n\n${loaded.description}`);
  for (const [name, spec] of Object.entries(loaded.arguments))
    leaf.addArgument(toArgument(name, spec));
  for (const [name, spec] of Object.entries(loaded.options)) leaf.addOption(toOption(name, spec));
  const width = Math.max(...loaded.examples.map(([typed]) => typed.length));
  const examples = loaded.examples.map(
    ([typed, meaning]) => `  ${typed.padEnd(width)}  # ${meaning}`,
  );
  return leaf.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
}

function toArgument(name: string, spec: ArgumentSpec): Argument {
  const dots = spec.variadic ? '...' : '';
  const text = `${kebab(name)}${dots}`;
  const argument = new Argument(spec.optional ? `[${text}]` : `<${text}>`, spec.summary);
  return spec.choices ? argument.choices(spec.choices) : argument;
}

function toOption(name: string, spec: OptionSpec): Option {
  const value = spec.type === 'boolean' ? '' : ` <${spec.value ?? spec.type}>`;
  const flags = `${spec.short ? `-${spec.short}, ` : ''}${flagOf(name)}${value}`;
  const option = new Option(flags, spec.summary);
  switch (spec.type) {
    case 'boolean':
      return option;
    case 'list':
      return option.argParser((text, previous: readonly string[] = []) => [...previous, text]);
    case 'number':
      if (spec.default !== undefined) option.default(spec.default);
      return option.argParser((text) => parseNumber(flagOf(name), text, spec));
    case 'string':
      if (spec.default !== undefined) option.default(spec.default);
      if (spec.choices) option.choices(spec.choices);
      return option;
    default:
      return spec satisfies never;
  }
}

function parseNumber(
  flag: string,
  text: string,
  { minimum = -Infinity, maximum = Infinity }: { minimum?: number; maximum?: number },
): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < minimum || value > maximum) {
    const bounds = Number.isFinite(minimum + maximum) ? ` from ${minimum} to ${maximum}` : '';
    throw new UsageError(`${flag} wants a number${bounds}, not '${text}'`);
  }
  return value;
}

function inputOf(leaf: Commander, loaded: Command): Record<string, unknown> {
  const names = Object.keys(loaded.arguments);
  const positional = names.map((name, i) => [name, leaf.processedArgs[i]] as const);
  const options = leaf.options.map((option) => {
    const name = camel(option.name());
    const value: unknown = leaf.getOptionValue(option.attributeName());
    // Commander keeps `--no-fib` as `fib`, true until it is given.
    return [name, option.negate ? !value : (value ?? unset(loaded.options[name]))] as const;
  });
  return Object.fromEntries([...positional, ...options.filter(([, value]) => value !== undefined)]);
}

/** What an option is that was not given; commander would tell of `false` and `[]` in the help, of each option. */
function unset(spec: OptionSpec | undefined): unknown {
  if (spec?.type === 'boolean') return false;
  return spec?.type === 'list' ? [] : undefined;
}

function reportError(error: unknown, { stderr, env }: CommandContext): number {
  if (error instanceof CommanderError) {
    // Commander has printed the line, or the help that was asked for.
    const asked = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    return asked ? EXIT.success : EXIT.badInput;
  }
  const message = error instanceof Error ? error.message : String(error);
  for (const line of message.split('\n')) stderr.write(`overland: ${line}\n`);
  if (!isExpected(error) && env.OVERLAND_DEBUG && error instanceof Error)
    stderr.write(`${error.stack}\n`);
  return exitCodeOf(error);
}
