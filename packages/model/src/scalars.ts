import {
  type Family,
  familyOf,
  formatInterfaceAddress,
  ParseError,
  type Prefix,
  parseAddress,
  parseAsn,
  parseInterfaceAddress,
  parseLoosePrefix,
  parsePrefix,
} from '@overland/net';
import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { usesGlobal } from './selector/expression.ts';
import { parseSelector } from './selector/parse.ts';

/** A string that `parse` accepts; what it returns is the value that readers see. */
export function text<T>(rule: string, parse: (text: string) => T): z.ZodType<T> {
  return z
    .string()
    .transform((value, context) => attempt(() => parse(value), rule, value, context))
    .meta({ rule });
}

function attempt<T>(parse: () => T, rule: string, input: unknown, context: z.RefinementCtx): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    context.addIssue({ code: 'custom', message: `must be ${rule}: ${error.allowed}`, input });
    return z.NEVER;
  }
}

/** A string that matches a pattern. */
export function pattern(rule: string, expression: RegExp): z.ZodType<string> {
  return z
    .string()
    .refine((value) => expression.test(value), `must be ${rule}`)
    .meta({ rule, pattern: expression.source });
}

/** A float64 of Go, which writes large ones without an exponent: a whole number that is read as a bigint, too. */
export const float64 = z.preprocess(
  (value) => (typeof value === 'bigint' ? Number(value) : value),
  z.number(),
);

const asNumberText = z
  .union([z.number(), z.string()], { error: 'must be a number, or a string' })
  .refine((value) => !/\s/.test(String(value)), 'must be an AS number, without blanks');
const AS_NUMBER = 'an AS number: 1 to 4294967295, as a number, a string or dotted (1.10)';

/** AS number: a number, a numeric string, or dotted (RFC 5396). Always written as a number. */
export const asNumber = asNumberText
  .transform((value, context) => attempt(() => parseAsn(value), 'an AS number', value, context))
  .meta({ rule: AS_NUMBER });

/** An AS number, or 0 for none, as Go has it. */
export const asNumberOrZero = asNumberText
  .transform((value, context) =>
    /^0+(?:\.0+)?$/.test(String(value))
      ? undefined
      : attempt(() => parseAsn(value), 'an AS number', value, context),
  )
  .meta({ rule: AS_NUMBER });

export const ipAddress = text('an IP address', parseAddress);

export const ipv4Address = text('an IPv4 address', (value) => {
  const address = parseAddress(value);
  if (familyOf(address) !== 'ipv4')
    throw new ParseError('IPv4 address', value, 'dotted, as 10.0.0.1');
  return address;
});

export const ipv6Address = text('an IPv6 address', (value) => {
  const address = parseAddress(value);
  if (familyOf(address) !== 'ipv6')
    throw new ParseError('IPv6 address', value, 'colons, as 2001:db8::1');
  return address;
});

/** A prefix without host bits. */
export const cidr = text('a prefix', parsePrefix);

/** A prefix of one family. */
export function cidrOf(family: Family): z.ZodType<Prefix> {
  const name = family === 'ipv4' ? 'IPv4' : 'IPv6';
  return text(`an ${name} prefix`, (value) => {
    const prefix = parsePrefix(value);
    if (familyOf(prefix) === family) return prefix;
    throw new ParseError(`${name} prefix`, value, `of the family ${name}`);
  });
}

/** A prefix; bits past its length are cleared, an address is a host prefix: Calico takes both. */
export const looseCidr = text('a prefix or an address', parseLoosePrefix);

/** An address with or without the length of its subnet: `10.1.0.1/31`. Read with the length. */
export const interfaceAddress = text('an address with a prefix length', (value) =>
  formatInterfaceAddress(parseInterfaceAddress(value)),
);

/** A duration as Go writes it: `90s`, `1m30s`. Readers use `parseDuration`. */
export const duration = text('a duration', (value) => {
  parseDuration(value);
  return value;
});

/** A label selector. Readers use `parseSelector`. */
export const selector = text('a selector', (value) => {
  if (!usesGlobal(parseSelector(value))) return value;
  throw new ParseError(
    'selector',
    value,
    "global() only in the namespaceSelector of a policy's rule",
  );
});

/** The namespaceSelector of a policy's rule: a label selector, or `global()` alone. */
export const ruleNamespaceSelector = text('a selector', (value) => {
  const expression = parseSelector(value);
  if (expression.type === 'global' || !usesGlobal(expression)) return value;
  throw new ParseError('selector', value, 'global() alone, not combined with anything');
});

/** A field that, left out, has a default which depends on other objects or on the reader. */
export function fallback<T extends z.ZodType>(schema: T, value: unknown): z.ZodOptional<T> {
  return schema.optional().meta({ default: value });
}

/** Marks a field that Calico does not have: stored apart from the object (docs/architecture.md, section 5). */
export function extension<T extends z.ZodType>(schema: T): z.ZodOptional<T> {
  return schema.optional().meta({ extension: true });
}
