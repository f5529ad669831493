import type { ResponseHeader } from './messages.ts';

/**
 * Whether an answer cannot come from the history of which `seen` was: from a cluster restored from a backup, or from another
 * cluster. A member that only lags behind looks the same for a moment; whoever reads the range anew is right in
 * either case.
 *
 * @param seen The last answer; `undefined` if there was none. Fields that are 0 are unknown (etcd's proxy sends such).
 */
export function isOtherHistory(seen: ResponseHeader | undefined, now: ResponseHeader): boolean {
  if (!seen) return false;
  const isOtherCluster =
    seen.cluster_id !== '0' && now.cluster_id !== '0' && seen.cluster_id !== now.cluster_id;
  const isBehind = (field: 'revision' | 'raft_term') =>
    now[field] !== '0' && BigInt(now[field]) < BigInt(seen[field]);
  return isOtherCluster || isBehind('revision') || isBehind('raft_term');
}
