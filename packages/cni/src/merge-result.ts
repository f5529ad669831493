import { type AddResult, formatResult } from './result.ts';
import type { SpecVersion } from './spec-version.ts';

/** A result as JSON has it. */
type Document = Readonly<Record<string, unknown>>;

/**
 * Our result behind that of the plugins before us: what they have said stays, what we do not know included.
 *
 * @param previous Of the configuration's version, as the runtime sees to.
 */
export function mergeResult(
  previous: unknown,
  result: AddResult,
  cniVersion: SpecVersion,
): Document {
  if (typeof previous !== 'object' || previous === null) return formatResult(result, cniVersion);
  const before = previous as Document;
  const offset = listOf(before, 'interfaces').length;
  const ips = result.ips.map((ip) => ({
    ...ip,
    ...(ip.interface !== undefined && { interface: ip.interface + offset }),
  }));
  const ours = formatResult({ ...result, ips }, cniVersion);
  const lists = ['interfaces', 'ips', 'routes'].flatMap((name) => {
    const both = [...listOf(before, name), ...listOf(ours, name)];
    return both.length > 0 ? [[name, both] as const] : [];
  });
  const hasDns = Object.keys(result.dns).length > 0;
  return {
    ...ours,
    ...before,
    cniVersion,
    ...Object.fromEntries(lists),
    ...(hasDns && { dns: result.dns }),
  };
}

function listOf(document: Document, name: string): readonly unknown[] {
  const value = document[name];
  return Array.isArray(value) ? value : [];
}
