import { ParseError } from '@overland/net';

/** A selector that does not parse. */
export class SelectorError extends ParseError {
  /** Of the first character that is wrong, from 1; one past the end if something is missing there. */
  readonly column: number;

  constructor(text: string, allowed: string, column: number) {
    super('selector', text, `${allowed} at column ${column}`);
    this.column = column;
  }
}
