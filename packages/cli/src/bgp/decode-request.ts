import type { DescribeContext } from '@overland/bgp/describe';
import type { Family } from '@overland/net';
import { UsageError } from '../command.ts';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** What decides how a message reads; absent fields are those of today's eBGP session. */
export interface SessionTraits {
  readonly asn4?: boolean;
  /** Families whose prefixes have path identifiers. */
  readonly addPath?: readonly string[];
  readonly session?: string;
  readonly extended?: boolean;
  /** IPv4 prefixes may have IPv6 next hops. */
  readonly extendedNextHop?: boolean;
}

/** One message, and how to read it. */
export interface DecodeRequest {
  readonly octets: Uint8Array;
  readonly context: DescribeContext;
}

/** @throws {UsageError} If a trait has a value that is none of its own. */
export function describeContextOf(traits: SessionTraits): DescribeContext {
  const { asn4 = true, addPath = [], session = 'ebgp', extended = false } = traits;
  const { extendedNextHop = false } = traits;
  const families = addPath.map((text) => FAMILIES.find((family) => family === text) ?? text);
  const wrong = families.find((family) => !FAMILIES.includes(family as Family));
  if (wrong !== undefined) throw new UsageError(`add-path is for ipv4 or ipv6, not '${wrong}'`);
  if (session !== 'ebgp' && session !== 'ibgp') {
    throw new UsageError(`session is ebgp or ibgp, not '${session}'`);
  }
  const isEbgp = session === 'ebgp';
  return {
    fourOctetAs: asn4,
    ebgp: isEbgp,
    families: FAMILIES,
    addPath: families as Family[],
    extendedNextHop: extendedNextHop ? ['ipv4'] : [],
    extended,
  };
}

/**
 * Octets of hexadecimal text; blanks, colons and `0x` in front are for the eye.
 *
 * @throws {UsageError} If it is something else.
 */
export function octetsOf(text: string): Uint8Array {
  const digits = text.replace(/^\s*0x/i, '').replaceAll(/[\s:]/g, '');
  const at = digits.search(/[^0-9a-f]/i);
  if (at >= 0) throw new UsageError(`'${digits[at]}' at digit ${at + 1} is not hexadecimal`);
  if (digits.length === 0) throw new UsageError('no octets');
  if (digits.length % 2 === 1) throw new UsageError(`${digits.length} digits are no whole octets`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The messages of a stream, cut where their headers say; what cannot be cut is one. */
export function messagesOf(stream: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = ((stream[at + 16] ?? 0) << 8) | (stream[at + 17] ?? 0);
    const isWhole = length >= 19 && at + length <= stream.length;
    const end = isWhole ? at + length : stream.length;
    messages.push(stream.subarray(at, end));
    at = end;
  }
  return messages;
}

/**
 * Reads a line `{hex, asn4, addPath, session, extended, extendedNextHop}`; only `hex` is needed.
 *
 * @param defaults For what the line does not say.
 * @throws {UsageError} If it is something else.
 */
export function parseRequestLine(line: string, defaults: SessionTraits = {}): DecodeRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new UsageError('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError('not an object with hex');
  }
  const fields = value as Record<string, unknown>;
  const { hex, asn4, addPath, session, extended, extendedNextHop } = fields;
  if (typeof hex !== 'string') throw new UsageError('hex must be a string');
  for (const [name, flag] of Object.entries({ asn4, extended, extendedNextHop })) {
    if (flag !== undefined && typeof flag !== 'boolean') {
      throw new UsageError(`${name} must be true or false`);
    }
  }
  if (session !== undefined && typeof session !== 'string') {
    throw new UsageError('session must be ebgp or ibgp');
  }
  const isList = Array.isArray(addPath) && addPath.every((item) => typeof item === 'string');
  if (addPath !== undefined && !isList) throw new UsageError('addPath must be a list of families');
  return {
    octets: octetsOf(hex),
    context: describeContextOf({
      ...defaults,
      ...(asn4 !== undefined && { asn4: asn4 as boolean }),
      ...(addPath !== undefined && { addPath: addPath as string[] }),
      ...(session !== undefined && { session }),
      ...(extended !== undefined && { extended: extended as boolean }),
      ...(extendedNextHop !== undefined && { extendedNextHop: extendedNextHop as boolean }),
    }),
  };
}
