import type { IpAddress } from './address.ts';
import { ADDRESS_OCTETS, type Family } from './family.ts';
import { type Prefix, prefixBytes, prefixFromBytes } from './prefix.ts';

/** Where one path of a route leads. */
export interface NextHop {
  /** The router's address on a link of ours; `null` when the destination is on the link itself. */
  readonly address: IpAddress | null;
  /** Name of the outgoing interface. */
  readonly device: string;
}

/** A next hop among others, and its share of the load. */
export interface WeightedNextHop extends NextHop {
  /** 1..255, in proportion to those of the others; absent: 1. */
  readonly weight?: number;
}

/** The equal-cost next hops that many routes share. Order carries no meaning; no duplicates. */
export interface NextHopSet {
  /** The sender's own number for the set, 1..2^32-1; stable while the sender lives, never reused for another set. */
  readonly id: number;
  readonly nextHops: readonly WeightedNextHop[];
}

/**
 * Route changes on their way from the speaker to the kernel: the form in which routes cross threads.
 *
 * `records` is packed, so that a batch is one transferable buffer and no object per route:
 *
 *   +-----------------+------------+------------------------+
 *   | Address (4, 16) | Length (1) | Next-hop set (4, BE)   |  set 0: the route is withdrawn
 *   +-----------------+------------+------------------------+
 */
export interface RouteBatch {
  /** 1, 2, 3, … per sender; the receiver acknowledges the highest one applied. */
  readonly sequence: number;
  readonly family: Family;
  /** Every set that `records` names and the receiver has not been told before. */
  readonly nextHopSets: readonly NextHopSet[];
  readonly records: Uint8Array<ArrayBuffer>;
  /**
   * True once, when the sender has offered every route that it will offer for now (End-of-RIB from the
   * peers that came up): what the kernel still holds from before and no batch has named is stale.
   */
  readonly endOfRib: boolean;
}

/** One decoded record of a {@link RouteBatch}. */
export interface RouteChange {
  readonly prefix: Prefix;
  /** 0 withdraws the route. */
  readonly nextHopSet: number;
}

/** Size of one record, in octets. */
export function recordOctets(family: Family): number {
  return ADDRESS_OCTETS[family] + 5;
}

/**
 * Packs changes of one family into `records` of a {@link RouteBatch}.
 *
 * @throws {RangeError} If a prefix is of the other family.
 */
export function packRoutes(
  family: Family,
  changes: readonly RouteChange[],
): Uint8Array<ArrayBuffer> {
  const width = ADDRESS_OCTETS[family];
  const records = new Uint8Array(recordOctets(family) * changes.length);
  const view = new DataView(records.buffer);
  let at = 0;
  for (const { prefix, nextHopSet } of changes) {
    const { octets, length } = prefixBytes(prefix);
    if (octets.length !== width) throw new RangeError(`${prefix} is no ${family} prefix`);
    records.set(octets, at);
    view.setUint8(at + width, length);
    view.setUint32(at + width + 1, nextHopSet);
    at += width + 5;
  }
  return records;
}

/** Reads `records` back, in order. */
export function* unpackRoutes({
  family,
  records,
}: {
  readonly family: Family;
  readonly records: Uint8Array;
}): Generator<RouteChange> {
  const width = ADDRESS_OCTETS[family];
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at < records.length; at += width + 5) {
    yield {
      prefix: prefixFromBytes(records.subarray(at, at + width), view.getUint8(at + width)),
      nextHopSet: view.getUint32(at + width + 1),
    };
  }
}
