import { ChangeQueue } from '../change-queue.ts';
import type { Change, Datastore } from '../datastore.ts';

/** Watches several ranges, which must not overlap, as one: `synced` comes once, when all are. */
export async function* mergeChanges(
  store: Datastore,
  prefixes: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Change, void> {
  const stop = new AbortController();
  const queue = new ChangeQueue();
  let unsynced = prefixes.length;
  const follow = async (prefix: string): Promise<void> => {
    for await (const change of store.watch(prefix, AbortSignal.any([signal, stop.signal]))) {
      if (change.type !== 'synced' || --unsynced === 0) queue.push(change);
    }
  };
  Promise.all(prefixes.map(follow)).then(
    () => queue.end(),
    (error: unknown) => queue.end(error),
  );
  try {
    yield* queue.drain(signal);
  } finally {
    stop.abort();
  }
}
