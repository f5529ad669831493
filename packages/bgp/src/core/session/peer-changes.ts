import type { PeerConfig, SpeakerConfig } from '../config.ts';

/** What a new configuration means for the sessions. */
export interface PeerChanges {
  readonly removed: readonly string[];
  readonly added: readonly PeerConfig[];
  /** The session must be opened anew: what identifies it, or what only an OPEN can say, is different. */
  readonly reopened: readonly PeerConfig[];
  /** The session stays. Timers and the like count from the next OPEN, policy at once. */
  readonly kept: readonly PeerConfig[];
}

/** Compares peers by name. */
export function peerChanges(before: SpeakerConfig | undefined, after: SpeakerConfig): PeerChanges {
  const known = new Map(before?.peers.map((peer) => [peer.name, peer]));
  const reopened: PeerConfig[] = [];
  const kept: PeerConfig[] = [];
  const added: PeerConfig[] = [];
  for (const peer of after.peers) {
    const earlier = known.get(peer.name);
    known.delete(peer.name);
    if (!before || !earlier) added.push(peer);
    else if (identity(before, earlier) === identity(after, peer)) kept.push(peer);
    else reopened.push(peer);
  }
  return { removed: [...known.keys()], added, reopened, kept };
}

/** Everything that cannot change while a session lives. */
function identity(speaker: SpeakerConfig, peer: PeerConfig): string {
  return JSON.stringify([
    speaker.routerId,
    peer.localAsn ?? speaker.asn,
    peer.address,
    peer.port,
    peer.localAddress,
    peer.asn,
    peer.ttl,
    peer.families.toSorted(),
  ]);
}
