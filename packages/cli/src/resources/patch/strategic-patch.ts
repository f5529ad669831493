import { isJsonObject, sameJson } from '@overland/model';
import { UsageError } from '../../command.ts';

/**
 * Strategic merge as calicoctl does it against Calico's types, which declare no merge keys: lists are taken whole,
 * but for the two of the metadata that Kubernetes declares. Directives: `$patch: replace` and `$patch: delete` in
 * objects; the others are refused by name.
 */
export function strategicPatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, '');
}

function merge(target: unknown, patch: unknown, path: string): unknown {
  if (Array.isArray(patch)) return mergeList(target, patch, path);
  if (!isJsonObject(patch)) return patch;
  const { $patch, ...changes } = patch;
  const unknown = Object.keys(changes).find((name) => name.startsWith('$'));
  if (unknown !== undefined) throw new UsageError(`the directive ${unknown} is not supported`);
  if ($patch === 'delete') return undefined;
  if ($patch !== undefined && $patch !== 'replace' && $patch !== 'merge') {
    throw new UsageError(`$patch must be replace, delete or merge, not ${JSON.stringify($patch)}`);
  }
  const isMerge = $patch !== 'replace' && isJsonObject(target);
  const fields = new Map(isMerge ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(changes)) {
    const merged = value === null ? undefined : merge(fields.get(name), value, `${path}/${name}`);
    if (merged === undefined) fields.delete(name);
    else fields.set(name, merged);
  }
  return Object.fromEntries(fields);
}

function mergeList(target: unknown, patch: readonly unknown[], path: string): unknown {
  const old: readonly unknown[] = Array.isArray(target) ? target : [];
  if (path === '/metadata/finalizers') return [...new Set([...old, ...patch])];
  if (path !== '/metadata/ownerReferences') return patch;
  const uidOf = (item: unknown) => (isJsonObject(item) ? item.uid : undefined);
  const kept = old.filter((item) => !patch.some((other) => sameJson(uidOf(other), uidOf(item))));
  return [...kept, ...patch];
}
