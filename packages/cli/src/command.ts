import type { Readable, Writable } from 'node:stream';
import type { Colours } from './colours.ts';

/** What a command may use of the outside world. Nothing in a command touches `process` directly. */
export interface CommandContext {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path that relative arguments refer to. */
  readonly workingDirectory: string;
  readonly isRoot: boolean;
  /** Whether a person watches standard error: progress may be rewritten in place. */
  readonly isInteractive: boolean;
  /** Plain text unless standard output is a terminal that takes colours. */
  readonly colours: Colours;
}

/** The user asked for something that cannot be done as asked: one clear line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command could not do its work: one clear line, exit code 1. Any other error also prints its stack with `OVERLAND_DEBUG=1`. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
}

/** A positional argument. The last one may be variadic. */
export interface ArgumentSpec {
  readonly summary: string;
  readonly optional?: true;
  readonly variadic?: true;
  /** All that it may be. */
  readonly choices?: readonly string[];
}

/** An option. The key in `options` is its long name in camelCase: `graceSeconds` is `--grace-seconds`. */
export type OptionSpec =
  | { readonly type: 'boolean'; readonly short?: string; readonly summary: string }
  | {
      readonly type: 'string';
      readonly short?: string;
      readonly summary: string;
      /** Name of the value in the help, such as `file`. */
      readonly value?: string;
      readonly choices?: readonly string[];
      readonly default?: string;
    }
  | {
      /** May be given several times. */
      readonly type: 'list';
      readonly short?: string;
      readonly summary: string;
      readonly value?: string;
    }
  | {
      readonly type: 'number';
      readonly short?: string;
      readonly summary: string;
      readonly value?: string;
      /** Inclusive. */
      readonly minimum?: number;
      /** Inclusive. */
      readonly maximum?: number;
      readonly default?: number;
    };

type OptionValue<O extends OptionSpec> = O extends { type: 'boolean' }
  ? boolean
  : O extends { type: 'list' }
    ? readonly string[]
    : O extends { type: 'number'; default: number }
      ? number
      : O extends { type: 'number' }
        ? number | undefined
        : O extends { choices: readonly (infer C)[]; default: string }
          ? C
          : O extends { choices: readonly (infer C)[] }
            ? C | undefined
            : O extends { default: string }
              ? string
              : string | undefined;

type ArgumentValue<A extends ArgumentSpec> = A extends { variadic: true }
  ? readonly string[]
  : A extends { choices: readonly (infer C)[]; optional?: never }
    ? C
    : A extends { optional: true }
      ? string | undefined
      : string;

export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>;
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Arguments and options of one invocation, by name. */
type Input<A extends ArgumentSpecs, O extends OptionSpecs> = {
  readonly [K in keyof A]: ArgumentValue<A[K]>;
} & { readonly [K in keyof O]: OptionValue<O[K]> };

/** One command as data: what it takes, how it is explained, what it does. */
export interface CommandSpec<A extends ArgumentSpecs, O extends OptionSpecs> {
  /** Noun and verb: `lab up`. */
  readonly name: string;
  /** One line, imperative, no full stop. */
  readonly summary: string;
  /** More than the summary, if needed. */
  readonly description?: string;
  /** In order. */
  readonly arguments?: A;
  readonly options?: O;
  /** Shown in the help: what to type, and what it is for. At least two. */
  readonly examples: readonly [Example, Example, ...Example[]];
  /** @returns the exit code. @throws {UsageError} exit code 2. @throws {FailureError} exit code 1. */
  handle(context: CommandContext, input: Input<A, O>): Promise<number>;
}

type Example = readonly [typed: string, meaning: string];

/** A command whose input types are forgotten, as the registry holds it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly arguments: ArgumentSpecs;
  readonly options: OptionSpecs;
  readonly examples: readonly Example[];
  run(context: CommandContext, input: Readonly<Record<string, unknown>>): Promise<number>;
}

/** Declares a command; its input is typed from `arguments` and `options`. */
export function command<const A extends ArgumentSpecs, const O extends OptionSpecs>(
  spec: CommandSpec<A, O>,
): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    description: spec.description,
    arguments: spec.arguments ?? {},
    options: spec.options ?? {},
    examples: spec.examples,
    // `program.ts` builds the record from these very specifications.
    run: (context, input) => spec.handle(context, input as Input<A, O>),
  };
}

/** `-o, --output`: every listing has it. */
export const OUTPUT_OPTION = {
  type: 'string',
  short: 'o',
  value: 'format',
  summary: 'how to print',
  choices: ['table', 'json'],
  default: 'table',
} as const satisfies OptionSpec;

/** `--log-level`: of commands that run until they are stopped. */
export const LOG_LEVEL_OPTION = {
  type: 'string',
  value: 'level',
  summary: 'least severe messages to log',
  choices: ['debug', 'info', 'warn', 'error', 'silent'],
  default: 'info',
} as const satisfies OptionSpec;
