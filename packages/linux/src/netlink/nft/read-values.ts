import { compareOctets, concatenated, type Interval, parseInterval } from './elements.ts';
import type { RuleBuilder } from './rule-builder.ts';
import type { Field } from './rule-fields.ts';
import { VALUE_TYPES, type ValueType } from './value-types.ts';

/** An entry of a list. `interval`: if it is of one field. */
export interface Key {
  readonly octets: Uint8Array;
  readonly interval?: WrittenInterval;
}

export function isRange({ interval }: Key): boolean {
  return interval !== undefined && compareOctets(interval.first, interval.last) !== 0;
}

/** Reads what may be in a list: a value of each field, with ` . ` between. @throws {NftError} */
export function readKey(rule: RuleBuilder, fields: readonly Field[]): Key {
  const parts = fields.map(({ type }, i) => {
    if (i > 0) rule.words.expect('.');
    return readInterval(rule, type);
  });
  const [first] = parts;
  if (parts.length === 1 && first) return { octets: first.first, interval: first };
  if (parts.some((part) => compareOctets(part.first, part.last) !== 0)) {
    throw rule.words.fault('a range in a list of concatenations');
  }
  return { octets: concatenated(parts.map(({ first: part }) => part)) };
}

export interface WrittenInterval extends Interval {
  /** Whether it was written as a prefix. */
  readonly isPrefix: boolean;
}

/** Reads a value, prefix or range. @throws {NftError} */
export function readInterval(rule: RuleBuilder, type: ValueType): WrittenInterval {
  const word = rule.words.take(type.what);
  if (type === VALUE_TYPES.ifname && word.text.endsWith('*')) {
    const first = type.parse(word.text.slice(0, -1));
    if (!first) throw rule.words.error(word, type.what);
    const length = first.indexOf(0);
    const last = first.map((octet, i) => (i < length ? octet : 0xff));
    return { first, last, isPrefix: false };
  }
  const interval = parseInterval(word.text, type);
  if (!interval) throw rule.words.error(word, type.what);
  return { ...interval, isPrefix: word.text.includes('/') };
}

/** Bits: a number, a name, or several of them: `syn,ack`, `(syn | ack)`. */
export function readBits(rule: RuleBuilder, type: ValueType): Uint8Array {
  const { words } = rule;
  const hasParenthesis = words.skip('(');
  const bits = new Uint8Array(type.octets);
  do {
    const word = words.take(type.what);
    const octets = type.parse(word.text);
    if (!octets) throw words.error(word, type.what);
    for (const [i, octet] of octets.entries()) bits[i] = (bits[i] ?? 0) | octet;
  } while (words.skip(',') || (hasParenthesis && words.skip('|')));
  if (hasParenthesis) words.expect(')');
  return bits;
}
