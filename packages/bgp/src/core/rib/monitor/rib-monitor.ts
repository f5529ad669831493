import type { PeerId } from '../route-engine.ts';

/** Which RIB is monitored: what peers sent, what import rules made of it, what was chosen; what peers would be sent, and are sent. */
export type MonitoredRib =
  | 'pre-policy'
  | 'post-policy'
  | 'loc-rib'
  | 'out-pre-policy'
  | 'out-post-policy';

/** Somebody is told what is in a RIB of one family, and what changes: RFC 7854 sections 5 and 6. */
export interface RibMonitor {
  readonly rib: MonitoredRib;
  /** Whether {@link next} or {@link step} has something to do. */
  readonly hasWork: boolean;
  /** Whom the last message was about; `undefined`: the speaker itself. */
  readonly peer: PeerId | undefined;
  /**
   * The session of a peer is up, and has been told.
   *
   * @param pathIds Whether routes of the direction have path identifiers.
   */
  peerUp(peer: PeerId, pathIds: boolean): void;
  /** It is over: nothing more is told of the peer. */
  peerDown(peer: PeerId): void;
  /** Goes on to look for what was there when it began. @param units Prefixes. */
  step(units: number): void;
  /**
   * Packs the next UPDATE, whole with its header.
   *
   * @param target Has room for {@link MONITORED_OCTETS} from `offset` on.
   * @returns Octets; 0: there is nothing to tell now.
   */
  next(target: Uint8Array, offset: number): number;
  /** Nobody is told any more. */
  close(): void;
}

/** The longest message that a monitor packs, octets: an attribute set may be longer than a message of its own. */
export const MONITORED_OCTETS = 24 * 1024;

/** Paths of a group in a row that need not be told before packing looks no further. */
export const MAX_SKIPS = 16;
