/** A command line that cannot be split: a quote is not closed. */
export class QuoteError extends Error {
  override readonly name = 'QuoteError';
}

/**
 * Splits a command line into its arguments as containerlab does before it runs `exec`: blanks separate, single and double
 * quotes group, a backslash takes the next character as it is (not within single quotes). No variables, no globs, no
 * redirection: there is no shell unless the command line names one.
 *
 * @throws {QuoteError} If a quote is not closed or the line ends in a backslash.
 */
export function splitArgv(line: string): string[] {
  const argv: string[] = [];
  let current: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let i = 0; i < line.length; i++) {
    const character = line.charAt(i);
    if (character === '\\' && quote !== "'") {
      const next = line.charAt(++i);
      if (next === '') throw new QuoteError('ends in a backslash');
      // Within double quotes a backslash is special only before these.
      const kept = quote === '"' && !'"\\$`'.includes(next) ? '\\' : '';
      current = (current ?? '') + kept + next;
    } else if (character === quote) {
      quote = undefined;
    } else if (quote === undefined && (character === '"' || character === "'")) {
      quote = character;
      current ??= '';
    } else if (quote === undefined && /\s/.test(character)) {
      if (current !== undefined) argv.push(current);
      current = undefined;
    } else {
      current = (current ?? '') + character;
    }
  }
  if (quote !== undefined) throw new QuoteError(`${quote} is not closed`);
  if (current !== undefined) argv.push(current);
  return argv;
}
