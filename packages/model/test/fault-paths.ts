import { parseManifest } from '../src/manifest.ts';
import { ValidationError } from '../src/validation.ts';

/** Where a manifest is wrong; empty if it is right. */
export function faultPaths(manifest: unknown): string[] {
  try {
    parseManifest(manifest);
  } catch (error) {
    if (error instanceof ValidationError) return error.faults.map(({ path }) => path);
    throw error;
  }
  return [];
}
