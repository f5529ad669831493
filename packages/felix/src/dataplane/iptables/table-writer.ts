import {
  type Iptables,
  type IptablesChange,
  type IptablesContent,
  IptablesError,
} from '@overland/linux';
import type { Family } from '@overland/net';
import type { Logger } from 'pino';
import { endpointChain } from '../../calc/iptables/names.ts';
import type { PolicyTableName, TableRules } from '../../calc/iptables/table-rules.ts';
import {
  type ChainInsertMode,
  compareTable,
  creationOf,
  isOwnChain,
  type TableDifference,
  type TaggedTable,
  Tagger,
  writingOf,
} from './plan-table.ts';

export interface TableWriterOptions {
  readonly iptables: Iptables;
  readonly family: Family;
  readonly table: PolicyTableName;
  readonly log: Logger;
}

/** What is to be written, and how. */
export interface TableWish {
  readonly rules: TableRules;
  readonly mode: ChainInsertMode;
  /** Without it, chains of ours that are not wanted stay. */
  readonly mayRemove: boolean;
}

/** Chain to the reason why it cannot be written. */
export type Refusals = ReadonlyMap<string, string>;

/** A table of one IP version: what the kernel holds of it, and how it comes to hold what is wanted. */
export class TableWriter {
  readonly #options: TableWriterOptions;
  readonly #tagger = new Tagger();
  /** As read, or written since; `undefined`: to be read. */
  #actual: Map<string, readonly string[]> | undefined;
  /** Whether nothing is wanted, and nothing of ours there: then nobody looks again. */
  #isUnused = false;

  constructor(options: TableWriterOptions) {
    this.#options = options;
  }

  doubt(): void {
    if (!this.#isUnused) this.#actual = undefined;
  }

  /** Whether there is anything of ours. */
  async isThere(): Promise<boolean> {
    const actual = await this.#content();
    return [...actual].some(([chain, rules]) => isOwnChain(chain, rules));
  }

  /** Interfaces that the kernel has chains of ours for. */
  async endpoints(): Promise<string[]> {
    const content = await this.#content();
    const prefix = endpointChain('ingress', '');
    return [...content].flatMap(([chain, rules]) => {
      const name = chain.startsWith(prefix) ? chain.slice(prefix.length) : '';
      const hasBoth = name !== '' && content.has(endpointChain('egress', name));
      return hasBoth && isOwnChain(chain, rules) ? [name] : [];
    });
  }

  /** How many parts of the kernel's table are not as wanted. */
  async differences(wish: TableWish): Promise<number> {
    const { difference } = await this.#compare(wish);
    const { chains, builtIn, removal } = difference;
    return chains.length + builtIn.length + (wish.mayRemove ? removal.length : 0);
  }

  /**
   * Makes the table as wanted, in one transaction; chains that are not needed any more go in a second one. If the kernel
   * refuses, chains are written one by one.
   *
   * @returns Whether something was written, and the chains that were refused: they are to be closed.
   * @throws {IptablesError} If nothing can be written.
   */
  async write(wish: TableWish): Promise<{ readonly written: boolean; readonly refused: Refusals }> {
    const { table, difference } = await this.#compare(wish);
    const { chains, builtIn, removal } = difference;
    this.#isUnused = table.chains.size === 0 && removal.length === 0;
    const refused = new Map<string, string>();
    if (chains.length + builtIn.length > 0) {
      try {
        await this.#transact([
          ...creationOf(difference),
          ...chains.flatMap((chain) => writingOf(chain, table)),
          ...builtIn,
        ]);
        this.#note(chains, table, builtIn.length > 0);
      } catch (error) {
        if (!(error instanceof IptablesError)) throw error;
        this.#options.log.warn({ err: error }, 'iptables refuses a change: trying its parts');
        await this.#writeOneByOne(table, difference, refused);
      }
    }
    const isRemoving = wish.mayRemove && removal.length > 0 && refused.size === 0;
    if (isRemoving) await this.#remove(removal);
    return { written: chains.length + builtIn.length > 0 || isRemoving, refused };
  }

  async #writeOneByOne(
    table: TaggedTable,
    difference: TableDifference,
    refused: Map<string, string>,
  ): Promise<void> {
    // If not even this is possible, no chain is to blame.
    await this.#transact(creationOf(difference));
    for (const chain of difference.chains) {
      try {
        await this.#transact(writingOf(chain, table));
      } catch (error) {
        if (!(error instanceof IptablesError)) throw error;
        refused.set(chain, error.message);
      }
    }
    // What was refused is closed by the next round, before anything leads to it.
    if (refused.size === 0) await this.#transact(difference.builtIn);
    this.doubt();
  }

  /** Somebody else's rule may lead to a chain of ours: then all stays, and is tried again. */
  async #remove(removal: readonly IptablesChange[]): Promise<void> {
    try {
      await this.#transact(removal);
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      this.#options.log.warn({ err: error }, 'what is not needed any more cannot be removed');
    }
    this.#actual = undefined;
  }

  async #compare({ rules, mode }: TableWish) {
    const table = this.#tagger.tag(rules);
    return { table, difference: compareTable(table, await this.#content(), mode) };
  }

  async #content(): Promise<IptablesContent> {
    const { iptables, family, table } = this.#options;
    this.#actual ??= new Map(await iptables.read(family, table));
    return this.#actual;
  }

  #transact(changes: readonly IptablesChange[]): Promise<void> {
    const { iptables, family, table } = this.#options;
    return iptables.transact(family, table, changes);
  }

  #note(chains: readonly string[], table: TaggedTable, isBuiltInChanged: boolean): void {
    // Of built-in chains, only the kernel knows how it writes what is in them now.
    if (isBuiltInChanged) this.doubt();
    for (const chain of chains) this.#actual?.set(chain, table.chains.get(chain)?.rules ?? []);
  }
}
