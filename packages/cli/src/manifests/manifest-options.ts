import type { OptionSpec } from '../command.ts';

/** `-f`, `-R`, `--skip-empty`: every command that takes manifests has them. */
export const MANIFEST_OPTIONS = {
  filename: {
    type: 'list',
    short: 'f',
    value: 'file',
    summary: 'manifests: a file, a directory, or - for standard input; may be given several times',
  },
  recursive: {
    type: 'boolean',
    short: 'R',
    summary: 'take directories with those in them',
  },
  skipEmpty: {
    type: 'boolean',
    summary: 'files and directories without a manifest are no mistake',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;
