import { addressBytes, type Family, familyOf, type IpAddress } from '@overland/net';
import type { ConnectionTuple, TrackedConnection } from '../ports.ts';
import { IP, readTuple, TUPLE } from './connection-tuple.ts';
import { AF, NLM_F } from './constants.ts';
import { Attributes, type Message } from './message-reader.ts';
import type { MessageWriter } from './message-writer.ts';
import { NESTED } from './nft/numbers.ts';
import { GENERIC_OCTETS } from './nft/table-codec.ts';

/** Numbers of linux/netfilter/nfnetlink_conntrack.h; NFNL_SUBSYS_CTNETLINK is 1. */
const MESSAGE = { get: 0x101, delete: 0x102, statistics: 0x105 } as const;
const CTA = { original: 1, reply: 2, id: 12, zone: 18, filter: 25 } as const;
/** CTA_STATS_GLOBAL_ENTRIES. */
const STATISTICS_ENTRIES = 1;
const FILTER = { originalFlags: 1, replyFlags: 2 } as const;
/** What of a tuple counts: CTA_FILTER_F_CTA_IP_SRC and _DST. */
const FILTER_FLAG = { source: 1, destination: 2 } as const;

/** A connection, and what names it. */
export interface Connection extends TrackedConnection {
  readonly family: Family;
  /** Tuple, identifier and zone as the kernel wrote them: what names the connection. */
  readonly name: {
    readonly original: Uint8Array;
    readonly id: Uint8Array | undefined;
    readonly zone: Uint8Array | undefined;
  };
}

/** Which connections: packets of one direction have the address at one end. */
export interface ConnectionFilter {
  readonly address: IpAddress;
  readonly tuple: 'original' | 'reply';
  readonly end: 'source' | 'destination';
}

/** Asks how many connections the namespace has. */
export function writeConnectionCount(writer: MessageWriter): void {
  begin(writer, MESSAGE.statistics, 0, undefined);
  writer.end();
}

/** Reads the answer to {@link writeConnectionCount}; `undefined`: the kernel does not say. */
export function readConnectionCount(message: Message): number | undefined {
  const attributes = new Attributes(message, message.start + GENERIC_OCTETS, message.end);
  while (attributes.next()) {
    if (attributes.type === STATISTICS_ENTRIES) return attributes.big32();
  }
  return undefined;
}

/**
 * Asks for connections.
 *
 * @param family `undefined`: of both.
 * @param filter Kernels before 5.8 do not heed it: what they list has to be looked at.
 */
export function writeConnectionDump(
  writer: MessageWriter,
  family: Family | undefined,
  filter?: ConnectionFilter,
): void {
  begin(writer, MESSAGE.get, NLM_F.dump, family);
  if (filter) {
    const { address, tuple, end } = filter;
    writer.nest(CTA[tuple] | NESTED, () =>
      writer.nest(TUPLE.ip | NESTED, () =>
        writer.attributeBytes(IP[familyOf(address)][end], addressBytes(address)),
      ),
    );
    writer.nest(CTA.filter | NESTED, () => {
      const isOriginal = tuple === 'original';
      writer.attributeU32(FILTER.originalFlags, isOriginal ? FILTER_FLAG[end] : 0);
      writer.attributeU32(FILTER.replyFlags, isOriginal ? 0 : FILTER_FLAG[end]);
    });
  }
  writer.end();
}

/** Reads the body of IPCTNL_MSG_CT_NEW; `undefined`: it has no ends. */
export function readConnection(message: Message): Connection | undefined {
  const { bytes, start, end } = message;
  const attributes = new Attributes(message, start + GENERIC_OCTETS, end);
  let written = new Uint8Array();
  let original: ConnectionTuple | undefined;
  let reply: ConnectionTuple | undefined;
  let id: Uint8Array | undefined;
  let zone: Uint8Array | undefined;
  while (attributes.next()) {
    if (attributes.type === CTA.original) {
      written = attributes.octets().slice();
      original = readTuple(attributes.nested());
    } else if (attributes.type === CTA.reply) reply = readTuple(attributes.nested());
    else if (attributes.type === CTA.id) id = attributes.octets().slice();
    else if (attributes.type === CTA.zone) zone = attributes.octets().slice();
  }
  if (!original || !reply) return undefined;
  const family = bytes[start] === AF.ipv6 ? 'ipv6' : 'ipv4';
  return { family, original, reply, name: { original: written, id, zone } };
}

/** Removes the connection, and not one that has come in its place. */
export function writeConnectionRemoval(writer: MessageWriter, { family, name }: Connection): void {
  begin(writer, MESSAGE.delete, 0, family);
  writer.attributeBytes(CTA.original | NESTED, name.original);
  if (name.zone) writer.attributeBytes(CTA.zone, name.zone);
  if (name.id) writer.attributeBytes(CTA.id, name.id);
  writer.end();
}

function begin(
  writer: MessageWriter,
  type: number,
  flags: number,
  family: Family | undefined,
): void {
  writer.begin(type, flags);
  writer.u8(family === undefined ? AF.unspecified : AF[family]);
  writer.u8(0);
  writer.u16(0);
}

/** The four places in which a connection can have an address. */
export function filtersFor(address: IpAddress): ConnectionFilter[] {
  return (['original', 'reply'] as const).flatMap((tuple) =>
    (['source', 'destination'] as const).map((end) => ({ address, tuple, end })),
  );
}

export function familiesOf(addresses: Iterable<IpAddress>): Set<Family> {
  return new Set(Array.from(addresses, familyOf));
}
