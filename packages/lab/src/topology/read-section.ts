import type { z } from 'zod';
import type { Path, Report } from './fault.ts';
import { LEFT_OUT, REFUSED } from './schema.ts';

/** Where faults go, and what is left out. */
export interface Notes {
  readonly report: Report;
  readonly warn: (path: Path, message: string) => void;
}

/**
 * Checks one section of the file against its schema. Keys that may be left out are, with a warning.
 *
 * @returns `undefined` if anything was reported.
 */
export function readSection<T>(
  schema: z.ZodType<T>,
  value: unknown,
  path: Path,
  { report, warn }: Notes,
): T | undefined {
  const kept: unknown = isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).filter(([key]) => {
          const reason = LEFT_OUT[key];
          if (reason !== undefined) warn([...path, key], `'${key}' is left out: ${reason}`);
          return reason === undefined;
        }),
      )
    : value;
  const parsed = schema.safeParse(kept);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) reportIssue(issue, path, report);
  return undefined;
}

/** Faults for keys that are none of `known`. */
export function checkKeys(
  value: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: Path,
  report: Report,
): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) report([...path, key], unknownKey(key, known));
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKey(key: string, known: readonly string[]): string {
  const reason = REFUSED[key];
  if (reason !== undefined) return `'${key}' is not supported: ${reason}`;
  const expected = known.length > 0 ? `; expected one of ${known.join(', ')}` : '';
  return `unknown key '${key}'${expected}`;
}

function reportIssue(issue: z.core.$ZodIssue, path: Path, report: Report): void {
  const at = [...path, ...issue.path.map((step) => (typeof step === 'symbol' ? '' : step))];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) report([...at, key], unknownKey(key, []));
    return;
  }
  const name = at.findLast((step) => typeof step === 'string') ?? 'value';
  report(at, `'${name}': ${describe(issue)}`);
}

function describe(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_union':
      return 'expected plain text or a number here';
    case 'invalid_type':
      return `expected ${EXPECTED[issue.expected] ?? issue.expected} here`;
    default:
      return issue.message.replace(/^[A-Z]/, (letter) => letter.toLowerCase());
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
};

/** A part that must be a map; reports if it is not, and goes on with an empty one. */
export function readMap(
  value: unknown,
  path: Path,
  { report }: Notes,
  what: string,
): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  report(
    path,
    value === undefined || value === null ? `${what} is missing` : `${what} must be a map`,
  );
  return {};
}
