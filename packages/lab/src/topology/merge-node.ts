import type { NodeKeys } from './schema.ts';

/**
 * Merges the levels of one node's keys; later levels win. Maps (`env`, `labels`, `sysctls`) are merged by key, `binds` by
 * their destination, `env-files` in order without repetition; everything else, `exec` too, is replaced.
 *
 * @param levels Defaults, kind, group, node, in this order; absent ones as `undefined`.
 */
export function mergeNode(levels: readonly (NodeKeys | undefined)[]): NodeKeys {
  let merged: NodeKeys = {};
  for (const level of levels) {
    if (!level) continue;
    merged = {
      ...merged,
      ...level,
      env: { ...merged.env, ...level.env },
      labels: { ...merged.labels, ...level.labels },
      sysctls: { ...merged.sysctls, ...level.sysctls },
      binds: mergeBinds(merged.binds ?? [], level.binds ?? []),
      'env-files': [...new Set([...(merged['env-files'] ?? []), ...(level['env-files'] ?? [])])],
    };
  }
  return merged;
}

function mergeBinds(lower: readonly string[], upper: readonly string[]): string[] {
  const replaced = new Set(upper.map(destinationOf));
  return [...lower.filter((bind) => !replaced.has(destinationOf(bind))), ...upper];
}

function destinationOf(bind: string): string {
  return bind.split(':')[1] ?? bind;
}
