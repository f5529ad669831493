import { addressBytes, type Family, type IpAddress } from '@overland/net';
import { utf8Of } from '../wire/utf8.ts';
import { Writer } from '../wire/writer.ts';
import type { MrtPeer } from './decode-mrt.ts';
import { MRT_HEADER_OCTETS, MrtType, TableDumpSubtype } from './mrt-record.ts';
import { type SetField, writeRibAttributes } from './rib-attributes.ts';

const PEER_HAS_AS4 = 0x02;
const PEER_IS_IPV6 = 0x01;

/** A path of a prefix, as it is to be written. */
export interface DumpedPath {
  readonly peerIndex: number;
  /** UNIX time at which it was heard, seconds. */
  readonly originatedSeconds: number;
  /** Written where path identifiers are: RFC 8050. */
  readonly pathId: number;
  readonly set: SetField;
  /** 4, 16 or 32 octets. */
  readonly nextHop: Uint8Array;
}

/** Writes TABLE_DUMP_V2, one record after the other. RFC 6396 section 4.3, RFC 8050 section 4. */
export class TableDumpWriter {
  readonly #writer = new Writer();
  readonly #timestamp: number;
  #sequence = 0;

  /** @param timestamp Of all records: UNIX time, seconds. */
  constructor(timestamp: number) {
    this.#timestamp = timestamp;
  }

  /** Octets that wait to be {@link take taken}. */
  get length(): number {
    return this.#writer.length;
  }

  /** Whose paths follow. @param viewName Of the table; may be empty. */
  peerIndex(collectorId: IpAddress, viewName: string, peers: readonly MrtPeer[]): void {
    const writer = this.#writer;
    const start = this.#begin(TableDumpSubtype.PeerIndexTable);
    const name = utf8Of(viewName);
    writer.bytes(addressBytes(collectorId)).u16(name.length).bytes(name).u16(peers.length);
    for (const { routerId, address, asn } of peers) {
      const octets = addressBytes(address);
      writer.u8(PEER_HAS_AS4 | (octets.length === 4 ? 0 : PEER_IS_IPV6));
      writer.bytes(addressBytes(routerId)).bytes(octets).u32(asn);
    }
    this.#end(start);
  }

  /**
   * One prefix with all its paths.
   *
   * @param hasPathIds Whether some peer gives path identifiers: the record then has one for each path.
   * @param nlri Length in bits, then octets.
   */
  prefix(
    { family, hasPathIds }: { readonly family: Family; readonly hasPathIds: boolean },
    nlri: Uint8Array,
    paths: readonly DumpedPath[],
  ): void {
    const writer = this.#writer;
    const start = this.#begin(subtypeOf(family, hasPathIds));
    writer.u32(this.#sequence).bytes(nlri).u16(paths.length);
    this.#sequence = (this.#sequence + 1) >>> 0;
    for (const { peerIndex, originatedSeconds, pathId, set, nextHop } of paths) {
      writer.u16(peerIndex).u32(originatedSeconds);
      if (hasPathIds) writer.u32(pathId);
      const lengthAt = writer.length;
      writer.u16(0);
      writeRibAttributes(writer, set, nextHop);
      writer.patchU16(lengthAt, writer.length - lengthAt - 2);
    }
    this.#end(start);
  }

  /** Whole records, as a fresh array. */
  take(): Uint8Array<ArrayBuffer> {
    const octets = this.#writer.finish();
    this.#writer.clear();
    return octets;
  }

  #begin(subtype: number): number {
    const start = this.#writer.length;
    this.#writer.u32(this.#timestamp).u16(MrtType.TableDumpV2).u16(subtype).u32(0);
    return start;
  }

  #end(start: number): void {
    const length = this.#writer.length - start - MRT_HEADER_OCTETS;
    this.#writer.patchU32(start + MRT_HEADER_OCTETS - 4, length);
  }
}

function subtypeOf(family: Family, hasPathIds: boolean): number {
  if (family === 'ipv4') {
    return hasPathIds ? TableDumpSubtype.RibIpv4UnicastAddPath : TableDumpSubtype.RibIpv4Unicast;
  }
  return hasPathIds ? TableDumpSubtype.RibIpv6UnicastAddPath : TableDumpSubtype.RibIpv6Unicast;
}
