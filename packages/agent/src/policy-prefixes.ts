import { POLICY_KINDS, resourcePrefix } from '@overland/model';
import type { WatchedPrefix } from './watched-entries.ts';

/**
 * What decides about traffic, of the whole cluster, beside endpoints, which are watched anyway. Nothing of it is kept as
 * it is stored.
 */
export function policyPrefixes(): readonly WatchedPrefix[] {
  return POLICY_KINDS.map((kind) => ({
    prefix: resourcePrefix(kind),
    isPolicy: true,
    accept: () => false,
  }));
}
