import { type IpAddress, parseAddress } from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../config.ts';

/** Address of an unnumbered peer that nobody is heard of. */
export const UNHEARD: IpAddress = parseAddress('::');

/** Whether it is not known where the peer is. */
export function isUnheard({
  address,
  unnumbered,
}: Pick<PeerConfig, 'address' | 'unnumbered'>): boolean {
  return unnumbered === true && address === UNHEARD;
}

/** Interfaces on which peers are to be found by what they advertise. */
export function discoveredInterfaces({ peers }: SpeakerConfig): string[] {
  return peers.flatMap(({ unnumbered, interface: device }) =>
    unnumbered && device !== undefined ? [device] : [],
  );
}

/**
 * The configuration with unnumbered peers where they are.
 *
 * @param routerOn Who is heard on an interface; `undefined`: nobody.
 */
export function locatePeers(
  config: SpeakerConfig,
  routerOn: (device: string) => IpAddress | undefined,
): SpeakerConfig {
  if (!config.peers.some(({ unnumbered }) => unnumbered)) return config;
  return {
    ...config,
    peers: config.peers.map((peer) =>
      peer.unnumbered ? { ...peer, address: routerOn(peer.interface ?? '') ?? UNHEARD } : peer,
    ),
  };
}

/** A peer as it is configured: `10.1.0.1`, `fe80::1%eth1`, `eth1`. */
export function placeOf({ address, interface: device, unnumbered }: PeerConfig): string {
  if (device === undefined) return address;
  return unnumbered ? device : `${address}%${device}`;
}
