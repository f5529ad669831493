/** Versions of the CNI specification that a configuration may name, oldest first. */
export const SPEC_VERSIONS = [
  '0.1.0',
  '0.2.0',
  '0.3.0',
  '0.3.1',
  '0.4.0',
  '1.0.0',
  '1.1.0',
] as const;

export type SpecVersion = (typeof SPEC_VERSIONS)[number];

/** What a configuration without `cniVersion` means. */
export const DEFAULT_SPEC_VERSION: SpecVersion = '0.1.0';

export const LATEST_SPEC_VERSION: SpecVersion = '1.1.0';

export function isSpecVersion(text: unknown): text is SpecVersion {
  return (SPEC_VERSIONS as readonly unknown[]).includes(text);
}

export function isAtLeast(version: SpecVersion, minimum: SpecVersion): boolean {
  return SPEC_VERSIONS.indexOf(version) >= SPEC_VERSIONS.indexOf(minimum);
}
