import { isLinkLocal } from '@overland/net';
import type { PeerConfig } from '../../core/config.ts';
import { isUnheard } from '../../core/session/unnumbered.ts';
import type { BfdPeer } from './bfd-peer.ts';
import { DEFAULT_BFD_SETTINGS } from './default-settings.ts';

/** What BFD needs to know of a peer, or of the next hop of a static route. */
type WatchedPath = Pick<
  PeerConfig,
  'address' | 'bfd' | 'localAddress' | 'ttl' | 'minTtl' | 'unnumbered'
>;

/**
 * The BFD session that watches over a BGP session; `undefined`: none.
 *
 * @param device The link that the peer is on; `undefined`: none of ours.
 */
export function sessionFor(config: WatchedPath, device: string | undefined): BfdPeer | undefined {
  const { address: peer, bfd, localAddress } = config;
  if (!bfd || isUnheard(config)) return undefined;
  const { transmitMs, receiveMs, detectMultiplier, passive, minTtl } = bfd;
  const multihop = bfd.multihop ?? !(isNextTo(config) || device !== undefined);
  const defaults = DEFAULT_BFD_SETTINGS;
  return {
    peer,
    ...(isLinkLocal(peer) && device !== undefined ? { device } : {}),
    ...(localAddress === undefined ? {} : { localAddress }),
    multihop,
    ...(multihop && minTtl !== undefined ? { minTtl } : {}),
    settings: {
      transmitIntervalUs: microseconds(transmitMs) ?? defaults.transmitIntervalUs,
      receiveIntervalUs: microseconds(receiveMs) ?? defaults.receiveIntervalUs,
      detectMultiplier: detectMultiplier ?? defaults.detectMultiplier,
      passive: passive ?? defaults.passive,
    },
  };
}

/** Whether the session itself is for a directly connected peer only. */
function isNextTo({ ttl, minTtl }: WatchedPath): boolean {
  return ttl === 1 || minTtl === 255;
}

function microseconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 1000);
}
