import { ParseError } from '@overland/net';

export type Token =
  | { readonly type: 'symbol'; readonly text: Punctuation; readonly at: number }
  | { readonly type: 'word'; readonly text: string; readonly at: number }
  | { readonly type: 'string'; readonly text: string; readonly at: number }
  | { readonly type: 'end'; readonly text: ''; readonly at: number };

export type Punctuation = '(' | ')' | '{' | '}' | ',' | '==' | '!=' | '!' | '&&' | '||';

// Sticky, each alternative starts with a different character: linear in the length of the text.
const TOKEN = /[ \t]*(?:(==|!=|&&|\|\||[(){},!])|([A-Za-z0-9_./-]+)|'([^']*)'|"([^"]*)")/y;

/**
 * Splits a selector into tokens, the last of which is `end`.
 *
 * @throws {ParseError} At a character that starts none.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const scanner = new RegExp(TOKEN);
  for (;;) {
    const start = scanner.lastIndex;
    const match = scanner.exec(text);
    if (!match) return [...tokens, end(text, start)];
    const [, symbol, word, single, double] = match;
    const at = start + match[0].length - match[0].trimStart().length;
    if (symbol !== undefined) tokens.push({ type: 'symbol', text: symbol as Punctuation, at });
    else if (word !== undefined) tokens.push({ type: 'word', text: word, at });
    else tokens.push({ type: 'string', text: single ?? double ?? '', at });
  }
}

function end(text: string, at: number): Token {
  const rest = text.slice(at).replace(/^[ \t]+/, '');
  if (rest === '') return { type: 'end', text: '', at: text.length };
  const what = /^['"]/.test(rest) ? 'a string without its closing quote' : JSON.stringify(rest[0]);
  throw new ParseError('selector', text, `no ${what} at column ${text.length - rest.length + 1}`);
}
