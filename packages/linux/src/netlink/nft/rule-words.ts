import { NftError } from '../../nftables.ts';

export interface Word {
  readonly text: string;
  /** In quotes: never a keyword. */
  readonly isQuoted: boolean;
  /** Where it starts, from 0. */
  readonly at: number;
}

const PATTERN = /\s*(?:"([^"]*)"|(!=|==|<=|>=|[{}(),|&<>^])|([^\s"{}(),|&<>^]+))/y;

/** A position in the words of a rule. */
export class RuleWords {
  readonly #rule: string;
  readonly #words: readonly Word[];
  #next = 0;

  /** @throws {NftError} If a quote is not closed. */
  constructor(rule: string) {
    this.#rule = rule;
    const words: Word[] = [];
    const trimmed = rule.trimEnd();
    for (let at = 0; at < trimmed.length; ) {
      PATTERN.lastIndex = at;
      const found = PATTERN.exec(trimmed);
      if (!found) throw refusal(rule, at, 'a quote is not closed');
      const [whole, quoted, sign, plain] = found;
      const text = quoted ?? sign ?? plain ?? '';
      const start = at + whole.length - text.length - (quoted === undefined ? 0 : 1);
      words.push({ text, isQuoted: quoted !== undefined, at: start });
      at += whole.length;
    }
    this.#words = words;
  }

  get isDone(): boolean {
    return this.#next >= this.#words.length;
  }

  /** The next word, or one further on; '' at the end and for what is in quotes. */
  peek(ahead = 0): string {
    const word = this.#words[this.#next + ahead];
    return word === undefined || word.isQuoted ? '' : word.text;
  }

  /** @param what What should be there, for the error. @throws {NftError} At the end. */
  take(what: string): Word {
    const word = this.#words[this.#next];
    if (!word) throw refusal(this.#rule, this.#rule.length, `the end, not ${what}`);
    this.#next += 1;
    return word;
  }

  /** Takes these words if they come next. */
  skip(...texts: readonly string[]): boolean {
    if (!texts.every((text, i) => this.peek(i) === text)) return false;
    this.#next += texts.length;
    return true;
  }

  /** @throws {NftError} If something else comes next. */
  expect(text: string): void {
    const word = this.take(text);
    if (word.isQuoted || word.text !== text) throw this.error(word, text);
  }

  /** @param what What should have been there. */
  error(word: Word, what: string): NftError {
    return refusal(this.#rule, word.at, `${JSON.stringify(word.text)}, not ${what}`);
  }

  /** That the next word is not understood here. */
  unexpected(what: string): NftError {
    const word = this.#words[this.#next];
    return word
      ? this.error(word, what)
      : refusal(this.#rule, this.#rule.length, `the end, not ${what}`);
  }

  /** That what was read makes no sense. */
  fault(reason: string): NftError {
    const word = this.#words[Math.max(0, this.#next - 1)];
    return refusal(this.#rule, word?.at ?? 0, reason);
  }
}

const SHOWN = 400;

function refusal(rule: string, at: number, reason: string): NftError {
  const shown = rule.length > SHOWN ? `${rule.slice(0, SHOWN)}…` : rule;
  return new NftError(`rule ${JSON.stringify(shown)}, position ${at + 1}: ${reason}`);
}
