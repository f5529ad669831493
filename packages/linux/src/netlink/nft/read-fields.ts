import type { RuleBuilder } from './rule-builder.ts';
import { type Field, fibField, fieldOf, fieldsOf, tupleField } from './rule-fields.ts';
import type { RuleWords } from './rule-words.ts';

/** Reads a field, or several that are concatenated. @throws {NftError} If there is none. */
export function readFields({ words }: RuleBuilder): [Field, ...Field[]] {
  const fields: [Field, ...Field[]] = [readField(words)];
  while (words.skip('.')) fields.push(readField(words));
  return fields;
}

function readField(words: RuleWords): Field {
  const keyword = words.peek();
  if (keyword === 'iifname' || keyword === 'oifname') return named(words, 'meta', keyword);
  const names = fieldsOf(keyword);
  if (!names) throw words.unexpected('a statement or a field that is known here');
  words.take('a field');
  if (keyword === 'fib') return readFib(words);
  const name = words.peek();
  if (keyword === 'ct' && (name === 'original' || name === 'reply')) return readTuple(words);
  const field = fieldOf(keyword, name);
  if (!field) throw words.unexpected(`a field of ${keyword}: ${names.join(', ')}`);
  words.take('a field');
  return field;
}

function named(words: RuleWords, keyword: string, name: string): Field {
  const field = fieldOf(keyword, name);
  if (!field) throw words.unexpected('a field');
  words.take('a field');
  return field;
}

function readTuple(words: RuleWords): Field {
  const direction = words.take('a direction').text;
  const [family, end] = [words.take('ip or ip6'), words.take('saddr or daddr')];
  const field = tupleField(direction, `${family.text} ${end.text}`);
  if (!field) throw words.error(end, 'ip saddr, ip daddr, ip6 saddr or ip6 daddr');
  return field;
}

function readFib(words: RuleWords): Field {
  const flags = [words.take('saddr or daddr').text];
  while (words.skip('.')) flags.push(words.take('mark, iif or oif').text);
  const result = words.take('oif or type');
  const field = fibField(flags, result.text);
  if (!field) throw words.error(result, 'what the routing table can be asked: oif or type');
  return field;
}
