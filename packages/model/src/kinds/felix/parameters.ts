import { ParseError } from '@overland/net';
import { z } from 'zod';
import { duration, fallback, pattern, text } from '../../scalars.ts';

// One line per parameter: type, Felix's default, meaning. A default is not filled in on read, because an object
// for one node must not hide the common one with values that nobody wrote. Each gives a function that makes the schema:
// there are some 170, and few processes look at them.

interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly preset?: number;
}

/** The schemas of parameters. */
export function schemasOf<P extends Readonly<Record<string, () => z.ZodType>>>(
  parameters: P,
): { readonly [K in keyof P]: ReturnType<P[K]> } {
  const made = Object.entries(parameters).map(([name, make]) => [name, make()] as const);
  return Object.fromEntries(made) as { readonly [K in keyof P]: ReturnType<P[K]> };
}

/** The default where there is one; `undefined` where Felix decides by itself. */
function preset<T extends z.ZodType>(schema: T, value: unknown): z.ZodOptional<T> {
  return value === undefined ? schema.optional() : fallback(schema, value);
}

export const flag = (meaning: string, value?: boolean) => () =>
  preset(z.boolean(), value).describe(meaning);

export const onOff = (meaning: string, value: 'Enabled' | 'Disabled') => () =>
  preset(z.enum(['Enabled', 'Disabled']), value).describe(meaning);

export const choice =
  <const W extends readonly [string, ...string[]]>(words: W, meaning: string, value?: W[number]) =>
  () =>
    preset(z.enum(words), value).describe(meaning);

export const interval = (meaning: string, value: string) => () =>
  preset(duration, value).describe(meaning);

export const count =
  (meaning: string, { min, max, preset: value }: Bounds = {}) =>
  () => {
    const from = min === undefined ? z.number().int() : z.number().int().min(min);
    return preset(max === undefined ? from : from.max(max), value).describe(meaning);
  };

export const port = (meaning: string, value?: number) =>
  count(meaning, { min: 0, max: 65_535, ...(value !== undefined && { preset: value }) });

export const words = (meaning: string, value?: string) => () =>
  preset(z.string(), value).describe(meaning);

/** A regular expression of Go. The dialects differ little; what does not compile here is wrong there, too. */
export const expression = (meaning: string, value?: string) => () =>
  preset(z.string().max(1024), value).describe(meaning);

/** An interface, or the begin of names before a plus sign, as iptables has it. */
export const interfaceFilter = pattern(
  'an interface, or the begin of names and "+"',
  /^[a-zA-Z0-9:._+-]{1,15}$/,
);

export const interfaceName = (meaning: string, value: string) => () =>
  preset(pattern('an interface name', /^[a-zA-Z0-9_.-]{1,15}$/), value).describe(meaning);

/** Name or address to listen on. */
export const host = (meaning: string, value?: string) => () =>
  preset(
    pattern('a host name or an address, at most 64 characters', /^[a-zA-Z0-9:._+-]{1,64}$/),
    value,
  ).describe(meaning);

/** Mark bits of the kernel, of which Felix takes what it needs. */
export const markMask = (meaning: string) =>
  count(meaning, { min: 0, max: 0xffff_ffff, preset: 0xffff_0000 });

/** A port or a range of ports: `8080`, `"8080:8090"`. */
export const portRange = z
  .union([z.number(), z.string()], { error: 'must be a number, or a string' })
  .transform((value, context) => {
    const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(String(value));
    const [low, high] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match && low <= high && high <= 65_535) return value;
    const message = 'must be a port, or a range of ports as "8080:8090"';
    context.addIssue({ code: 'custom', message, input: value });
    return z.NEVER;
  })
  .meta({ rule: 'a port, or a range of ports as "8080:8090"' });

/** How long a state of a connection lasts. */
export const timeout = (meaning: string, value: string) =>
  preset(
    text('a duration, or Auto', (given) => {
      if (given !== 'Auto' && !duration.safeParse(given).success)
        throw new ParseError('duration', given, 'numbers with units, as 90s, or Auto');
      return given;
    }),
    value,
  ).describe(meaning);
