import type { Family } from '@overland/net';

/** Just enough BGP to be a peer that is independent of what it measures. RFC 4271, RFC 4760, RFC 6793. */

export const HEADER_OCTETS = 19;
export const MAX_MESSAGE_OCTETS = 4096;
export const MessageType = { Open: 1, Update: 2, Notification: 3, Keepalive: 4 } as const;
export const Attribute = { Community: 8, MpReach: 14, MpUnreach: 15 } as const;
/** AS number in the two-octet field of OPEN of those that have a longer one. */
const AS_TRANS = 23_456;
const AFI = { ipv4: 1, ipv6: 2 } as const;

export const u16 = (value: number): number[] => [value >> 8, value & 255];
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];

export function message(type: number, body: readonly number[]): Uint8Array {
  const marker = new Array<number>(16).fill(0xff);
  return Uint8Array.from([...marker, ...u16(HEADER_OCTETS + body.length), type, ...body]);
}

/** OPEN with one family and four-octet AS numbers; no graceful restart, so that a session's routes end with it. */
export function open(options: {
  readonly asn: number;
  readonly family: Family;
  readonly holdSeconds: number;
  readonly routerId: readonly number[];
}): Uint8Array {
  const { asn, family, holdSeconds, routerId } = options;
  const capabilities = [1, 4, 0, AFI[family], 0, 1, 65, 4, ...u32(asn)];
  const parameters = [2, capabilities.length, ...capabilities];
  const shortAsn = asn > 0xffff ? AS_TRANS : asn;
  const body = [4, ...u16(shortAsn), ...u16(holdSeconds), ...routerId, parameters.length];
  return message(MessageType.Open, [...body, ...parameters]);
}

/** MP_REACH_NLRI of IPv6 unicast with one prefix or more; its length takes two octets. */
function mpReach(nextHop: readonly number[], nlri: readonly number[]): number[] {
  const value = [0, AFI.ipv6, 1, nextHop.length, ...nextHop, 0, ...nlri];
  return [0x90, Attribute.MpReach, ...u16(value.length), ...value];
}

/** An UPDATE that takes back prefixes. */
export function withdrawal(family: Family, nlri: readonly number[]): Uint8Array {
  if (family === 'ipv4') {
    return message(MessageType.Update, [...u16(nlri.length), ...nlri, 0, 0]);
  }
  const value = [0, AFI.ipv6, 1, ...nlri];
  const attribute = [0x90, Attribute.MpUnreach, ...u16(value.length), ...value];
  return message(MessageType.Update, [0, 0, ...u16(attribute.length), ...attribute]);
}

/** An UPDATE that announces prefixes. @param path ORIGIN and AS_PATH. @param rest What comes behind the next hop. */
export function announcement(options: {
  readonly family: Family;
  readonly nextHop: readonly number[];
  readonly nlri: readonly number[];
  readonly path: readonly number[];
  readonly rest: readonly number[];
}): Uint8Array {
  const { family, nextHop, nlri, path, rest } = options;
  const attributes =
    family === 'ipv4'
      ? [...path, 0x40, 3, 4, ...nextHop, ...rest]
      : [...mpReach(nextHop, nlri), ...path, ...rest];
  const own = family === 'ipv4' ? nlri : [];
  return message(MessageType.Update, [0, 0, ...u16(attributes.length), ...attributes, ...own]);
}
