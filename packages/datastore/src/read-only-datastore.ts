import type { Datastore, Transaction } from './datastore.ts';
import { ReadOnlyError } from './errors.ts';

/** `store`, of which nothing but reads is let through. Owns it: disposing this disposes it. */
export function readOnlyDatastore(store: Datastore): Datastore {
  return {
    isPrivate: store.isPrivate,
    get: (key) => store.get(key),
    list: (prefix, options) => store.list(prefix, options),
    watch: (prefix, signal, from) => store.watch(prefix, signal, from),
    async transact(transaction) {
      const what = described(transaction);
      if (what === undefined) return store.transact(transaction);
      throw new ReadOnlyError(`the datastore was opened read-only: ${what} is refused`);
    },
    async lease() {
      throw new ReadOnlyError('the datastore was opened read-only: a lease is refused');
    },
    async compact() {
      throw new ReadOnlyError('the datastore was opened read-only: compaction is refused');
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** `put /a and 2 more`; `undefined` for one that writes nothing. */
function described({ operations }: Transaction): string | undefined {
  const [first, ...more] = operations;
  if (!first) return undefined;
  return `${first.type} ${first.key}${more.length > 0 ? ` and ${more.length} more` : ''}`;
}
