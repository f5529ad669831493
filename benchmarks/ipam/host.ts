import { type Datastore, type Operation, openDatastore } from '@overland/datastore';
import { createIpam, type Ipam, IpamView } from '@overland/ipam';
import { AT, ENDPOINT } from './setting.ts';

/** What an assignment wrote. */
export interface Written {
  readonly block: string;
  readonly handle: string;
}

/** A host, on a connection of its own. */
export interface Host extends AsyncDisposable {
  readonly ipam: Ipam;
  readonly view: IpamView;
  /** What its assignments wrote, one item each. */
  readonly written: Written[];
  /** Calls to the datastore, and octets of keys and values in them. */
  readonly cost: { calls: number; octets: number };
}

export async function hostOf(node: string): Promise<Host> {
  const store = await openDatastore({ type: 'etcd', endpoints: [ENDPOINT], deadlineMs: 20_000 });
  const written: Written[] = [];
  const cost = { calls: 0, octets: 0 };
  const count = (...texts: readonly string[]): void => {
    cost.calls++;
    for (const text of texts) cost.octets += text.length;
  };
  const observed: Datastore = {
    isPrivate: store.isPrivate,
    async get(key) {
      const entry = await store.get(key);
      count(key, entry?.value ?? '');
      return entry;
    },
    async list(prefix, options) {
      const page = await store.list(prefix, options);
      count(prefix, ...page.entries.flatMap(({ key, value }) => [key, value]));
      return page;
    },
    transact(transaction) {
      const { conditions, operations } = transaction;
      count(...conditions.map(({ key }) => key), ...operations.flatMap(textsOf));
      const puts = operations.flatMap((each) => (each.type === 'put' ? each : []));
      const block = puts.find(({ key }) => key.includes('/assignment/'))?.value ?? '';
      for (const { key, value } of puts) {
        if (key.includes('/handle/')) written.push({ block, handle: value });
      }
      return store.transact(transaction);
    },
    watch: (prefix, signal, from) => store.watch(prefix, signal, from),
    lease: (ttlSeconds) => store.lease(ttlSeconds),
    compact: (revision) => store.compact(revision),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  const stop = new AbortController();
  const view = new IpamView(node);
  const following = view.follow((prefix) => store.watch(prefix, stop.signal));
  await view.synced;
  const ipam = createIpam({ datastore: observed, node, view, now: () => AT });
  return {
    ipam,
    view,
    written,
    cost,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
      await store[Symbol.asyncDispose]();
    },
  };
}

function textsOf(operation: Operation): string[] {
  return operation.type === 'put' ? [operation.key, operation.value] : [operation.key];
}

export function requestOf(node: string, handle: string) {
  const attributes = {
    node,
    namespace: 'default',
    workload: handle,
    hostInterface: 'cali0123456789a',
  };
  return { handle, families: ['ipv4'] as const, attributes };
}
