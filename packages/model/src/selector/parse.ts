import { ParseError } from '@overland/net';
import type { Expression } from './expression.ts';
import { type Punctuation, type Token, tokenize } from './tokens.ts';

/** Longest selector, in characters; Calico's limit. */
const MAX_SELECTOR_LENGTH = 1024;
/** Longest label key in a selector, in characters; Calico's limit. */
const MAX_KEY_LENGTH = 512;
/** Deepest nesting of brackets and negations: bounds the stack of parser and evaluator. */
const MAX_DEPTH = 100;

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
 * than `&&`.
 *
 * @throws {ParseError} With the column of the first thing that is wrong.
 */
export function parseSelector(text: string): Expression {
  if (text.length > MAX_SELECTOR_LENGTH) {
    throw new ParseError(
      'selector',
      `${text.slice(0, 40)}…`,
      `at most ${MAX_SELECTOR_LENGTH} characters`,
    );
  }
  const parser = new Parser(text);
  return parser.parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
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
    if (++this.#depth > MAX_DEPTH) throw this.#expected(`at most ${MAX_DEPTH} levels`);
    let expression: Expression;
    if (this.#accept('!')) {
      expression = { type: 'not', operand: this.#unary() };
    } else if (this.#accept('(')) {
      expression = this.#or();
      this.#expect(')');
    } else {
      expression = this.#atom();
    }
    this.#depth--;
    return expression;
  }

  #atom(): Expression {
    const key = this.#word('a label key, "has(", "all()", "!" or "("');
    if (this.#accept('(')) return this.#call(key);
    if (key.length > MAX_KEY_LENGTH)
      throw this.#expected(`a key of at most ${MAX_KEY_LENGTH} letters`);
    if (this.#accept('==')) return { type: '==', key, value: this.#string() };
    if (this.#accept('!=')) return { type: '!=', key, value: this.#string() };
    const type = this.#wordOperator();
    return type === 'in' || type === 'not in'
      ? { type, key, values: this.#set() }
      : { type, key, value: this.#string() };
  }

  #call(name: string): Expression {
    if (name !== 'all' && name !== 'global' && name !== 'has') {
      throw this.#expected('"all", "global" or "has" before "("');
    }
    const expression: Expression =
      name === 'has' ? { type: 'has', key: this.#word('a label key') } : { type: name };
    this.#expect(')');
    return expression;
  }

  #wordOperator(): (typeof WORD_OPERATORS)[keyof typeof WORD_OPERATORS] {
    const wanted = '"==", "!=", "in", "not in", "contains", "starts with" or "ends with"';
    const first = this.#word(wanted);
    const name = ['not', 'starts', 'ends'].includes(first)
      ? `${first} ${this.#word(wanted)}`
      : first;
    if (!Object.hasOwn(WORD_OPERATORS, name)) throw this.#expected(wanted);
    return WORD_OPERATORS[name as keyof typeof WORD_OPERATORS];
  }

  /** Sorted and without duplicates: sets are equal when their members are. */
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
    return [...values].toSorted();
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

  #expected(wanted: string): ParseError {
    const { at } = this.#peek();
    return new ParseError('selector', this.#text, `${wanted} at column ${at + 1}`);
  }
}
