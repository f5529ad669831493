import type { PeerConfig, SpeakerConfig } from '../config.ts';
import { isUnheard } from './unnumbered.ts';

/** What a new configuration means for the sessions. Each peer is named by {@link peerKey}. */
export interface PeerChanges {
  readonly removed: readonly string[];
  readonly added: readonly PeerConfig[];
  /** The session must be opened anew: what only TCP or an OPEN can say is different. */
  readonly reopened: readonly PeerConfig[];
  /** The session stays, under a new name perhaps. Timers count from the next OPEN, policy at once. */
  readonly kept: readonly PeerConfig[];
}

/**
 * Tells peers apart: two may share an address, on different ports, from different addresses of ours or, if it is link-local, on
 * different interfaces. One that is unnumbered is the same wherever it is heard.
 */
export function peerKey(peer: PeerConfig): string {
  const { address, interface: device, port, localAddress } = peer;
  const scope = device === undefined ? '' : `%${device}`;
  return [`${peer.unnumbered ? '' : address}${scope}`, port, localAddress].join(' ');
}

/** Compares what is with what shall be. */
export function peerChanges(before: SpeakerConfig, after: SpeakerConfig): PeerChanges {
  const known = new Map(before.peers.map((peer) => [peerKey(peer), peer]));
  const reopened: PeerConfig[] = [];
  const kept: PeerConfig[] = [];
  const added: PeerConfig[] = [];
  for (const peer of after.peers) {
    const earlier = known.get(peerKey(peer));
    known.delete(peerKey(peer));
    if (!earlier) added.push(peer);
    else if (isSame(before, earlier, after, peer)) kept.push(peer);
    else reopened.push(peer);
  }
  return { removed: [...known.keys()], added, reopened, kept };
}

/** An unnumbered peer that is found, or lost, has no session: there is nothing to begin anew. */
function isSame(
  before: SpeakerConfig,
  earlier: PeerConfig,
  after: SpeakerConfig,
  later: PeerConfig,
): boolean {
  const found = isUnheard(earlier) ? { ...earlier, address: later.address } : earlier;
  const lost = isUnheard(later) ? { ...later, address: found.address } : later;
  return identity(before, found) === identity(after, lost);
}

/** Everything that cannot change while a session lives. */
function identity(speaker: SpeakerConfig, peer: PeerConfig): string {
  const own = [speaker.routerId, peer.localAsn ?? speaker.asn];
  const { asn, ttl, minTtl = 0, password, role = '', strictRole = false } = peer;
  const { extendedNextHop = false, extendedMessages = false, addPath, bindInterface = '' } = peer;
  const key = JSON.stringify(password ?? null);
  const protection = [ttl, minTtl, key, bindInterface, role, strictRole];
  const paths = [addPath?.receive ?? false, addPath?.send !== undefined];
  const capabilities = [extendedNextHop, extendedMessages, ...paths, ...peer.families.toSorted()];
  return [peerKey(peer), peer.address, ...own, asn, ...protection, ...capabilities].join(' ');
}
