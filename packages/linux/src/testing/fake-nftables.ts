import { EventQueue } from '../kernel/event-queue.ts';
import type { Nftables } from '../nftables.ts';
import { contentOfFake, type FakeNftTable, tablesAfter } from './fake-nft-tables.ts';

/** {@link Nftables} in memory. */
export interface FakeNftables extends Nftables {
  /** Tables by name. A test may change them, as somebody else's hand: a rule of somebody else is ''. */
  readonly content: Map<string, FakeNftTable>;
  /** Transactions so far. */
  readonly writes: number;
  /** Tells that somebody else has changed a table; `undefined`: any. */
  tellForeignChange(table: string | undefined): void;
}

export function fakeNftables(): FakeNftables {
  const content = new Map<string, FakeNftTable>();
  const watchers = new Set<EventQueue<string | undefined>>();
  let writes = 0;
  return {
    content,
    get writes() {
      return writes;
    },
    async transact(changes) {
      writes++;
      const after = tablesAfter(content, changes);
      content.clear();
      for (const [name, table] of after) content.set(name, table);
    },
    fingerprint: (rule) => rule,
    async read(table) {
      const found = content.get(table);
      return found && contentOfFake(found);
    },
    foreignChanges(signal) {
      const queue = new EventQueue<string | undefined>(signal);
      watchers.add(queue);
      queue.ended.addEventListener('abort', () => watchers.delete(queue), { once: true });
      return queue;
    },
    tellForeignChange(table) {
      for (const queue of watchers) queue.push(table);
    },
  };
}
