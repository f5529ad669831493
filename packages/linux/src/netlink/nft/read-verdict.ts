import type { Verdict } from './elements.ts';
import { VERDICT_CODE } from './numbers.ts';
import { RuleWords } from './rule-words.ts';
import { named } from './value-types.ts';

export function isVerdict(word: string): boolean {
  return Object.hasOwn(VERDICT_CODE, word);
}

/** Reads `accept`, `drop`, `return`, `continue`, `jump CHAIN` or `goto CHAIN`. @throws {NftError} */
export function readVerdict(words: RuleWords): Verdict {
  const word = words.take('a verdict');
  const code = word.isQuoted ? undefined : named(VERDICT_CODE, word.text);
  if (code === undefined) throw words.error(word, 'a verdict');
  const leads = word.text === 'jump' || word.text === 'goto';
  return leads ? { code, chain: words.take('a chain').text } : { code };
}

/** The verdict of an element. @throws {NftError} If it is none. */
export function parseVerdict(text: string): Verdict {
  const words = new RuleWords(text);
  const verdict = readVerdict(words);
  if (!words.isDone) throw words.unexpected('the end');
  return verdict;
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(VERDICT_CODE).map(([name, code]) => [code, name]),
);

export function verdictText({ code, chain }: Verdict): string {
  const name = NAMES.get(code) ?? String(code);
  return chain === undefined ? name : `${name} ${chain}`;
}
