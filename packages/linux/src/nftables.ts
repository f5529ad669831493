/** A table of nftables that is wholly ours: its rules as text, and the maps whose elements come and go. */
export interface NftTable {
  /** As `nft -s -t list table` prints it: without elements and counters. */
  readonly text: string;
  /** Map name to its elements: key to verdict, such as `return` or `jump CHAIN`. */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Names and keys go to nft as they are: the caller makes sure that they need no quoting. */
export interface NftElementChange {
  readonly add: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** nftables of one network namespace, by table. A table is named with its family: `inet overland`. */
export interface Nftables {
  /** @returns `undefined` if there is no such table. @throws {NftError} If it cannot be read. */
  readTable(table: string): Promise<NftTable | undefined>;
  /**
   * Makes the table anew in one transaction: every packet meets the old one or the new one.
   *
   * @throws {NftError} Nothing was changed.
   */
  replaceTable(table: string, content: NftTable): Promise<void>;
  /**
   * Changes elements of a map in one transaction.
   *
   * @throws {NftError} If one to remove is absent, or one to add is there with another verdict. Nothing was changed.
   */
  changeElements(table: string, map: string, change: NftElementChange): Promise<void>;
}

/** nft could not be run, or refused. */
export class NftError extends Error {
  override readonly name = 'NftError';
}
