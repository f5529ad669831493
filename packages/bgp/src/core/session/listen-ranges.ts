import { contains, type IpAddress, prefixLength } from '@overland/net';
import type { ListenRange, PeerConfig, SpeakerConfig } from '../config.ts';
import { peerKey } from './peer-changes.ts';

/** The range of an address; of several the narrowest. */
export function rangeOf(
  ranges: readonly ListenRange[],
  address: IpAddress,
): ListenRange | undefined {
  return ranges
    .filter(({ prefix }) => contains(prefix, address))
    .toSorted((a, b) => prefixLength(b.prefix) - prefixLength(a.prefix))[0];
}

/** What a peer is told that has dialled from the range. */
export function peerFrom({ peer, prefix }: ListenRange, address: IpAddress): PeerConfig {
  return { ...peer, name: address, address, range: prefix };
}

/**
 * A new configuration with those of the present peers from ranges that there is still a range for, as it is now, and
 * that have not become peers of their own. A lower limit sends nobody away.
 */
export function keepDynamicPeers(
  config: SpeakerConfig,
  present: readonly PeerConfig[],
): SpeakerConfig {
  const configured = new Set(config.peers.map(peerKey));
  const kept = present.flatMap(({ range: isDynamic, address }) => {
    const range = isDynamic && rangeOf(config.listenRanges ?? [], address);
    return range ? [peerFrom(range, address)] : [];
  });
  return {
    ...config,
    peers: [...config.peers, ...kept.filter((peer) => !configured.has(peerKey(peer)))],
  };
}
