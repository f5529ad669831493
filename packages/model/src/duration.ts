import { ParseError } from '@overland/net';

const UNIT_MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Parses a duration as Go writes it: `90s`, `1m30s`, `1.5h`, `0`.
 *
 * @returns Milliseconds.
 * @throws {ParseError} If it is malformed or negative.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/gy)];
  const length = parts.reduce((sum, [part]) => sum + part.length, 0);
  if (text === '' || length !== text.length) {
    throw new ParseError('duration', text, 'numbers with units, as 90s or 1m30s');
  }
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MILLISECONDS[unit ?? ''] ?? 0),
    0,
  );
}
