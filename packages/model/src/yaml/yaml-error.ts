/** Where something stands in a text: line and column, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Text that is not YAML, says what JSON cannot, or is more than anybody writes by hand. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly line: number;
  readonly column: number;

  constructor(message: string, { line, column }: Position) {
    super(`line ${line}, column ${column}: ${message}`);
    this.line = line;
    this.column = column;
  }
}
