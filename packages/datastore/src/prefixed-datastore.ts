import type { Change, Condition, Datastore, Entry, Operation } from './datastore.ts';
import { ConflictError } from './errors.ts';
import { KEY_PREFIX, MAX_KEY_PREFIX_LENGTH } from './key-prefix.ts';

/**
 * `store`, seen as if the keys under `keyPrefix` were all there is: `/calico/a` is stored at `/site-1/calico/a`.
 * Owns it: disposing this disposes it.
 *
 * @throws {RangeError} If the prefix is no path: `/site-1`, without a slash at its end.
 */
export function prefixedDatastore(store: Datastore, keyPrefix: string): Datastore {
  if (!KEY_PREFIX.test(keyPrefix) || keyPrefix.length > MAX_KEY_PREFIX_LENGTH) {
    throw new RangeError(
      `key prefix ${JSON.stringify(keyPrefix)}: must be a path such as /site-1, of at most ${MAX_KEY_PREFIX_LENGTH} characters`,
    );
  }
  const outer = <T extends { readonly key: string }>(item: T): T => {
    if (!item.key.startsWith('/')) throw new RangeError(`key ${item.key} does not start with /`);
    return { ...item, key: keyPrefix + item.key };
  };
  const inner = <T extends { readonly key: string }>(item: T): T => ({
    ...item,
    key: item.key.slice(keyPrefix.length),
  });
  // No prefix at all means every key of ours, and not one of a neighbour whose name is longer.
  const range = (prefix: string) => outer({ key: prefix === '' ? '/' : prefix }).key;
  return {
    isPrivate: store.isPrivate,
    async get(key) {
      const entry = await store.get(outer({ key }).key);
      return entry && inner(entry);
    },
    async list(prefix, { after, ...options } = {}) {
      const page = await store.list(range(prefix), {
        ...options,
        ...(after === undefined || after === '' ? {} : { after: outer({ key: after }).key }),
      });
      const next = page.next === undefined ? undefined : inner({ key: page.next }).key;
      return { ...page, entries: page.entries.map(inner<Entry>), next };
    },
    async transact({ conditions, operations }) {
      try {
        return await store.transact({
          conditions: conditions.map(outer<Condition>),
          operations: operations.map(outer<Operation>),
        });
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        throw new ConflictError(inner({ key: error.key }).key, error.actual && inner(error.actual));
      }
    },
    async *watch(prefix, signal, from) {
      for await (const change of store.watch(range(prefix), signal, from)) {
        yield innerChange(change, inner);
      }
    },
    lease: (ttlSeconds) => store.lease(ttlSeconds),
    compact: (revision) => store.compact(revision),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

function innerChange(
  change: Change,
  inner: <T extends { readonly key: string }>(item: T) => T,
): Change {
  if (change.type === 'synced') return change;
  return change.type === 'put' ? { type: 'put', entry: inner(change.entry) } : inner(change);
}
