/** A text after substitution, and how to find its places in the original. */
export interface Substituted {
  readonly text: string;
  /** Offset in the original of an offset in `text`; inside a substituted value, that of its `$`. */
  readonly originalOffset: (offset: number) => number;
  readonly faults: readonly { readonly offset: number; readonly message: string }[];
}

const VARIABLE = /\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-=+?])([^{}]*))?\}|\{)/g;

/**
 * Replaces variables as containerlab does, in the text, before YAML is parsed: `$VAR`, `${VAR}`, `${VAR:-default}`,
 * `${VAR:=default}`, `${VAR:+alternative}`, `${VAR:?message}`; without the colon a variable that is set but empty
 * counts as set. `$$` is a dollar sign. A variable that is not set and has no default is empty.
 */
export function substitute(
  original: string,
  variables: Readonly<Record<string, string | undefined>>,
): Substituted {
  const faults: { offset: number; message: string }[] = [];
  /** Start of each piece: in the result, in the original, and whether it was put in. */
  const pieces = [{ at: 0, from: 0, replaced: false }];
  let text = '';
  let end = 0;
  for (const match of original.matchAll(VARIABLE)) {
    const offset = match.index;
    text += original.slice(end, offset);
    pieces.push({ at: text.length, from: offset, replaced: true });
    const [whole] = match;
    const outcome = lookUp(match, variables);
    if (typeof outcome === 'string') text += outcome;
    else faults.push({ offset, message: outcome.fault });
    end = offset + whole.length;
    pieces.push({ at: text.length, from: end, replaced: false });
  }
  text += original.slice(end);
  return {
    text,
    faults,
    originalOffset(wanted) {
      const piece = pieces.findLast(({ at }) => at <= wanted);
      if (!piece) return wanted;
      return piece.replaced ? piece.from : piece.from + (wanted - piece.at);
    },
  };
}

function lookUp(
  [whole, plain, braced, operator, operand = '']: RegExpMatchArray,
  variables: Readonly<Record<string, string | undefined>>,
): string | { fault: string } {
  if (whole === '$$') return '$';
  const name = plain ?? braced;
  if (name === undefined) return { fault: "'$' and '{' without a variable name and '}'" };
  const value = variables[name];
  const isSet = value !== undefined && (value !== '' || !operator?.startsWith(':'));
  switch (operator?.at(-1)) {
    case '-':
    case '=':
      return isSet ? value : operand;
    case '+':
      return isSet ? operand : '';
    case '?':
      return isSet ? value : { fault: `variable ${name}: ${operand || 'is not set'}` };
    default:
      return value ?? '';
  }
}
