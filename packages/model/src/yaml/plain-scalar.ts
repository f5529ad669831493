/** What a plain scalar says, or why it is refused: without its text, which may be a secret. */
export type ScalarReading =
  | { readonly value: null | boolean | number | bigint | string }
  | { readonly refused: string };

const WORDS = new Map<string, null | boolean>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  // Booleans of YAML 1.1, which Calico's tools still read.
  ...['yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);

const NUMBER_BEGINS = /^[-+.]?[0-9]|^[-+]?\.[0-9iInN]/;
const INTEGER = /^[-+]?(?:0|[1-9][0-9]*)$/;
const PREFIXED = /^[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const NO_NUMBER = /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;
/** Numbers to YAML 1.1 or to Go, and texts or other numbers to YAML 1.2. */
const DOUBTFUL =
  /^[-+]?(?:0[0-9_]+|[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?|0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+)$/;

/**
 * Reads a scalar without quotes as Calico's tools read it: YAML 1.2's core schema, and the booleans of YAML 1.1
 * (`yes`, `on`). What the two versions take for different numbers is refused: a manifest must not change its
 * meaning with the tool that reads it. Integers of any size are exact.
 */
export function readPlainScalar(text: string): ScalarReading {
  const word = WORDS.get(text);
  if (word !== undefined) return { value: word };
  if (/^[yYnN]$/.test(text)) {
    return {
      refused: 'a boolean to YAML 1.1, a text to 1.2: write true or false, or the text in quotes',
    };
  }
  if (!NUMBER_BEGINS.test(text)) return { value: text };
  if (INTEGER.test(text) || PREFIXED.test(text)) return { value: integer(text) };
  if (DOUBTFUL.test(text)) {
    return {
      refused:
        'read differently by YAML 1.1 and 1.2: write a number without leading zeros, "_" and 0b, or a text in quotes',
    };
  }
  if (NO_NUMBER.test(text)) return { refused: 'no number that JSON has' };
  if (!FLOAT.test(text)) return { value: text };
  const value = Number(text);
  return Number.isFinite(value)
    ? { value: value === 0 ? 0 : value }
    : { refused: 'too large for a number' };
}

function integer(text: string): number | bigint {
  const digits = text.replace(/^[-+]/, '');
  const size = Number(digits);
  // BigInt takes its time with many digits; no field has more than these.
  if (Number.isSafeInteger(size)) return size === 0 ? 0 : text.startsWith('-') ? -size : size;
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
}
