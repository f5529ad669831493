import type { OptionSpec } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { MANIFEST_OPTIONS } from '../manifests/manifest-options.ts';

/** Where the resources come from: every command about policies has these. */
export const POLICY_OPTIONS = {
  ...MANIFEST_OPTIONS,
  ...CONNECTION_OPTIONS,
} as const satisfies Readonly<Record<string, OptionSpec>>;
