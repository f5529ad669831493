import { AS_TRANS, addressBytes, addressFromBytes, type IpAddress } from '@overland/net';
import { BgpError, ErrorCode, OpenSubcode } from './bgp-error.ts';
import { type Capabilities, decodeCapabilities, encodeCapabilities } from './capabilities.ts';
import { encodeMessage, MessageType } from './header.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** The OPEN message. RFC 4271 section 4.2. */
export interface Open {
  /** The sender's AS number: of the four-octet capability if there is one (RFC 6793), else of the header field. */
  readonly asn: number;
  readonly holdSeconds: number;
  /** BGP Identifier, written as an IPv4 address. */
  readonly routerId: IpAddress;
  readonly capabilities: Capabilities;
}

const VERSION = 4;
const CAPABILITIES_PARAMETER = 2;
/** Not a parameter: extended lengths follow. RFC 9072 section 2. */
const EXTENDED_TYPE = 255;
const MALFORMED = { code: ErrorCode.OpenMessage, subcode: OpenSubcode.Unspecific };

/**
 * Encodes an OPEN, whole with its header. Capabilities share one parameter.
 *
 *   +-------------+--------+---------------+----------------+---------------+----------------+
 *   | Version (1) | AS (2) | Hold Time (2) | Identifier (4) | Parm Len (1)  | Parameters     |
 *   +-------------+--------+---------------+----------------+---------------+----------------+
 */
export function encodeOpen(open: Open): Uint8Array<ArrayBuffer> {
  const capabilities = encodeCapabilities(open.capabilities);
  const body = new Writer()
    .u8(VERSION)
    .u16(open.asn > 0xffff ? AS_TRANS : open.asn)
    .u16(open.holdSeconds)
    .bytes(addressBytes(open.routerId));
  if (capabilities.length === 0) body.u8(0);
  else {
    body
      .u8(capabilities.length + 2)
      .u8(CAPABILITIES_PARAMETER)
      .u8(capabilities.length);
    body.bytes(capabilities);
  }
  return encodeMessage(MessageType.Open, body.finish());
}

/**
 * Decodes an OPEN. What it says is checked against the configuration by `negotiate`.
 *
 * @param body Without the 19-octet header; at least 10 octets, which the header check has seen to.
 * @throws {BgpError} 2/0 malformed, 2/1 with our version, 2/4 for a parameter other than capabilities.
 */
export function decodeOpen(body: Uint8Array): Open {
  const reader = new Reader(body, MALFORMED);
  const version = reader.u8();
  if (version !== VERSION) {
    const data = Uint8Array.of(0, VERSION);
    const fault = { ...MALFORMED, subcode: OpenSubcode.UnsupportedVersion, data };
    throw new BgpError(fault, `version ${version}`);
  }
  const shortAs = reader.u16();
  const holdSeconds = reader.u16();
  const routerId = addressFromBytes(reader.take(4));
  const capabilities = decodeCapabilities(capabilityField(parameters(reader)));
  return { asn: capabilities.fourOctetAs ?? shortAs, holdSeconds, routerId, capabilities };
}

/**
 * What is wrong with an OPEN whatever the configuration says: AS number 0 (RFC 7607), identifier 0 (RFC 6286), a hold
 * time of 1 or 2 s (RFC 4271 section 6.2).
 */
export function openFault({ asn, holdSeconds, routerId }: Open): BgpError | undefined {
  const fault = (subcode: number, data: Writer, reason: string): BgpError =>
    new BgpError({ code: ErrorCode.OpenMessage, subcode, data: data.finish() }, reason);
  if (asn === 0) return fault(OpenSubcode.BadPeerAs, new Writer().u32(0), 'AS number 0');
  if (routerId === '0.0.0.0') {
    return fault(OpenSubcode.BadIdentifier, new Writer().u32(0), 'identifier 0.0.0.0');
  }
  if (holdSeconds !== 1 && holdSeconds !== 2) return undefined;
  const data = new Writer().u16(holdSeconds);
  return fault(OpenSubcode.UnacceptableHoldTime, data, `hold time ${holdSeconds}`);
}

interface Parameters {
  readonly field: Reader;
  /** Parameter lengths take two octets. */
  readonly extended: boolean;
}

/**
 * The optional parameters, in either form. RFC 4271 section 4.2, RFC 9072 section 2: a first parameter type of
 * 255 means the extended form, whatever the one-octet length says.
 */
function parameters(reader: Reader): Parameters {
  const length = reader.u8();
  if (length === 0) return { field: onlyField(reader, 0), extended: false };
  if (reader.peek() !== EXTENDED_TYPE) return { field: onlyField(reader, length), extended: false };
  reader.u8();
  return { field: onlyField(reader, reader.u16()), extended: true };
}

function onlyField(reader: Reader, octets: number): Reader {
  const field = reader.sub(octets);
  if (reader.remaining > 0) throw reader.error('octets follow the last parameter');
  return field;
}

/** Concatenated values of all capabilities parameters. */
function capabilityField({ field, extended }: Parameters): Uint8Array {
  const values = new Writer();
  while (field.remaining > 0) {
    const type = field.u8();
    const value = field.take(extended ? field.u16() : field.u8());
    if (type !== CAPABILITIES_PARAMETER) {
      const fault = { ...MALFORMED, subcode: OpenSubcode.UnsupportedOptionalParameter };
      throw new BgpError(fault, `optional parameter of type ${type}`);
    }
    values.bytes(value);
  }
  return values.finish();
}
