import type { NotificationFault } from '../rib/route-engine.ts';
import { CeaseSubcode, ErrorCode } from './bgp-error.ts';
import type { Notification } from './notification.ts';
import { Writer } from './writer.ts';

/** Cease subcodes after which the routes are to go: RFC 8538 section 5.1, and RFC 9384 section 3. */
const FOR_LONG: ReadonlySet<number> = new Set([
  CeaseSubcode.MaximumPrefixes,
  CeaseSubcode.AdministrativeShutdown,
  CeaseSubcode.PeerDeconfigured,
  CeaseSubcode.HardReset,
  CeaseSubcode.BfdDown,
]);

/** Whether neither side should keep the other's routes after this. */
export function endsForLong({ code, subcode }: Pick<Notification, 'code' | 'subcode'>): boolean {
  return code === ErrorCode.Cease && FOR_LONG.has(subcode);
}

/**
 * Wraps a NOTIFICATION into a Hard Reset: the peer drops our routes, though it would keep them after any other.
 * RFC 8538 section 3.1.
 *
 *   +-----------+-------------+----------------+-------------------+------+
 *   | Cease (1) | 9 (1)       | Error code (1) | Error subcode (1) | Data |
 *   +-----------+-------------+----------------+-------------------+------+
 */
export function hardReset({ code, subcode, data, reason }: NotificationFault): NotificationFault {
  const wrapped = new Writer().u8(code).u8(subcode).bytes(data).finish();
  return { code: ErrorCode.Cease, subcode: CeaseSubcode.HardReset, data: wrapped, reason };
}

/** What a Hard Reset wraps; `undefined` for any other NOTIFICATION, and for one that wraps nothing. */
export function insideHardReset({ code, subcode, data }: Notification): Notification | undefined {
  if (code !== ErrorCode.Cease || subcode !== CeaseSubcode.HardReset) return undefined;
  const [innerCode, innerSubcode] = data;
  if (innerCode === undefined || innerSubcode === undefined) return undefined;
  return { code: innerCode, subcode: innerSubcode, data: data.subarray(2) };
}
