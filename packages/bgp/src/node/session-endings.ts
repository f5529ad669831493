import type { NotificationFault } from '../core/rib/route-engine.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../core/wire/bgp-error.ts';
import { encodeCommunication } from '../core/wire/notification.ts';

/**
 * Why we end a session, as the peer is told with Cease. RFC 4486.
 *
 * @param reason For our own operator.
 * @param communication For the peer's operator: RFC 9003.
 */
export function cease(
  subcode: keyof typeof CeaseSubcode,
  reason: string,
  communication?: string,
): NotificationFault {
  const data = communication === undefined ? undefined : encodeCommunication(communication);
  const fault = { code: ErrorCode.Cease, subcode: CeaseSubcode[subcode] };
  return new BgpError(data ? { ...fault, data } : fault, reason);
}

export const DECONFIGURED = cease('PeerDeconfigured', 'configuration changed');
export const CHANGED = cease('OtherConfigurationChange', 'configuration changed');
export const DRAINED = cease('AdministrativeShutdown', 'drained', 'drained for maintenance');
