import type { Family } from '@overland/net';

/** The tables that we write. */
export type IptablesTable = 'filter' | 'mangle' | 'nat' | 'raw';

/** One step of a transaction. Rules are in the language of iptables-restore, without their chain. */
export type IptablesChange =
  /** Leaves a chain without rules; makes it if it is not there. Not for built-in chains. */
  | { readonly type: 'flush-chain'; readonly chain: string }
  /** Of a chain without rules that nothing leads to. */
  | { readonly type: 'delete-chain'; readonly chain: string }
  /** Behind all others, or before them. */
  | {
      readonly type: 'append-rule' | 'insert-rule';
      readonly chain: string;
      readonly rule: string;
    }
  /** The first that is the same; as {@link Iptables.read} told it. */
  | { readonly type: 'delete-rule'; readonly chain: string; readonly rule: string };

/** What a table holds: chain to its rules in order, as iptables-save writes them. */
export type IptablesContent = ReadonlyMap<string, readonly string[]>;

/** The tables of iptables (ipv4) and ip6tables (ipv6) of one network namespace. */
export interface Iptables {
  /** Chains that nobody has used may be absent. @throws {IptablesError} If it cannot be read. */
  read(family: Family, table: IptablesTable): Promise<IptablesContent>;
  /**
   * Makes all changes of a table, in order, or none. Every packet meets the table before or the table after.
   *
   * @throws {IptablesError} Nothing was changed.
   */
  transact(family: Family, table: IptablesTable, changes: readonly IptablesChange[]): Promise<void>;
  /**
   * Differs after rules have come or gone, also those of others; costs microseconds. Absent: netlink tells of changes.
   *
   * @throws {KernelError} If the kernel cannot be asked.
   */
  signature?(): string;
}

/** Which of its two kernel interfaces iptables uses: they know nothing of each other. */
export type IptablesVariant = 'legacy' | 'nft';

/** iptables could not be run, or refused. */
export class IptablesError extends Error {
  override readonly name = 'IptablesError';
}
