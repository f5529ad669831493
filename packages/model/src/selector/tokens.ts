import { SelectorError } from './selector-error.ts';

export type Token =
  | { readonly type: 'symbol'; readonly text: Punctuation; readonly at: number }
  /** A function with its bracket: `has(` is one word, `has (` is none. */
  | { readonly type: 'call'; readonly text: 'all' | 'global' | 'has'; readonly at: number }
  | { readonly type: 'word'; readonly text: string; readonly at: number }
  | { readonly type: 'string'; readonly text: string; readonly at: number }
  | { readonly type: 'end'; readonly text: ''; readonly at: number };

export type Punctuation = '(' | ')' | '{' | '}' | ',' | '==' | '!=' | '!' | '&&' | '||';

// Sticky; no alternative can match in more than one way: linear in the length of the text.
const TOKEN =
  /[ \t]*(?:(==|!=|&&|\|\||[(){},!])|(all|global|has)\(|([A-Za-z0-9_./-]+)|'([^']*)'|"([^"]*)")/y;

/**
 * Splits a selector into tokens, the last of which is `end`.
 *
 * @throws {SelectorError} At a character that starts none.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const scanner = new RegExp(TOKEN);
  for (;;) {
    const start = scanner.lastIndex;
    const match = scanner.exec(text);
    if (!match) {
      tokens.push(end(text, start));
      return tokens;
    }
    const [whole, symbol, call, word, single, double] = match;
    const at = start + whole.length - whole.trimStart().length;
    if (symbol !== undefined) tokens.push({ type: 'symbol', text: symbol as Punctuation, at });
    else if (call !== undefined) tokens.push({ type: 'call', text: call as 'has', at });
    else if (word !== undefined) tokens.push({ type: 'word', text: word, at });
    else tokens.push({ type: 'string', text: single ?? double ?? '', at });
  }
}

function end(text: string, at: number): Token {
  const rest = text.slice(at).replace(/^[ \t]+/, '');
  if (rest === '') return { type: 'end', text: '', at: text.length };
  const [character] = rest;
  const isString = character === '"' || character === "'";
  const allowed = isString
    ? `a closing ${character} for the string`
    : `no ${JSON.stringify(character)}`;
  throw new SelectorError(text, allowed, text.length - rest.length + 1);
}
