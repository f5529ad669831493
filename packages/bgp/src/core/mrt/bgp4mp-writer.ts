import { AS_TRANS, addressBytes, familyOf } from '@overland/net';
import { encodeMessage, MessageType } from '../wire/header.ts';
import { Writer } from '../wire/writer.ts';
import type { MrtSession } from './decode-mrt.ts';
import { Bgp4mpSubtype, MRT_HEADER_OCTETS, MrtType } from './mrt-record.ts';

/** How the messages of a session read. */
export interface Bgp4mpFormat {
  readonly fourOctetAs: boolean;
  /** Prefixes of some family have path identifiers. RFC 8050. */
  readonly hasPathIds: boolean;
}

/**
 * An UPDATE from a peer as a record with microseconds. RFC 6396 section 4.4, RFC 8050 section 3.
 *
 * @param timeMs UNIX time, milliseconds, fractions allowed.
 * @param body Without the 19-octet header; copied.
 */
export function encodeReceivedUpdate(
  timeMs: number,
  session: MrtSession,
  { fourOctetAs, hasPathIds }: Bgp4mpFormat,
  body: Uint8Array,
): Uint8Array {
  const [plain, identified] = fourOctetAs
    ? [Bgp4mpSubtype.MessageAs4, Bgp4mpSubtype.MessageAs4AddPath]
    : [Bgp4mpSubtype.Message, Bgp4mpSubtype.MessageAddPath];
  const writer = begin(timeMs, hasPathIds ? identified : plain);
  writeSession(writer, session, fourOctetAs);
  writer.bytes(encodeMessage(MessageType.Update, body));
  return finish(writer);
}

/** A session has come up or gone down. RFC 6396 section 4.4.1; states as in RFC 4271 section 8.2.2, from 1 on. */
export function encodeStateChange(
  timeMs: number,
  session: MrtSession,
  { from, to }: { readonly from: number; readonly to: number },
): Uint8Array {
  const writer = begin(timeMs, Bgp4mpSubtype.StateChangeAs4);
  writeSession(writer, session, true);
  writer.u16(from).u16(to);
  return finish(writer);
}

function begin(timeMs: number, subtype: number): Writer {
  const seconds = Math.floor(timeMs / 1000);
  const writer = new Writer().u32(seconds).u16(MrtType.Bgp4mpEt).u16(subtype).u32(0);
  return writer.u32(Math.floor((timeMs - seconds * 1000) * 1000));
}

/** The length includes the microseconds. */
function finish(writer: Writer): Uint8Array {
  writer.patchU32(MRT_HEADER_OCTETS - 4, writer.length - MRT_HEADER_OCTETS);
  return writer.finish();
}

function writeSession(writer: Writer, session: MrtSession, fourOctetAs: boolean): void {
  for (const asn of [session.peerAsn, session.localAsn]) {
    if (fourOctetAs) writer.u32(asn);
    else writer.u16(asn > 0xffff ? AS_TRANS : asn);
  }
  writer.u16(session.interfaceIndex).u16(familyOf(session.peerAddress) === 'ipv4' ? 1 : 2);
  writer.bytes(addressBytes(session.peerAddress)).bytes(addressBytes(session.localAddress));
}
