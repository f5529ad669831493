import { contains, prefixOf } from '@overland/net';
import type { PeerConfig } from '../config.ts';
import type { InterfaceState } from '../rib/route-engine.ts';

/** The interface through which a directly connected peer is reached, and whether it can carry the session. */
export interface PeerLink {
  readonly device: string;
  readonly usable: boolean;
}

/**
 * Finds the interface that carries the session with a peer (fast external fallover).
 *
 * @param known What was found before: an interface that goes down may lose the address that told us.
 * @returns `undefined` for a peer that is on none of our links: only TCP and the hold timer speak for it.
 */
export function peerLink(
  interfaces: readonly InterfaceState[],
  { address: peer, interface: device }: Pick<PeerConfig, 'address' | 'interface'>,
  known: PeerLink | undefined,
): PeerLink | undefined {
  if (device !== undefined) {
    const found = interfaces.find(({ name }) => name === device);
    return { device, usable: found?.usable ?? false };
  }
  const carrier = interfaces.find(({ addresses }) =>
    addresses.some(({ address, length }) => contains(prefixOf(address, length), peer)),
  );
  if (carrier) return { device: carrier.name, usable: carrier.usable };
  return known && { ...known, usable: false };
}
