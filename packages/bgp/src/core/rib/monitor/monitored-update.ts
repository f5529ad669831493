import { ADDRESS_OCTETS, type Family } from '@overland/net';
import { setWithNextHop } from '../../mrt/rib-attributes.ts';
import type { EncodedAttributes } from '../../wire/attribute-encoder.ts';
import { writeU32 } from '../../wire/attribute-set.ts';
import { MAX_MESSAGE_OCTETS } from '../../wire/header.ts';
import { MAX_FRAME_OCTETS, MAX_NLRI_OCTETS, UpdateWriter } from '../../wire/update-writer.ts';
import type { RibTables } from '../rib-tables.ts';

const PATH_ID_OCTETS = 4;

/** Next hop of what has none: of what we originate. */
const NO_NEXT_HOP = {
  ipv4: new Uint8Array(ADDRESS_OCTETS.ipv4),
  ipv6: new Uint8Array(ADDRESS_OCTETS.ipv6),
} as const satisfies Record<Family, Uint8Array>;

/** Packs UPDATEs that say what is in a RIB. AS numbers have four octets. */
export class MonitoredUpdate {
  readonly #tables: RibTables;
  readonly #writer = new UpdateWriter();
  #hasPathIds = false;

  constructor(tables: RibTables) {
    this.#tables = tables;
  }

  /** Begins a message that announces what has an attribute set and a next hop. */
  beginAnnounce(target: Uint8Array, offset: number, attribute: number, nextHopId: number): void {
    const { attributes, nextHops, family } = this.#tables;
    const set = {
      bytes: attributes.bytes(attribute),
      offset: attributes.offset(attribute),
      length: attributes.length(attribute),
    };
    const nextHop = nextHops.octetsOf(nextHopId) ?? NO_NEXT_HOP[family];
    this.beginEncoded(target, offset, setWithNextHop(set, nextHop), nextHop);
  }

  /** The same for attributes as they go into a message. @param nextHop 4, 16 or 32 octets; absent: none that can be told. */
  beginEncoded(
    target: Uint8Array,
    offset: number,
    encoded: EncodedAttributes,
    nextHop: Uint8Array = NO_NEXT_HOP[this.#tables.family],
  ): void {
    // What was received in an extended message, or grew here, may need more than the usual room.
    const least = encoded.length + MAX_FRAME_OCTETS + PATH_ID_OCTETS + MAX_NLRI_OCTETS;
    this.#writer.open(target, offset, Math.max(MAX_MESSAGE_OCTETS, least));
    this.#writer.beginAnnounce(this.#tables.family, encoded, nextHop);
  }

  /** Begins a message that withdraws; with nothing in it, End-of-RIB. */
  beginWithdraw(target: Uint8Array, offset: number): void {
    this.#writer.open(target, offset, MAX_MESSAGE_OCTETS);
    this.#writer.beginWithdraw(this.#tables.family);
  }

  /** Whether what follows has path identifiers: RFC 7911. */
  set hasPathIds(has: boolean) {
    this.#hasPathIds = has;
  }

  get hasRoom(): boolean {
    return this.hasRoomFor(1);
  }

  /** @param count Prefixes with path identifiers. */
  hasRoomFor(count: number): boolean {
    return this.#writer.at + count * (PATH_ID_OCTETS + MAX_NLRI_OCTETS) <= this.#writer.end;
  }

  put(prefix: number, pathId: number): void {
    const writer = this.#writer;
    if (this.#hasPathIds) {
      writeU32(writer.target, writer.at, pathId);
      writer.at += PATH_ID_OCTETS;
    }
    writer.at = this.#tables.prefixes.writeNlri(prefix, writer.target, writer.at);
  }

  /** @returns Octets of the message. */
  finish(): number {
    return this.#writer.finish();
  }
}
