import type { LeftOut } from './key-ranges.ts';

/** One key and its value as stored. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** What is moved, wherever it lies. */
export interface TransferSource {
  /** For people: `sqlite:/var/lib/overland/overland.db`. No secrets. */
  readonly location: string;
  /** Of the state that is read. */
  readonly revision: string;
  /**
   * Everything that moves, each key once, a page at a time. Reads the same again when called again.
   *
   * @throws {CompactedError} If the state is no longer kept.
   */
  pages(): AsyncIterable<readonly KeyValue[]>;
  /** What stayed behind; known when the pages have been read. */
  leftOut(): readonly LeftOut[];
}

/** Told how many keys have been dealt with. */
export type OnProgress = (keys: number) => void;
