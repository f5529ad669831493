import type { Datastore, Entry, Revision } from '../datastore.ts';
import { Tally, TRANSFER_PREFIXES } from './key-ranges.ts';
import type { TransferSource } from './source.ts';

/** Few enough that a page of the largest values fits into memory. */
const PAGE_ENTRIES = 500;

/** Everything a cluster has in a datastore, as of one revision: the current one. */
export async function readDatastore(store: Datastore, location: string): Promise<TransferSource> {
  const { revision } = await store.list(TRANSFER_PREFIXES[0], { limit: 1 });
  let tally = new Tally();
  return {
    location,
    revision,
    async *pages() {
      tally = new Tally();
      for (const prefix of TRANSFER_PREFIXES) {
        for await (const entries of pagesAt(store, prefix, revision)) {
          yield entries.filter(({ key }) => tally.add(key));
        }
      }
    },
    leftOut: () => tally.leftOut,
  };
}

/** What a source has, counted. */
export async function countKeys(source: TransferSource) {
  const tally = new Tally();
  for await (const page of source.pages()) for (const { key } of page) tally.add(key);
  const { revision } = source;
  return { revision, keys: tally.total, counts: tally.counts, leftOut: source.leftOut() };
}

/** The entries with a prefix at a revision, in key order, a page at a time. */
export async function* pagesAt(
  store: Datastore,
  prefix: string,
  revision?: Revision,
): AsyncGenerator<readonly Entry[], void> {
  let after: string | undefined;
  let at = revision;
  do {
    const page = await store.list(prefix, {
      limit: PAGE_ENTRIES,
      ...(at && { revision: at }),
      ...(after !== undefined && { after }),
    });
    at = page.revision;
    if (page.entries.length > 0) yield page.entries;
    after = page.next;
  } while (after !== undefined);
}

/** One key at a revision. */
export async function entryAt(
  store: Datastore,
  key: string,
  revision: Revision,
): Promise<Entry | undefined> {
  const { entries } = await store.list(key, { limit: 1, revision });
  return entries[0]?.key === key ? entries[0] : undefined;
}
