import { textFingerprint } from '../nft-script.ts';
import { type Nftables, NftError, type NftTable } from '../nftables.ts';
import { contentOfFake, type FakeNftTable, tablesAfter } from './fake-nft-tables.ts';

/**
 * {@link Nftables} in memory. Tables may be changed by the test, as somebody else's hand: those that were written as
 * text, and those of transactions, which know nothing of each other. A rule of somebody else is ''.
 */
export interface FakeNftables extends Nftables {
  readonly tables: Map<string, NftTable>;
  readonly content: Map<string, FakeNftTable>;
  /** Transactions so far. */
  readonly writes: number;
}

export function fakeNftables(): FakeNftables {
  const tables = new Map<string, NftTable>();
  const content = new Map<string, FakeNftTable>();
  let writes = 0;
  return {
    tables,
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
    fingerprint: textFingerprint,
    async read(table) {
      const found = content.get(table);
      return found && contentOfFake(found);
    },
    async readTable(table) {
      return tables.get(table);
    },
    async replaceTable(table, text) {
      writes++;
      tables.set(table, text);
    },
    async changeElements(table, map, { add, remove }) {
      writes++;
      const found = tables.get(table);
      const elements = found?.elements.get(map);
      if (!found || !elements) throw new NftError(`no map ${map} in table ${table}`);
      const next = new Map(elements);
      for (const key of remove) if (!next.delete(key)) throw new NftError(`no element ${key}`);
      for (const [key, verdict] of add) {
        if ((next.get(key) ?? verdict) !== verdict) throw new NftError(`element ${key} exists`);
        next.set(key, verdict);
      }
      tables.set(table, { ...found, elements: new Map(found.elements).set(map, next) });
    },
  };
}
