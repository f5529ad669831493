import { CeaseSubcode, ErrorCode } from './bgp-error.ts';
import { insideHardReset } from './hard-reset.ts';
import { encodeMessage, MessageType } from './header.ts';
import { textOf, utf8Of } from './utf8.ts';
import { Writer } from './writer.ts';

/** The NOTIFICATION message. RFC 4271 section 4.5. */
export interface Notification {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

const MAX_COMMUNICATION_OCTETS = 255;

/**
 * Encodes a NOTIFICATION, whole with its header.
 *
 *   +----------+-------------+------+
 *   | Code (1) | Subcode (1) | Data |
 *   +----------+-------------+------+
 */
export function encodeNotification({ code, subcode, data }: Notification): Uint8Array<ArrayBuffer> {
  return encodeMessage(
    MessageType.Notification,
    new Writer().u8(code).u8(subcode).bytes(data).finish(),
  );
}

/**
 * Decodes a NOTIFICATION; unknown codes are kept as they are.
 *
 * @param body Without the header; at least 2 octets, which the header check has seen to.
 */
export function decodeNotification(body: Uint8Array): Notification {
  const [code = 0, subcode = 0] = body;
  return { code, subcode, data: body.slice(2) };
}

/**
 * Data of a Cease that tells the peer's operator why: length and UTF-8 text. RFC 9003 section 2.
 *
 * @param text Cut at a character's end, so that it fits 255 octets.
 */
export function encodeCommunication(text: string): Uint8Array<ArrayBuffer> {
  const utf8 = utf8Of(text);
  let length = Math.min(utf8.length, MAX_COMMUNICATION_OCTETS);
  while (length < utf8.length && ((utf8[length] ?? 0) & 0xc0) === 0x80) length -= 1;
  return new Writer().u8(length).bytes(utf8.subarray(0, length)).finish();
}

/**
 * The operator's message in a Cease for shutdown or reset. RFC 9003 section 2.
 *
 * @returns What the peer's operator wrote, control characters replaced; `undefined` if there is none, or it
 *   is not UTF-8.
 */
export function communicationOf(notification: Notification): string | undefined {
  const { code, subcode, data } = insideHardReset(notification) ?? notification;
  const carries =
    code === ErrorCode.Cease &&
    (subcode === CeaseSubcode.AdministrativeShutdown ||
      subcode === CeaseSubcode.AdministrativeReset);
  const length = data[0] ?? 0;
  if (!carries || length === 0 || length > data.length - 1) return undefined;
  return textOf(data.subarray(1, 1 + length))?.replaceAll(UNPRINTABLE, '\ufffd');
}

/** Control, formatting (bidirectional overrides) and unassigned characters. */
const UNPRINTABLE = /\p{C}/gu;

/**
 * `Cease/Administrative Shutdown`, as IANA names them; numbers where there is no name: `Cease/42`, `9/1`. A Hard Reset
 * names what it wraps: `Cease/Hard Reset (Cease/Administrative Shutdown)`.
 */
export function notificationName(notification: Notification): string {
  const inside = insideHardReset(notification);
  return inside ? `${plainName(notification)} (${plainName(inside)})` : plainName(notification);
}

function plainName({ code, subcode }: Notification): string {
  const entry = NAMES[code];
  if (!entry) return `${code}/${subcode}`;
  const name = entry.subcodes[subcode];
  if (name !== undefined) return `${entry.name}/${name}`;
  return subcode === 0 ? entry.name : `${entry.name}/${subcode}`;
}

const NAMES: Readonly<
  Record<number, { readonly name: string; readonly subcodes: Readonly<Record<number, string>> }>
> = {
  [ErrorCode.MessageHeader]: {
    name: 'Message Header Error',
    subcodes: {
      1: 'Connection Not Synchronized',
      2: 'Bad Message Length',
      3: 'Bad Message Type',
    },
  },
  [ErrorCode.OpenMessage]: {
    name: 'OPEN Message Error',
    subcodes: {
      1: 'Unsupported Version Number',
      2: 'Bad Peer AS',
      3: 'Bad BGP Identifier',
      4: 'Unsupported Optional Parameter',
      6: 'Unacceptable Hold Time',
      7: 'Unsupported Capability',
      11: 'Role Mismatch',
    },
  },
  [ErrorCode.UpdateMessage]: {
    name: 'UPDATE Message Error',
    subcodes: {
      1: 'Malformed Attribute List',
      2: 'Unrecognized Well-known Attribute',
      3: 'Missing Well-known Attribute',
      4: 'Attribute Flags Error',
      5: 'Attribute Length Error',
      6: 'Invalid ORIGIN Attribute',
      8: 'Invalid NEXT_HOP Attribute',
      9: 'Optional Attribute Error',
      10: 'Invalid Network Field',
      11: 'Malformed AS_PATH',
    },
  },
  [ErrorCode.HoldTimerExpired]: { name: 'Hold Timer Expired', subcodes: {} },
  [ErrorCode.FiniteStateMachine]: {
    name: 'Finite State Machine Error',
    subcodes: {
      1: 'Unexpected Message in OpenSent',
      2: 'Unexpected Message in OpenConfirm',
      3: 'Unexpected Message in Established',
    },
  },
  [ErrorCode.Cease]: {
    name: 'Cease',
    subcodes: {
      1: 'Maximum Number of Prefixes Reached',
      2: 'Administrative Shutdown',
      3: 'Peer De-configured',
      4: 'Administrative Reset',
      5: 'Connection Rejected',
      6: 'Other Configuration Change',
      7: 'Connection Collision Resolution',
      8: 'Out of Resources',
      9: 'Hard Reset',
      10: 'BFD Down',
    },
  },
  [ErrorCode.RouteRefresh]: {
    name: 'ROUTE-REFRESH Message Error',
    subcodes: { 1: 'Invalid Message Length' },
  },
  [ErrorCode.SendHoldTimerExpired]: { name: 'Send Hold Timer Expired', subcodes: {} },
};
