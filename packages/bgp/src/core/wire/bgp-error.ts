import type { NotificationFault } from '../rib/route-engine.ts';

/** NOTIFICATION error codes. RFC 4271 section 4.5, RFC 7313, RFC 9687. */
export const ErrorCode = {
  MessageHeader: 1,
  OpenMessage: 2,
  UpdateMessage: 3,
  HoldTimerExpired: 4,
  FiniteStateMachine: 5,
  Cease: 6,
  RouteRefresh: 7,
  SendHoldTimerExpired: 8,
} as const;

/** Message Header Error subcodes. RFC 4271 section 6.1. */
export const HeaderSubcode = {
  ConnectionNotSynchronized: 1,
  BadMessageLength: 2,
  BadMessageType: 3,
} as const;

/** OPEN Message Error subcodes. RFC 4271 section 6.2, RFC 5492, RFC 9234. */
export const OpenSubcode = {
  Unspecific: 0,
  UnsupportedVersion: 1,
  BadPeerAs: 2,
  BadIdentifier: 3,
  UnsupportedOptionalParameter: 4,
  UnacceptableHoldTime: 6,
  UnsupportedCapability: 7,
  RoleMismatch: 11,
} as const;

/** Cease subcodes. RFC 4486, RFC 8538, RFC 9384. */
export const CeaseSubcode = {
  MaximumPrefixes: 1,
  AdministrativeShutdown: 2,
  PeerDeconfigured: 3,
  AdministrativeReset: 4,
  ConnectionRejected: 5,
  OtherConfigurationChange: 6,
  ConnectionCollision: 7,
  OutOfResources: 8,
  HardReset: 9,
  BfdDown: 10,
} as const;

const NO_DATA = new Uint8Array(0);

/** A fault that costs the session: thrown by decoders, sent as NOTIFICATION by the session. RFC 4271 section 6. */
export class BgpError extends Error implements NotificationFault {
  override readonly name = 'BgpError';
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
  readonly reason: string;

  /** @param reason One line for logs and `bgp summary`; holds no bytes from the network. */
  constructor(
    fault: { readonly code: number; readonly subcode: number; readonly data?: Uint8Array },
    reason: string,
  ) {
    super(reason);
    this.code = fault.code;
    this.subcode = fault.subcode;
    this.data = fault.data ?? NO_DATA;
    this.reason = reason;
  }
}
