import type { OptionSpec } from '../command.ts';
import { formatTable } from '../table.ts';

/** `-o` of a command that answers in sentences. */
export const TEXT_OUTPUT_OPTION = {
  type: 'string',
  short: 'o',
  value: 'format',
  summary: 'how to print',
  choices: ['text', 'json'],
  default: 'text',
} as const satisfies OptionSpec;

/** The settings of an object that are set, one on a line. */
export function propertyTable(object: object): string {
  const rows = Object.entries(object).filter(([, value]) => value !== undefined);
  const columns = [
    { title: 'PROPERTY', cell: ([name]: (typeof rows)[number]) => name },
    { title: 'VALUE', cell: ([, value]: (typeof rows)[number]) => String(value) },
  ];
  return formatTable(columns, rows);
}
