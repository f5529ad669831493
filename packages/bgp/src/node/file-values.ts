import {
  type Asn,
  type IpAddress,
  ParseError,
  type Prefix,
  parseAddress,
  parseAsn,
  parsePrefix,
} from '@overland/net';
import { z } from 'zod';
import type { RemoteAs } from '../core/session/remote-as.ts';

/** A value that one of our own parsers reads; what it refuses becomes a fault with its words. */
export function parsed<In, Out>(schema: z.ZodType<In>, parse: (value: In) => Out) {
  return schema.transform((value, context): Out => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** An integer with bounds, and a fault that names them. */
export const whole = (least: number, most: number) => {
  const error = (issue: { readonly input?: unknown }): string =>
    `${JSON.stringify(issue.input)} is not allowed: a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

export const asn = parsed<number | string, Asn>(z.union([z.number(), z.string()]), parseAsn);
/** `internal`: the number that we use towards the peer ourselves. */
export type GivenAs = RemoteAs | 'internal';

export const remoteAs = parsed<number | string | (number | string)[], GivenAs>(
  z.union([z.number(), z.string(), z.array(z.union([z.number(), z.string()])).min(1)]),
  (value) => {
    if (value === 'internal' || value === 'external') return value;
    return Array.isArray(value) ? value.map(parseAsn) : parseAsn(value);
  },
);

export const address = parsed<string, IpAddress>(z.string(), parseAddress);
export const prefix = parsed<string, Prefix>(z.string(), parsePrefix);

export const interfaceName = z.string().regex(/^[^\s/]{1,15}$/, {
  error: (issue) =>
    `${JSON.stringify(issue.input)} is not an interface name: 1 to 15 characters without space and slash`,
});

/** Absent and `undefined` are the same to zod, and not to us. */
export function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  const defined = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(defined) as { [K in keyof T]: Exclude<T[K], undefined> };
}
