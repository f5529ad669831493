/** Types of keys, as nft names them. */
export type NftKeyType =
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'ether_addr'
  | 'ifname'
  | 'inet_proto'
  | 'inet_service';

/** Where a base chain sits. `priority`: lower is earlier; 0 is `filter`. */
export interface NftHook {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
}

/** What a set or map takes; `verdicts` makes it a map to verdicts. */
export interface NftSetSpec {
  /** Several: a concatenation. */
  readonly key: readonly NftKeyType[];
  readonly verdicts?: boolean;
  /** Whether elements may be prefixes and ranges. They must not overlap. */
  readonly interval?: boolean;
}

/**
 * An element in canonical text: parts joined by ` . `; numbers in decimal, an interface without quotes, a
 * range that is a prefix as prefix, a range of one as the one.
 */
export interface NftElement {
  readonly key: string;
  /** Of a map: `return`, `drop`, `goto CHAIN`, … */
  readonly verdict?: string;
}

/** One step of a transaction. A table is named with its family: `inet overland`. */
export type NftChange =
  /** No change if it is there, except that a dormant one wakes up. */
  | { readonly type: 'add-table'; readonly table: string }
  /** With everything in it. */
  | { readonly type: 'delete-table'; readonly table: string }
  /** No change if it is there; the policy of a base chain is set. */
  | {
      readonly type: 'add-chain';
      readonly table: string;
      readonly chain: string;
      readonly hook?: NftHook;
    }
  /** Removes the rules of a chain; `delete-chain` also the chain, which nothing may lead to. */
  | {
      readonly type: 'flush-chain' | 'delete-chain';
      readonly table: string;
      readonly chain: string;
    }
  /** Appends a rule, written as nft writes it: `tcp dport 80 accept comment "web"`. */
  | {
      readonly type: 'add-rule';
      readonly table: string;
      readonly chain: string;
      readonly rule: string;
    }
  /** No change if it is there and takes the same. */
  | ({ readonly type: 'add-set'; readonly table: string; readonly set: string } & NftSetSpec)
  /** Removes the elements of a set or map; `delete-set` also the set, which no rule may ask. */
  | { readonly type: 'flush-set' | 'delete-set'; readonly table: string; readonly set: string }
  /** Adding what is there is no change; adding it with another verdict, and removing what is absent, fails. */
  | {
      readonly type: 'add-elements' | 'remove-elements';
      readonly table: string;
      readonly set: string;
      readonly elements: readonly NftElement[];
    };

/** What a table holds. */
export interface NftContent {
  /** Whether somebody has put it to sleep: its chains see no packets. */
  readonly dormant: boolean;
  readonly chains: ReadonlyMap<string, NftChain>;
  readonly sets: ReadonlyMap<string, NftSet>;
}

export interface NftChain {
  readonly hook: NftHook | undefined;
  /** Fingerprints of its rules, in order; `undefined` is a rule that was not written through this port. */
  readonly rules: readonly (string | undefined)[];
}

export interface NftSet {
  readonly key: readonly string[];
  readonly verdicts: boolean;
  readonly interval: boolean;
  /** Canonical keys to verdicts; of a set, to `undefined`. */
  readonly elements: ReadonlyMap<string, string | undefined>;
}

/** nftables of one network namespace, by table. A table is named with its family: `inet overland`. */
export interface Nftables {
  /**
   * Makes all changes, in order, or none. Every packet meets the state before or the state after.
   *
   * @throws {NftError} Nothing was changed.
   */
  transact(changes: readonly NftChange[]): Promise<void>;
  /** What {@link read} says of a rule that was added with this text. @throws {NftError} If it is no rule. */
  fingerprint(rule: string): string;
  /** @returns `undefined` if there is no such table. @throws {NftError} If it cannot be read. */
  read(table: string): Promise<NftContent | undefined>;
  /**
   * Tells when somebody else has changed a table: its name; `undefined` if it may have been any. Changes of this port are
   * not told. What one transaction changes in a table is told once.
   */
  foreignChanges(signal: AbortSignal): AsyncIterable<string | undefined>;
}

/** A change was refused, or nftables could not be read. */
export class NftError extends Error {
  override readonly name = 'NftError';
  /** The change that was refused, where that is known. */
  readonly change: NftChange | undefined;

  constructor(message: string, options: ErrorOptions & { readonly change?: NftChange } = {}) {
    super(message, options);
    this.change = options.change;
  }
}
