import type { Brand } from './brand.ts';
import { ParseError } from './parse-error.ts';

/** Autonomous system number, 1..2^32-1 (RFC 6793). 0 is reserved (RFC 7607). */
export type Asn = Brand<number, 'Asn'>;

/** Stands in for a four-octet AS number in a two-octet field. RFC 6793 section 9. */
export const AS_TRANS = 23456 as Asn;

const MAX_ASN = 0xffff_ffff;
const ALLOWED = 'a whole number from 1 to 4294967295, or dotted as 1.10';

/**
 * Parses an AS number: asplain (`65101`) or asdot (`1.10`, RFC 5396).
 *
 * @throws {ParseError} If `value` is not an AS number, or is 0.
 */
export function parseAsn(value: number | string): Asn {
  const number = typeof value === 'number' ? value : asnFromText(value.trim());
  if (!Number.isInteger(number) || number < 1 || number > MAX_ASN) {
    throw new ParseError('AS number', value, ALLOWED);
  }
  return number as Asn;
}

function asnFromText(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  const dotted = /^(\d{1,5})\.(\d{1,5})$/.exec(text);
  if (!dotted) return Number.NaN;
  const [high, low] = [Number(dotted[1]), Number(dotted[2])];
  return high > 0xffff || low > 0xffff ? Number.NaN : high * 0x1_0000 + low;
}
