/** Text from outside is not what it should be. The message is one line, fit to show a user. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  /** What was being parsed, such as `IPv4 prefix`. */
  readonly what: string;
  readonly value: unknown;
  /** What would have been accepted. */
  readonly allowed: string;

  constructor(what: string, value: unknown, allowed: string) {
    super(`${JSON.stringify(value)} is not a valid ${what}: expected ${allowed}`);
    this.what = what;
    this.value = value;
    this.allowed = allowed;
  }
}
