import type { Family } from '@overland/net';
import type { HostLinks } from '../../calc/host-links.ts';
import { TABLES, TableRenderer } from '../../calc/iptables/table-rules.ts';
import type { PolicyState } from '../../calc/policy-state.ts';
import type { ChainInsertMode } from './plan-table.ts';
import { type Refusals, TableWriter, type TableWriterOptions } from './table-writer.ts';

/** What is wanted of the packet filter. */
export interface PolicyWish {
  readonly state: PolicyState;
  readonly links: HostLinks;
  readonly mode: ChainInsertMode;
  /** Chains that let nothing through, whatever the state says. */
  readonly closed: ReadonlySet<string>;
  /** Without it, what is ours and not wanted stays, and endpoints that the state does not have stay in use. */
  readonly mayRemove: boolean;
}

/** All tables of one IP version. */
export class FamilyWriter {
  readonly #renderer: TableRenderer;
  readonly #tables: ReadonlyMap<(typeof TABLES)[number], TableWriter>;

  constructor(options: Omit<TableWriterOptions, 'table' | 'family'> & { readonly family: Family }) {
    this.#renderer = new TableRenderer(options.family === 'ipv4' ? 4 : 6);
    this.#tables = new Map(TABLES.map((table) => [table, new TableWriter({ ...options, table })]));
  }

  /** Reads all tables again before the next write. */
  doubt(): void {
    for (const table of this.#tables.values()) table.doubt();
  }

  /** Whether there is anything of ours. */
  async isThere(): Promise<boolean> {
    for (const table of this.#tables.values()) if (await table.isThere()) return true;
    return false;
  }

  /** How many parts of the kernel's tables are not as wanted. */
  async differences(wish: PolicyWish): Promise<number> {
    let count = 0;
    for (const [table, tableWish] of await this.#wishes(wish)) {
      count += await table.differences(tableWish);
    }
    return count;
  }

  /** @returns Whether something was written, and the chains that were refused: they are to be closed. */
  async write(
    wish: PolicyWish,
  ): Promise<{ readonly written: boolean; readonly refused: Refusals }> {
    let written = false;
    const refused = new Map<string, string>();
    for (const [table, tableWish] of await this.#wishes(wish)) {
      const outcome = await table.write(tableWish);
      written ||= outcome.written;
      for (const [chain, reason] of outcome.refused) refused.set(chain, reason);
    }
    return { written, refused };
  }

  async #wishes({ state, links, mode, closed, mayRemove }: PolicyWish) {
    const inUse = mayRemove ? [] : ((await this.#tables.get('filter')?.endpoints()) ?? []);
    const kept = inUse.filter((name) => !state.endpoints.has(name));
    const rendered = this.#renderer.of(state, { closed, kept, links });
    return [...this.#tables].flatMap(([name, table]) => {
      const rules = rendered.get(name);
      return rules ? [[table, { rules, mode, mayRemove }] as const] : [];
    });
  }
}
