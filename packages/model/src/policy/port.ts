import { ParseError } from '@overland/net';
import { z } from 'zod';

/** What a rule says about ports: a number, a range (`"80:90"`) or the name of a port of the endpoint. */
export type Port = number | string;

/** A {@link Port} taken apart. Numbers are ranges of one. */
export type PortMatch =
  | { readonly type: 'range'; readonly first: number; readonly last: number }
  | { readonly type: 'name'; readonly name: string };

const MAX_PORT = 65_535;
const ALLOWED = 'a number from 1 to 65535, a range as "80:90", or the name of a port';

/**
 * Takes a port apart.
 *
 * @throws {ParseError} If it is none.
 */
export function parsePort(port: Port): PortMatch {
  const text = String(port);
  const numbers = /^(\d+)(?::(\d+))?$/.exec(text);
  if (numbers) {
    const first = Number(numbers[1]);
    const last = Number(numbers[2] ?? numbers[1]);
    if (first < 1 || last > MAX_PORT || first > last) throw new ParseError('port', text, ALLOWED);
    return { type: 'range', first, last };
  }
  // Wider than what may be written (`isPortName`): older objects can hold such names.
  if (typeof port === 'number' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(text)) {
    throw new ParseError('port', text, ALLOWED);
  }
  return { type: 'name', name: text };
}

/** The canonical spelling, as Calico stores it: a single port is a number. */
export function formatPort(match: PortMatch): Port {
  if (match.type === 'name') return match.name;
  return match.first === match.last ? match.first : `${match.first}:${match.last}`;
}

/** A port of a rule: `80`, `"80"`, `"80:90"` or a name. */
export const port: z.ZodType<Port> = z
  .union([z.number(), z.string()], { error: `must be ${ALLOWED}` })
  .transform((value, context): Port => {
    try {
      return formatPort(parsePort(value));
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      context.addIssue({ code: 'custom', message: `must be ${ALLOWED}`, input: value });
      return z.NEVER;
    }
  })
  .meta({ rule: ALLOWED });

/** A number that endpoints listen on. */
export const portNumber = z.number().int().min(1).max(MAX_PORT);

export const PORT_NAME_RULE =
  'must be a port name: at most 15 of a to z, 0 to 9 and single inner dashes, one letter at least';

/** Whether `name` may name a port: a service name of RFC 6335 section 5.1, in lower case, as in Kubernetes. */
export function isPortName(name: string): boolean {
  return /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
}
