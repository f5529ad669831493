import type { Datastore, Entry } from '@overland/datastore';

/** Every entry under a prefix, page by page, as of one revision. */
export async function* listEntries(datastore: Datastore, prefix: string): AsyncGenerator<Entry> {
  let page = await datastore.list(prefix);
  for (;;) {
    yield* page.entries;
    const { next: after, revision } = page;
    if (after === undefined) return;
    page = await datastore.list(prefix, { after, revision });
  }
}
