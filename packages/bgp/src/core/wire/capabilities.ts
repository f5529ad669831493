import type { Family } from '@overland/net';
import {
  type AddPath,
  addPathOctets,
  decodeAddPath,
  encodeAddPath,
  mergeAddPath,
} from './add-path.ts';
import { afiOf, familyFrom, SAFI_UNICAST } from './address-family.ts';
import { ErrorCode, OpenSubcode } from './bgp-error.ts';
import {
  decodeLongLived,
  encodeLongLived,
  type LongLivedFamily,
  longLivedOctets,
} from './long-lived-restart.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Capability codes. RFC 5492; IANA "Capability Codes". */
const CapabilityCode = {
  MultiProtocol: 1,
  RouteRefresh: 2,
  ExtendedMessage: 6,
  ExtendedNextHop: 5,
  Role: 9,
  GracefulRestart: 64,
  FourOctetAs: 65,
  AddPath: 69,
  EnhancedRouteRefresh: 70,
  LongLivedGracefulRestart: 71,
} as const;

/** Graceful Restart capability. RFC 4724 section 3. */
export interface GracefulRestart {
  /** R bit: the sender has restarted, and does not wait for our End-of-RIB before it sends. */
  readonly restarted: boolean;
  /** N bit: routes are kept after a NOTIFICATION, and after the hold time, too. RFC 8538 section 2. */
  readonly notification: boolean;
  /** Seconds within which the sender's session is back after a restart, 0..4095. */
  readonly restartSeconds: number;
  /** Families whose routes the receiver should keep meanwhile. */
  readonly families: readonly {
    readonly family: Family;
    /** F bit: the sender has kept forwarding through its restart. */
    readonly forwarding: boolean;
  }[];
}

/** What one side announced in its OPEN. Unknown capabilities and families are not here. */
export interface Capabilities {
  /** `undefined`: no multiprotocol capability at all, which means IPv4 unicast (RFC 4760 section 8). */
  readonly families: readonly Family[] | undefined;
  /** Families other than IPv6 that the sender takes with an IPv6 next hop. RFC 8950 section 4. */
  readonly extendedNextHop: readonly Family[];
  /** The sender's AS number, from the four-octet AS capability; 0 is possible, and invalid (RFC 7607). */
  readonly fourOctetAs: number | undefined;
  readonly routeRefresh: boolean;
  /** Messages of up to 65,535 octets are taken: RFC 8654. */
  readonly extendedMessages: boolean;
  /** Begin and end of a refresh are told: RFC 7313. */
  readonly enhancedRouteRefresh: boolean;
  /** Values of the role capability, each once: one in a proper OPEN (RFC 9234 section 4.1). */
  readonly roles: readonly number[];
  readonly gracefulRestart: GracefulRestart | undefined;
  /** `undefined`: not announced. It means nothing without {@link gracefulRestart}: RFC 9494 section 3. */
  readonly longLivedRestart: readonly LongLivedFamily[] | undefined;
  /** Families with path identifiers, each once: RFC 7911. */
  readonly addPath: readonly AddPath[];
}

/** Announces nothing, as an OPEN without optional parameters does. */
export const NO_CAPABILITIES: Capabilities = {
  families: undefined,
  extendedNextHop: [],
  fourOctetAs: undefined,
  routeRefresh: false,
  extendedMessages: false,
  enhancedRouteRefresh: false,
  roles: [],
  gracefulRestart: undefined,
  longLivedRestart: undefined,
  addPath: [],
};

const RESTARTED = 0x8000;
const NOTIFICATION = 0x4000;
const RESTART_SECONDS = 0x0fff;
const FORWARDING = 0x80;
const EXTENDED_NEXT_HOP_OCTETS = 6;
const MALFORMED = { code: ErrorCode.OpenMessage, subcode: OpenSubcode.Unspecific };

/**
 * Encodes capabilities as a sequence of triples. RFC 5492 section 4.
 *
 *   +----------+------------+-------------------+
 *   | Code (1) | Length (1) | Value (variable)  |
 *   +----------+------------+-------------------+
 */
export function encodeCapabilities(capabilities: Capabilities): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  for (const family of capabilities.families ?? []) {
    writer.u8(CapabilityCode.MultiProtocol).u8(4).u16(afiOf(family)).u8(0).u8(SAFI_UNICAST);
  }
  if (capabilities.routeRefresh) writer.u8(CapabilityCode.RouteRefresh).u8(0);
  putExtendedNextHop(writer, capabilities.extendedNextHop);
  if (capabilities.extendedMessages) writer.u8(CapabilityCode.ExtendedMessage).u8(0);
  for (const role of capabilities.roles) writer.u8(CapabilityCode.Role).u8(1).u8(role);
  const restart = capabilities.gracefulRestart;
  if (restart) {
    const flags = (restart.restarted ? RESTARTED : 0) | (restart.notification ? NOTIFICATION : 0);
    writer.u8(CapabilityCode.GracefulRestart).u8(2 + 4 * restart.families.length);
    writer.u16(flags | (restart.restartSeconds & RESTART_SECONDS));
    for (const { family, forwarding } of restart.families) {
      writer
        .u16(afiOf(family))
        .u8(SAFI_UNICAST)
        .u8(forwarding ? FORWARDING : 0);
    }
  }
  if (capabilities.fourOctetAs !== undefined) {
    writer.u8(CapabilityCode.FourOctetAs).u8(4).u32(capabilities.fourOctetAs);
  }
  if (capabilities.addPath.length > 0) {
    writer.u8(CapabilityCode.AddPath).u8(addPathOctets(capabilities.addPath));
    encodeAddPath(capabilities.addPath, writer);
  }
  if (capabilities.enhancedRouteRefresh) {
    writer.u8(CapabilityCode.EnhancedRouteRefresh).u8(0);
  }
  if (capabilities.longLivedRestart) {
    writer.u8(CapabilityCode.LongLivedGracefulRestart);
    writer.u8(longLivedOctets(capabilities.longLivedRestart));
    encodeLongLived(capabilities.longLivedRestart, writer);
  }
  return writer.finish();
}

/**
 * Decodes the capabilities of an OPEN: repeated ones merge, unknown ones are skipped. RFC 5492 section 4.
 *
 * @param value Concatenated values of every capabilities parameter.
 * @throws {BgpError} OPEN Message Error, unspecific (2/0), if a length does not fit.
 */
export function decodeCapabilities(value: Uint8Array): Capabilities {
  const reader = new Reader(value, MALFORMED);
  const families = new Set<Family>();
  let multiProtocol = false;
  let found = NO_CAPABILITIES;
  while (reader.remaining > 0) {
    const code = reader.u8();
    const field = reader.sub(reader.u8());
    if (code === CapabilityCode.MultiProtocol) {
      multiProtocol = true;
      const family = decodeMultiProtocol(field);
      if (family) families.add(family);
    } else if (code === CapabilityCode.RouteRefresh) {
      found = { ...found, routeRefresh: true };
    } else if (code === CapabilityCode.ExtendedMessage) {
      found = { ...found, extendedMessages: true };
    } else if (code === CapabilityCode.EnhancedRouteRefresh) {
      found = { ...found, enhancedRouteRefresh: true };
    } else if (code === CapabilityCode.ExtendedNextHop) {
      const merged = new Set([...found.extendedNextHop, ...decodeExtendedNextHop(field)]);
      found = { ...found, extendedNextHop: [...merged] };
    } else if (code === CapabilityCode.Role) {
      found = { ...found, roles: [...new Set([...found.roles, decodeRole(field)])] };
    } else if (code === CapabilityCode.FourOctetAs) {
      found = { ...found, fourOctetAs: decodeFourOctetAs(field) };
    } else if (code === CapabilityCode.AddPath) {
      found = { ...found, addPath: mergeAddPath(found.addPath, decodeAddPath(field)) };
    } else if (code === CapabilityCode.LongLivedGracefulRestart) {
      found = { ...found, longLivedRestart: decodeLongLived(field) };
    } else if (code === CapabilityCode.GracefulRestart) {
      // RFC 4724 section 3: of several, the last one counts.
      found = { ...found, gracefulRestart: decodeGracefulRestart(field) };
    }
  }
  return multiProtocol ? { ...found, families: [...families] } : found;
}

function decodeMultiProtocol(field: Reader): Family | undefined {
  if (field.remaining !== 4) throw field.error(`multiprotocol capability of ${field.remaining}`);
  const afi = field.u16();
  field.u8();
  return familyFrom(afi, field.u8());
}

/**
 * Triples. RFC 8950 section 4.
 *
 *   +--------------+---------------+------------------+
 *   | NLRI AFI (2) | NLRI SAFI (2) | Next hop AFI (2) |
 *   +--------------+---------------+------------------+
 */
function putExtendedNextHop(writer: Writer, families: readonly Family[]): void {
  if (families.length === 0) return;
  writer.u8(CapabilityCode.ExtendedNextHop).u8(EXTENDED_NEXT_HOP_OCTETS * families.length);
  for (const family of families) writer.u16(afiOf(family)).u16(SAFI_UNICAST).u16(afiOf('ipv6'));
}

function decodeExtendedNextHop(field: Reader): Family[] {
  if (field.remaining % EXTENDED_NEXT_HOP_OCTETS !== 0) {
    throw field.error(`extended next hop capability of ${field.remaining} octets`);
  }
  const families: Family[] = [];
  while (field.remaining > 0) {
    const family = familyFrom(field.u16(), field.u16());
    // An IPv6 next hop of an IPv6 prefix needs no capability.
    if (field.u16() === afiOf('ipv6') && family && family !== 'ipv6') families.push(family);
  }
  return families;
}

function decodeFourOctetAs(field: Reader): number {
  if (field.remaining !== 4) throw field.error(`four-octet AS capability of ${field.remaining}`);
  return field.u32();
}

function decodeRole(field: Reader): number {
  if (field.remaining !== 1) throw field.error(`role capability of ${field.remaining}`);
  return field.u8();
}

function decodeGracefulRestart(field: Reader): GracefulRestart {
  if (field.remaining % 4 !== 2) {
    throw field.error(`graceful restart capability of ${field.remaining} octets`);
  }
  const word = field.u16();
  const families = new Map<Family, boolean>();
  while (field.remaining > 0) {
    const family = familyFrom(field.u16(), field.u8());
    const flags = field.u8();
    if (family) families.set(family, (flags & FORWARDING) !== 0);
  }
  return {
    restarted: (word & RESTARTED) !== 0,
    notification: (word & NOTIFICATION) !== 0,
    restartSeconds: word & RESTART_SECONDS,
    families: [...families].map(([family, forwarding]) => ({ family, forwarding })),
  };
}
