import type { Datastore } from '../datastore.ts';

/** One stored state, and clients of it. */
export interface DatastoreHarness extends AsyncDisposable {
  /** A client of its own: another process as far as the adapter can tell. */
  connect(): Promise<Datastore>;
}

/** Gives a fresh, empty state. */
export type Open = () => Promise<DatastoreHarness>;
