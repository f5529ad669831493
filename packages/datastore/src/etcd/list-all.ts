import type { Revision } from '../datastore.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { rangeEnd, rangeStart } from './key-range.ts';
import type { KeyValue, ResponseHeader } from './messages.ts';
import { RANGE } from './methods.ts';

const PAGE = 1000;

/** Every key with a prefix, as they were at one revision. */
interface Listing {
  readonly kvs: KeyValue[];
  /** Of the answer to the first page. Its revision is the one that was read, unless another was asked for. */
  readonly header: ResponseHeader;
}

/**
 * Reads all keys with a prefix, page by page.
 *
 * @throws {CompactedError} If the revision is no longer kept, or was never reached.
 */
export async function listAll(
  connection: EtcdConnection,
  prefix: string,
  options: { readonly revision?: Revision; readonly keysOnly?: boolean } = {},
): Promise<Listing> {
  const kvs: KeyValue[] = [];
  let header: ResponseHeader | undefined;
  let key = rangeStart(prefix);
  for (;;) {
    const page = await connection.call(RANGE, {
      key,
      range_end: rangeEnd(prefix),
      limit: `${PAGE}`,
      revision: options.revision ?? header?.revision,
      keys_only: options.keysOnly,
    });
    header ??= page.header ?? NO_HEADER;
    for (const kv of page.kvs) kvs.push(kv);
    const last = page.kvs.at(-1);
    if (!page.more || !last) return { kvs, header };
    key = `${last.key}\0`;
  }
}

const NO_HEADER: ResponseHeader = { cluster_id: '0', revision: '0', raft_term: '0' };
