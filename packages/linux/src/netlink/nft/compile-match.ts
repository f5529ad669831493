import {
  boundsOf,
  compareOctets,
  type Interval,
  maskOf,
  mergeIntervals,
  prefixLengthOf,
  type RawElement,
  type Verdict,
} from './elements.ts';
import { type Comparison, register } from './expression-writer.ts';
import { readFields } from './read-fields.ts';
import {
  isRange,
  type Key,
  readBits,
  readInterval,
  readKey,
  type WrittenInterval,
} from './read-values.ts';
import { readVerdict } from './read-verdict.ts';
import type { RuleBuilder } from './rule-builder.ts';
import type { Field } from './rule-fields.ts';
import { named, padded, VALUE_TYPES } from './value-types.ts';

const SIGNS: Readonly<Record<string, Comparison>> = {
  '==': 'eq',
  '!=': 'neq',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
};

/** What is asked of one field, or of several that are concatenated. */
interface Question {
  readonly rule: RuleBuilder;
  readonly fields: readonly [Field, ...Field[]];
  /** `and 0xff`: what of it counts. */
  readonly mask: Uint8Array | undefined;
}

/** Compiles `FIELD [and MASK] [!=] VALUE`, `FIELD . FIELD @set`, `FIELD vmap …`. @throws {NftError} */
export function compileMatch(rule: RuleBuilder): void {
  const { words } = rule;
  const fields = readFields(rule);
  const [{ type }] = fields;
  const isMasked = fields.length === 1 && (words.skip('and') || words.skip('&'));
  const question = { rule, fields, mask: isMasked ? readBits(rule, type) : undefined };
  for (const { needs } of fields) rule.need(needs);
  if (words.skip('vmap')) {
    compileMap(question);
    return;
  }
  const sign = named(SIGNS, words.peek());
  if (sign) words.take('a comparison');
  const comparison = sign ?? 'eq';
  if (comparison === 'eq' || comparison === 'neq') {
    if (words.peek().startsWith('@')) {
      const name = words.take('a set').text.slice(1);
      askSet(question, { name, isAnonymous: false }, comparison);
      return;
    }
    if (words.skip('{')) {
      compileList(question, comparison);
      return;
    }
  }
  if (fields.length > 1) throw words.unexpected('a set');
  if (type.isBits) compileBits(question, sign);
  else compileValue(question, comparison, readInterval(rule, type));
}

function compileValue(question: Question, comparison: Comparison, value: WrittenInterval): void {
  const { rule, mask } = question;
  const [field] = question.fields;
  const { first, last, isPrefix } = value;
  const isExact = compareOctets(first, last) === 0;
  if (comparison !== 'eq' && comparison !== 'neq') {
    if (!isExact || field.type.order === 'host' || mask) {
      throw rule.words.fault('has no order that could be asked for');
    }
    rule.load(field);
    rule.body.compare(comparison, first);
  } else if (field.type === VALUE_TYPES.ifname && !isExact) {
    rule.load(field);
    rule.body.compare(comparison, first.subarray(0, first.indexOf(0)));
  } else if (isExact) {
    loadKey(question);
    rule.body.compare(comparison, first);
    const number = first[0] ?? 0;
    if (comparison === 'eq' && !mask && field.decides) {
      const isNetwork = field.decides === 'network';
      if (!isNetwork) rule.learn({ transport: number });
      else if (number === 2 || number === 10) rule.learn({ network: number });
    }
  } else if (mask) {
    throw rule.words.fault('is a range, of which nothing can be masked');
  } else if (isPrefix) {
    comparePrefix(question, comparison, value);
  } else {
    rule.load(field);
    if (comparison === 'eq') {
      rule.body.compare('gte', first);
      rule.body.compare('lte', last);
    } else {
      rule.body.outside(first, last);
    }
  }
}

/** Whole octets of a packet are loaded alone; of the rest, bits are masked. */
function comparePrefix({ rule, fields }: Question, comparison: Comparison, prefix: Interval): void {
  const [field] = fields;
  const bits = prefixLengthOf(prefix) ?? 0;
  if (bits > 0 && bits % 8 === 0 && field.load.from === 'payload') {
    rule.load(field, bits / 8);
    rule.body.compare(comparison, prefix.first.subarray(0, bits / 8));
    return;
  }
  rule.load(field);
  rule.body.bitwise(maskOf(bits, field.type.octets), new Uint8Array(field.type.octets));
  rule.body.compare(comparison, prefix.first);
}

/** `ct state new,established`: any of them; with a sign, exactly those. `syn / fin,syn`: of those, exactly these. */
function compileBits(question: Question, sign: Comparison | undefined): void {
  const { rule } = question;
  const [field] = question.fields;
  const wanted = readBits(rule, field.type);
  if (sign !== undefined && sign !== 'eq' && sign !== 'neq') {
    throw rule.words.fault('has no order that could be asked for');
  }
  const zero = new Uint8Array(field.type.octets);
  if (question.mask === undefined && rule.words.skip('/')) {
    loadKey({ ...question, mask: readBits(rule, field.type) });
    rule.body.compare(sign ?? 'eq', wanted);
  } else if (sign !== undefined) {
    loadKey(question);
    rule.body.compare(sign, wanted);
  } else if (question.mask) {
    throw rule.words.fault('needs == or !=, behind a mask');
  } else {
    loadKey({ ...question, mask: wanted });
    rule.body.compare('neq', zero);
  }
}

function compileList(question: Question, comparison: 'eq' | 'neq'): void {
  const { rule, fields } = question;
  const keys: Key[] = [];
  do {
    if (rule.words.peek() === '}') break;
    keys.push(readKey(rule, fields));
  } while (rule.words.skip(','));
  rule.words.expect('}');
  const [first, second] = keys;
  if (!first) throw rule.words.fault('a list of nothing');
  // nft compares with the only one.
  if (!second && first.interval) {
    compileValue(question, comparison, first.interval);
    return;
  }
  const isInterval = keys.some(isRange);
  const elements = isInterval
    ? withStart(
        mergeIntervals(keys.flatMap(({ interval }) => interval ?? [])).map((one) => ({ one })),
      )
    : [...new Map(keys.map(({ octets }) => [octets.toString(), { key: octets }])).values()];
  askAnonymous(question, { isInterval, isMap: false, elements }, comparison);
}

function compileMap(question: Question): void {
  const { rule, fields } = question;
  const { words } = rule;
  if (words.peek().startsWith('@')) {
    const name = words.take('a map').text.slice(1);
    askSet(question, { name, isAnonymous: false }, 'verdict');
    return;
  }
  words.expect('{');
  const entries: { key: Key; verdict: Verdict }[] = [];
  do {
    if (words.peek() === '}') break;
    const key = readKey(rule, fields);
    words.expect(':');
    entries.push({ key, verdict: readVerdict(words) });
  } while (words.skip(','));
  words.expect('}');
  if (entries.length === 0) throw words.fault('a map of nothing');
  const isInterval = entries.some(({ key }) => isRange(key));
  const elements = isInterval
    ? mapIntervals(rule, entries)
    : entries.map(({ key, verdict }) => ({ key: key.octets, verdict }));
  askAnonymous(question, { isInterval, isMap: true, elements }, 'verdict');
}

function mapIntervals(
  rule: RuleBuilder,
  entries: readonly { readonly key: Key; readonly verdict: Verdict }[],
): RawElement[] {
  const intervals = entries
    .flatMap(({ key, verdict }) => (key.interval ? [{ one: key.interval, verdict }] : []))
    .toSorted((a, b) => compareOctets(a.one.first, b.one.first));
  for (const [i, { one }] of intervals.entries()) {
    const next = intervals[i + 1];
    if (next && compareOctets(one.last, next.one.first) >= 0) {
      throw rule.words.fault('a map with keys that overlap');
    }
  }
  return withStart(intervals);
}

/** Elements of intervals in order; before the first of them, nothing, as nft has it. */
function withStart(intervals: readonly { one: Interval; verdict?: Verdict }[]): RawElement[] {
  const lowest = intervals[0]?.one.first;
  const start = lowest?.some((octet) => octet !== 0)
    ? [{ key: new Uint8Array(lowest.length), isEnd: true }]
    : [];
  return [...start, ...intervals.flatMap(({ one, verdict }) => boundsOf(one, verdict))];
}

interface AnonymousContent {
  readonly isInterval: boolean;
  readonly isMap: boolean;
  readonly elements: readonly RawElement[];
}

function askAnonymous(
  question: Question,
  content: AnonymousContent,
  asks: 'eq' | 'neq' | 'verdict',
): void {
  const { rule, fields } = question;
  const types = fields.map(({ type }) => type);
  if (types.some((type) => type === VALUE_TYPES.integer || type === VALUE_TYPES.fib_presence)) {
    throw rule.words.fault('a list of values whose type has no name');
  }
  const name = content.isMap ? '__map%d' : '__set%d';
  const identifierAt = askSet(question, { name, isAnonymous: true }, asks);
  rule.sets.push({ ...content, types, identifierAt });
}

/** @returns Where the identifier of the set belongs. */
function askSet(
  question: Question,
  set: { readonly name: string; readonly isAnonymous: boolean },
  asks: 'eq' | 'neq' | 'verdict',
): number {
  loadKey(question);
  const how = asks === 'eq' ? 'whether' : asks === 'neq' ? 'whether-not' : 'verdict';
  return question.rule.body.lookup(set, how);
}

/** Puts all fields into registers, one behind the other. */
function loadKey({ rule, fields, mask }: Question): void {
  let word = 0;
  for (const { load, type } of fields) {
    rule.body.load({ load, octets: type.octets, into: register(word) });
    word += padded(type.octets) / 4;
  }
  if (mask) rule.body.bitwise(mask, new Uint8Array(mask.length));
}
