import type { Brand } from '@overland/net';

/**
 * Version of the datastore or of one key: decimal digits of an int64, opaque, compared for equality only
 * (etcd's `mod_revision`; SQLite's change number).
 */
export type Revision = Brand<string, 'Revision'>;

/** Keeps keys alive; when it ends, they are deleted. */
export type LeaseId = Brand<string, 'LeaseId'>;

/** One key as it stands. Values are text: JSON, or empty. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Of the last change to this key. */
  readonly revision: Revision;
}

/** What must hold for a transaction to be applied. */
export type Condition =
  | { readonly type: 'absent'; readonly key: string }
  | { readonly type: 'present'; readonly key: string }
  | { readonly type: 'revision'; readonly key: string; readonly revision: Revision };

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string; readonly lease?: LeaseId }
  | { readonly type: 'delete'; readonly key: string };

/**
 * All operations or none. At most {@link MAX_TRANSACTION_OPERATIONS} conditions and as many operations, each
 * on a key of its own. Without operations it only tests conditions.
 */
export interface Transaction {
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
}

/** Most operations one transaction may hold: etcd's default `--max-txn-ops`. */
export const MAX_TRANSACTION_OPERATIONS = 128;

/** Largest transaction, keys and values together, in octets: etcd's default `--max-request-bytes`, less room for framing. */
export const MAX_TRANSACTION_OCTETS = 1_572_864 - 16_384;

export type Change =
  | { readonly type: 'put'; readonly entry: Entry }
  | { readonly type: 'delete'; readonly key: string; readonly revision: Revision }
  /** Sent once, after the last `put` of the initial listing. */
  | { readonly type: 'synced'; readonly revision: Revision };

export interface Page {
  /** In key order. */
  readonly entries: readonly Entry[];
  /** Of the datastore as it was read; later pages are read at the same one. */
  readonly revision: Revision;
  /** Pass as `after` for the next page, with `revision`; `undefined` on the last. */
  readonly next: string | undefined;
}

export interface ListOptions {
  /** Entries in a page; default 1000. */
  readonly limit?: number;
  /** Continue behind this key. */
  readonly after?: string;
  /** Read as of this revision, for consistent paging. */
  readonly revision?: Revision;
}

export interface Lease {
  readonly id: LeaseId;
  /** Aborts when the lease is lost: expired, revoked, or unconfirmed for longer than its time to live. */
  readonly lost: AbortSignal;
  /** Ends the lease; its keys are deleted. */
  revoke(): Promise<void>;
}

/**
 * The one way to stored state. Every adapter passes the same suite, `describeDatastore` in `./testing`.
 * Keys are ASCII text, `/`-separated. Disposing one ends its watches and stops keeping its leases alive: they
 * end by themselves, unless they were revoked.
 *
 * Each call has a deadline and rejects with `UnavailableError` when it passes: the outcome of a write is
 * then unknown.
 */
export interface Datastore extends AsyncDisposable {
  /**
   * Whether nobody on the way can read what is sent: there is none, or it is TLS by configuration (an unsigned answer
   * of DNS must not decide). Secrets are written only where it is true.
   */
  readonly isPrivate: boolean;

  get(key: string): Promise<Entry | undefined>;

  /**
   * One page of the keys that start with `prefix`, in key order.
   *
   * @throws {CompactedError} If the revision asked for is no longer kept, or was never reached: list again from the start.
   */
  list(prefix: string, options?: ListOptions): Promise<Page>;

  /**
   * Applies all operations at once if every condition holds.
   *
   * @returns The revision that every key written now has.
   * @throws {ConflictError} If a condition does not hold. Nothing was written.
   * @throws {LimitError} If it is too large. Nothing was sent.
   * @throws {LeaseError} If a lease it names has ended. Nothing was written.
   * @throws {UnavailableError} If no answer came in time; it may or may not have been applied.
   */
  transact(transaction: Transaction): Promise<Revision>;

  /**
   * The current entries under `prefix`, then `synced`, then every later change in commit order. Several
   * changes to one key may be reported as the last of them, and a key that came and went unread not at all: what waits
   * for a slow reader are at most the keys that it knows and those that exist, once each.
   *
   * Ends when `signal` aborts. Survives lost connections, compaction, and a datastore restored from a backup by itself
   * (it lists again and reports the difference); throws only what trying again cannot mend.
   *
   * @param from The revision as of which the reader knows the entries already, from a {@link Page}: `synced` comes
   *   first, then what has changed since.
   * @throws {CompactedError} If `from` is no longer kept, or was never reached here (a backup was restored, or it
   *   is another datastore's): nobody can tell the difference then. Watch anew without it.
   */
  watch(prefix: string, signal: AbortSignal, from?: Revision): AsyncIterable<Change>;

  /** Grants a lease and keeps it alive until it is revoked or lost. */
  lease(ttlSeconds: number): Promise<Lease>;

  /**
   * Forgets everything before `revision`, which itself can still be read. What is forgotten already is no mistake.
   * SQLite and memory also do it by themselves.
   *
   * @throws {CompactedError} If the revision was never reached.
   */
  compact(revision: Revision): Promise<void>;
}
