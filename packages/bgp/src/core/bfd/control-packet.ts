/** RFC 5880 section 4.1, in the order of their numbers. */
export const SESSION_STATES = ['AdminDown', 'Down', 'Init', 'Up'] as const;
export type BfdState = (typeof SESSION_STATES)[number];

/** Why a system last left Up, or did not reach it. RFC 5880 section 4.1. */
export const Diagnostic = {
  None: 0,
  DetectionTimeExpired: 1,
  EchoFailed: 2,
  NeighbourSignaledDown: 3,
  ForwardingPlaneReset: 4,
  PathDown: 5,
  ConcatenatedPathDown: 6,
  AdministrativelyDown: 7,
  ReverseConcatenatedPathDown: 8,
} as const;

/** FRR's words. */
const DIAGNOSTIC_TEXTS = [
  'ok',
  'control detection time expired',
  'echo function failed',
  'neighbor signaled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
] as const;

/** `control detection time expired` for 1; numbers without a name come back as `diagnostic 17`. */
export function diagnosticText(diagnostic: number): string {
  return DIAGNOSTIC_TEXTS[diagnostic] ?? `diagnostic ${diagnostic}`;
}

/** A BFD Control packet without authentication. RFC 5880 section 4.1; intervals are microseconds. */
export interface ControlPacket {
  readonly diagnostic: number;
  readonly state: BfdState;
  readonly poll: boolean;
  readonly final: boolean;
  readonly controlPlaneIndependent: boolean;
  readonly demand: boolean;
  readonly detectMultiplier: number;
  readonly myDiscriminator: number;
  /** 0: not known to the sender. */
  readonly yourDiscriminator: number;
  readonly desiredMinTxUs: number;
  /** 0: the sender wants no periodic packets. */
  readonly requiredMinRxUs: number;
  /** 0: the sender does not return echo packets. */
  readonly requiredMinEchoRxUs: number;
}

/** Why a datagram is not taken. RFC 5880 section 6.8.6, in the order of the checks. */
export type DiscardReason =
  | 'version'
  | 'length'
  | 'detect multiplier 0'
  | 'multipoint'
  | 'my discriminator 0'
  | 'your discriminator 0 in this state'
  | 'authentication not in use'
  | 'unknown discriminator'
  | 'no session with this peer'
  | 'discriminator of another peer';

/** Octets of a packet without authentication section. */
export const CONTROL_OCTETS = 24;
/** Least octets when the A bit is set. */
const AUTHENTICATED_OCTETS = 26;
const VERSION = 1;

const BIT = {
  poll: 0x20,
  final: 0x10,
  controlPlaneIndependent: 0x08,
  authentication: 0x04,
  demand: 0x02,
  multipoint: 0x01,
} as const;

/**
 * RFC 5880 section 4.1:
 *
 *   +-----------+----------+---------+-------------+-----------------+------------+
 *   | Vers (3)  | Diag (5) | Sta (2) | P F C A D M | Detect Mult (8) | Length (8) |   bits
 *   +-----------+----------+---------+-------------+-----------------+------------+
 *   | My Discriminator, Your Discriminator, Desired Min TX, Required Min RX,      |
 *   | Required Min Echo RX                                       32 bits each     |
 *   +-----------------------------------------------------------------------------+
 */
export function encodeControlPacket(packet: ControlPacket): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(CONTROL_OCTETS));
  let bits = SESSION_STATES.indexOf(packet.state) << 6;
  if (packet.poll) bits |= BIT.poll;
  if (packet.final) bits |= BIT.final;
  if (packet.controlPlaneIndependent) bits |= BIT.controlPlaneIndependent;
  if (packet.demand) bits |= BIT.demand;
  view.setUint8(0, (VERSION << 5) | packet.diagnostic);
  view.setUint8(1, bits);
  view.setUint8(2, packet.detectMultiplier);
  view.setUint8(3, CONTROL_OCTETS);
  view.setUint32(4, packet.myDiscriminator);
  view.setUint32(8, packet.yourDiscriminator);
  view.setUint32(12, packet.desiredMinTxUs);
  view.setUint32(16, packet.requiredMinRxUs);
  view.setUint32(20, packet.requiredMinEchoRxUs);
  return new Uint8Array(view.buffer);
}

/**
 * Reads a datagram with those checks of RFC 5880 section 6.8.6 that need no session. Octets beyond the packet's
 * own length are not looked at.
 */
export function decodeControlPacket(bytes: Uint8Array): ControlPacket | DiscardReason {
  if (bytes.length < CONTROL_OCTETS) return 'length';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = view.getUint8(1);
  const fault = faultOf(view, bits);
  if (fault) return fault;
  const state = SESSION_STATES[bits >> 6] ?? 'Down';
  const yourDiscriminator = view.getUint32(8);
  if (yourDiscriminator === 0 && state !== 'Down' && state !== 'AdminDown') {
    return 'your discriminator 0 in this state';
  }
  if (bits & BIT.authentication) return 'authentication not in use';
  return {
    diagnostic: view.getUint8(0) & 0x1f,
    state,
    poll: (bits & BIT.poll) !== 0,
    final: (bits & BIT.final) !== 0,
    controlPlaneIndependent: (bits & BIT.controlPlaneIndependent) !== 0,
    demand: (bits & BIT.demand) !== 0,
    detectMultiplier: view.getUint8(2),
    myDiscriminator: view.getUint32(4),
    yourDiscriminator,
    desiredMinTxUs: view.getUint32(12),
    requiredMinRxUs: view.getUint32(16),
    requiredMinEchoRxUs: view.getUint32(20),
  };
}

function faultOf(view: DataView, bits: number): DiscardReason | undefined {
  if (view.getUint8(0) >> 5 !== VERSION) return 'version';
  const length = view.getUint8(3);
  const least = bits & BIT.authentication ? AUTHENTICATED_OCTETS : CONTROL_OCTETS;
  if (length < least || length > view.byteLength) return 'length';
  if (view.getUint8(2) === 0) return 'detect multiplier 0';
  if (bits & BIT.multipoint) return 'multipoint';
  if (view.getUint32(4) === 0) return 'my discriminator 0';
  return undefined;
}
