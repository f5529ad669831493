import { ADDRESS_OCTETS, addressFromBytes, type Family, type IpAddress } from '@overland/net';
import { BgpError } from '../wire/bgp-error.ts';
import { nlriOctets } from '../wire/nlri.ts';
import { Reader } from '../wire/reader.ts';
import { textOf } from '../wire/utf8.ts';
import { MrtError } from './mrt-error.ts';
import { Bgp4mpSubtype, MrtType, type RawMrtRecord, TableDumpSubtype } from './mrt-record.ts';

/** A peer of PEER_INDEX_TABLE: entries of the RIB name it by its place there. */
export interface MrtPeer {
  readonly routerId: IpAddress;
  readonly address: IpAddress;
  readonly asn: number;
}

/** A path of a prefix. RFC 6396 section 4.3.4. */
export interface MrtRibEntry {
  readonly peerIndex: number;
  /** UNIX time at which it was heard, seconds. */
  readonly originatedSeconds: number;
  /** RFC 8050; absent: the dump has none. */
  readonly pathId?: number;
  /** Path attributes; AS numbers have four octets, and MP_REACH_NLRI is usually no more than the next hop. */
  readonly attributes: Uint8Array;
}

/** The two ends of the session that a BGP4MP record is about. */
export interface MrtSession {
  readonly peerAsn: number;
  readonly localAsn: number;
  readonly interfaceIndex: number;
  readonly peerAddress: IpAddress;
  readonly localAddress: IpAddress;
}

/** What a record says. Octets are views into it. */
export type MrtMessage =
  | {
      readonly type: 'peer-index';
      readonly collectorId: IpAddress;
      readonly viewName: string;
      readonly peers: readonly MrtPeer[];
    }
  | {
      readonly type: 'rib';
      readonly family: Family;
      readonly sequence: number;
      /** One prefix as NLRI: length in bits, then octets. */
      readonly nlri: Uint8Array;
      readonly entries: readonly MrtRibEntry[];
    }
  | {
      readonly type: 'message';
      readonly microseconds: number;
      readonly session: MrtSession;
      /** AS numbers of four octets (RFC 6793), and path identifiers of both families (RFC 7911), in the message. */
      readonly fourOctetAs: boolean;
      readonly hasPathIds: boolean;
      /** Sent by the collector, not received. */
      readonly isLocal: boolean;
      /** A whole BGP message. */
      readonly octets: Uint8Array;
    }
  | {
      readonly type: 'state-change';
      readonly microseconds: number;
      readonly session: MrtSession;
      /** RFC 4271 section 8.2.2: 1 is Idle, 6 Established. */
      readonly from: number;
      readonly to: number;
    }
  /** Of a kind that is not read here: multicast, VPN, OSPF, … */
  | { readonly type: 'other' };

const BROKEN = { code: 0, subcode: 0 };
const PEER_IS_IPV6 = 0x01;
const PEER_HAS_AS4 = 0x02;
const AFI_IPV4 = 1;
const AFI_IPV6 = 2;

/** Path identifiers before each entry, and the family, by subtype. */
const RIBS: Readonly<Record<number, { readonly family: Family; readonly hasPathIds: boolean }>> = {
  [TableDumpSubtype.RibIpv4Unicast]: { family: 'ipv4', hasPathIds: false },
  [TableDumpSubtype.RibIpv6Unicast]: { family: 'ipv6', hasPathIds: false },
  [TableDumpSubtype.RibIpv4UnicastAddPath]: { family: 'ipv4', hasPathIds: true },
  [TableDumpSubtype.RibIpv6UnicastAddPath]: { family: 'ipv6', hasPathIds: true },
};

/** Messages, by subtype. */
const MESSAGES: Readonly<
  Record<number, { readonly as4: boolean; readonly addPath?: boolean; readonly local?: boolean }>
> = {
  [Bgp4mpSubtype.Message]: { as4: false },
  [Bgp4mpSubtype.MessageAs4]: { as4: true },
  [Bgp4mpSubtype.MessageLocal]: { as4: false, local: true },
  [Bgp4mpSubtype.MessageAs4Local]: { as4: true, local: true },
  [Bgp4mpSubtype.MessageAddPath]: { as4: false, addPath: true },
  [Bgp4mpSubtype.MessageAs4AddPath]: { as4: true, addPath: true },
  [Bgp4mpSubtype.MessageLocalAddPath]: { as4: false, addPath: true, local: true },
  [Bgp4mpSubtype.MessageAs4LocalAddPath]: { as4: true, addPath: true, local: true },
};

/**
 * Reads what a record says. RFC 6396, RFC 8050.
 *
 * @throws {MrtError} If it is cut short, or has a length or an address family that cannot be.
 */
export function decodeMrt({ type, subtype, body }: RawMrtRecord): MrtMessage {
  const reader = new Reader(body, BROKEN);
  try {
    if (type === MrtType.TableDumpV2) return decodeTableDump(subtype, reader);
    if (type === MrtType.Bgp4mp) return decodeBgp4mp(subtype, 0, reader);
    // The extended timestamp stands before the message, and its length includes it.
    if (type === MrtType.Bgp4mpEt) return decodeBgp4mp(subtype, reader.u32(), reader);
    return { type: 'other' };
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    const cause = { cause: error };
    throw new MrtError(`a record of type ${type}/${subtype} is broken: ${error.message}`, cause);
  }
}

function decodeTableDump(subtype: number, reader: Reader): MrtMessage {
  if (subtype === TableDumpSubtype.PeerIndexTable) return decodePeerIndex(reader);
  const kind = RIBS[subtype];
  if (!kind) return { type: 'other' };
  const { family, hasPathIds } = kind;
  const sequence = reader.u32();
  const bits = reader.peek() ?? 0;
  if (bits > 8 * ADDRESS_OCTETS[family]) throw reader.error(`a prefix length of ${bits}`);
  const nlri = reader.take(nlriOctets(bits));
  const entries: MrtRibEntry[] = [];
  for (let left = reader.u16(); left > 0; left -= 1) {
    const peerIndex = reader.u16();
    const originatedSeconds = reader.u32();
    const pathId = hasPathIds ? { pathId: reader.u32() } : {};
    entries.push({
      peerIndex,
      originatedSeconds,
      ...pathId,
      attributes: reader.take(reader.u16()),
    });
  }
  return { type: 'rib', family, sequence, nlri, entries };
}

function decodePeerIndex(reader: Reader): MrtMessage {
  const collectorId = addressFromBytes(reader.take(4));
  const viewName = textOf(reader.take(reader.u16())) ?? '';
  const peers: MrtPeer[] = [];
  for (let left = reader.u16(); left > 0; left -= 1) {
    const kind = reader.u8();
    const routerId = addressFromBytes(reader.take(4));
    const address = addressFromBytes(reader.take((kind & PEER_IS_IPV6) === 0 ? 4 : 16));
    peers.push({
      routerId,
      address,
      asn: (kind & PEER_HAS_AS4) === 0 ? reader.u16() : reader.u32(),
    });
  }
  return { type: 'peer-index', collectorId, viewName, peers };
}

function decodeBgp4mp(subtype: number, microseconds: number, reader: Reader): MrtMessage {
  const isChange =
    subtype === Bgp4mpSubtype.StateChange || subtype === Bgp4mpSubtype.StateChangeAs4;
  if (isChange) {
    const session = decodeSession(reader, subtype === Bgp4mpSubtype.StateChangeAs4);
    return { type: 'state-change', microseconds, session, from: reader.u16(), to: reader.u16() };
  }
  const kind = MESSAGES[subtype];
  if (!kind) return { type: 'other' };
  const { as4, addPath = false, local = false } = kind;
  return {
    type: 'message',
    microseconds,
    session: decodeSession(reader, as4),
    fourOctetAs: as4,
    hasPathIds: addPath,
    isLocal: local,
    octets: reader.rest(),
  };
}

function decodeSession(reader: Reader, as4: boolean): MrtSession {
  const asn = (): number => (as4 ? reader.u32() : reader.u16());
  const [peerAsn, localAsn, interfaceIndex] = [asn(), asn(), reader.u16()];
  const afi = reader.u16();
  if (afi !== AFI_IPV4 && afi !== AFI_IPV6) throw reader.error(`address family ${afi}`);
  const address = (): IpAddress => addressFromBytes(reader.take(afi === AFI_IPV4 ? 4 : 16));
  return { peerAsn, localAsn, interfaceIndex, peerAddress: address(), localAddress: address() };
}
