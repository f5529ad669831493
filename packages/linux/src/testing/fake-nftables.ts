import { type Nftables, NftError, type NftTable } from '../nftables.ts';

/** {@link Nftables} in memory. `tables` may be changed by the test, as somebody else's hand. */
export interface FakeNftables extends Nftables {
  readonly tables: Map<string, NftTable>;
  /** Transactions so far. */
  readonly writes: number;
}

export function fakeNftables(): FakeNftables {
  const tables = new Map<string, NftTable>();
  let writes = 0;
  return {
    tables,
    get writes() {
      return writes;
    },
    async readTable(table) {
      return tables.get(table);
    },
    async replaceTable(table, content) {
      writes++;
      tables.set(table, content);
    },
    async changeElements(table, map, { add, remove }) {
      writes++;
      const content = tables.get(table);
      const elements = content?.elements.get(map);
      if (!content || !elements) throw new NftError(`no map ${map} in table ${table}`);
      const next = new Map(elements);
      for (const key of remove) if (!next.delete(key)) throw new NftError(`no element ${key}`);
      for (const [key, verdict] of add) {
        if ((next.get(key) ?? verdict) !== verdict) throw new NftError(`element ${key} exists`);
        next.set(key, verdict);
      }
      tables.set(table, { ...content, elements: new Map(content.elements).set(map, next) });
    },
  };
}
