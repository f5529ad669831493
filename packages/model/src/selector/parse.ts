import type { Expression } from './expression.ts';
import { SelectorError } from './selector-error.ts';
import { type Punctuation, type Token, tokenize } from './tokens.ts';

/** Longest selector, in characters; Calico's limit. */
const MAX_SELECTOR_LENGTH = 1024;
/** Longest label key in a selector, in characters; Calico's limit. */
const MAX_KEY_LENGTH = 512;
/**
 * Deepest nesting of brackets: bounds the stack of parser, evaluator and printer. No selector of the greatest
 * length has more, `(((all())))` being the shortest for its depth; so this refuses nothing that Calico takes.
 */
const MAX_DEPTH = 512;

/** Two-word operators, and the one-word spellings of the same. */
const WORD_OPERATORS = {
  in: 'in',
  'not in': 'not in',
  notin: 'not in',
  contains: 'contains',
  'starts with': 'starts with',
  startswith: 'starts with',
  'ends with': 'ends with',
  endswith: 'ends with',
} as const;

/**
 * Parses a label selector: `rack == 'r1' && has(gpu)`. Empty text selects everything. `||` binds looser
 * than `&&`. Brackets that group are kept, those around a single operand and double negations are not.
 *
 * @throws {SelectorError} With the column of the first thing that is wrong.
 */
export function parseSelector(text: string): Expression {
  if (text.length > MAX_SELECTOR_LENGTH) {
    const allowed = `at most ${MAX_SELECTOR_LENGTH} characters`;
    throw new SelectorError(`${text.slice(0, 40)}…`, allowed, MAX_SELECTOR_LENGTH + 1);
  }
  return parseTokens(tokenize(text), text);
}

/** Parses tokens, looking at each one a fixed number of times. `text` is shown in errors. */
export function parseTokens(tokens: readonly Token[], text: string): Expression {
  return new Parser(tokens, text).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], text: string) {
    this.#tokens = tokens;
    this.#text = text;
  }

  parse(): Expression {
    if (this.#peek().type === 'end') return { type: 'all' };
    const expression = this.#or();
    if (this.#peek().type !== 'end') throw this.#expected('"&&", "||" or the end');
    return expression;
  }

  #or(): Expression {
    const operands = [this.#and()];
    while (this.#accept('||')) operands.push(this.#and());
    const [only] = operands;
    return only && operands.length === 1 ? only : { type: 'or', operands };
  }

  #and(): Expression {
    const operands = [this.#unary()];
    while (this.#accept('&&')) operands.push(this.#unary());
    const [only] = operands;
    return only && operands.length === 1 ? only : { type: 'and', operands };
  }

  #unary(): Expression {
    let negated = false;
    while (this.#accept('!')) negated = !negated;
    const operand = this.#accept('(') ? this.#group() : this.#atom();
    if (!negated) return operand;
    return operand.type === 'not' ? operand.operand : { type: 'not', operand };
  }

  #group(): Expression {
    if (++this.#depth > MAX_DEPTH) throw this.#expected(`at most ${MAX_DEPTH} levels of brackets`);
    const expression = this.#or();
    this.#expect(')');
    this.#depth--;
    return expression;
  }

  #atom(): Expression {
    const call = this.#peek();
    if (call.type === 'call') {
      this.#next++;
      return this.#call(call.text);
    }
    const key = this.#key('a label key, "has(", "all()", "!" or "("');
    if (this.#accept('==')) return { type: '==', key, value: this.#string() };
    if (this.#accept('!=')) return { type: '!=', key, value: this.#string() };
    const type = this.#wordOperator(key);
    return type === 'in' || type === 'not in'
      ? { type, key, values: this.#set() }
      : { type, key, value: this.#string() };
  }

  #call(type: 'all' | 'global' | 'has'): Expression {
    const expression: Expression =
      type === 'has' ? { type, key: this.#key('a label key') } : { type };
    this.#expect(')');
    return expression;
  }

  #key(wanted: string): string {
    const { at } = this.#peek();
    const key = this.#word(wanted);
    if (key.length <= MAX_KEY_LENGTH) return key;
    throw new SelectorError(this.#text, `a key of at most ${MAX_KEY_LENGTH} characters`, at + 1);
  }

  #wordOperator(key: string): (typeof WORD_OPERATORS)[keyof typeof WORD_OPERATORS] {
    const wanted = '"==", "!=", "in", "not in", "contains", "starts with" or "ends with"';
    const { at, type, text } = this.#peek();
    if (type === 'symbol' && text === '(') {
      const isFunction = ['all', 'global', 'has'].includes(key);
      throw this.#expected(
        isFunction ? `no space after "${key}"` : '"all", "global" or "has" before "("',
      );
    }
    const first = this.#word(wanted);
    const name = ['not', 'starts', 'ends'].includes(first)
      ? `${first} ${this.#word(wanted)}`
      : first;
    if (Object.hasOwn(WORD_OPERATORS, name)) {
      return WORD_OPERATORS[name as keyof typeof WORD_OPERATORS];
    }
    throw new SelectorError(this.#text, wanted, at + 1);
  }

  /** Sorted and without duplicates, as Calico has it: sets are equal when their members are. */
  #set(): string[] {
    this.#expect('{');
    const values = new Set<string>();
    while (!this.#accept('}')) {
      values.add(this.#string());
      if (!this.#accept(',')) {
        this.#expect('}');
        break;
      }
    }
    return [...values].toSorted(byCodePoint);
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { type: 'end', text: '', at: this.#text.length };
  }

  #accept(symbol: Punctuation): boolean {
    const token = this.#peek();
    if (token.type !== 'symbol' || token.text !== symbol) return false;
    this.#next++;
    return true;
  }

  #expect(symbol: Punctuation): void {
    if (!this.#accept(symbol)) throw this.#expected(JSON.stringify(symbol));
  }

  #word(wanted: string): string {
    const token = this.#peek();
    if (token.type !== 'word') throw this.#expected(wanted);
    this.#next++;
    return token.text;
  }

  #string(): string {
    const token = this.#peek();
    if (token.type !== 'string') throw this.#expected('a string in quotes');
    this.#next++;
    return token.text;
  }

  #expected(wanted: string): SelectorError {
    return new SelectorError(this.#text, wanted, this.#peek().at + 1);
  }
}

/** Orders texts as their UTF-8 is ordered, which is Go's order; JavaScript's own is that of UTF-16. */
function byCodePoint(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  // Not between the halves of a pair.
  if (at > 0 && isHighSurrogate(a.charCodeAt(at - 1))) at--;
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
