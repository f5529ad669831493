import type { OptionSpec } from '../command.ts';

/** The options of every command that writes a whole state into a datastore. */
export const TRANSFER_OPTIONS = {
  overwrite: { type: 'boolean', summary: 'replace objects of the target that differ' },
  dryRun: { type: 'boolean', summary: 'print what would become of each key, and write nothing' },
} as const satisfies Record<string, OptionSpec>;
