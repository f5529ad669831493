import { type IpAddress, isLinkLocal } from '@overland/net';
import type { PeerConfig } from '../../core/config.ts';

/** To an address, on an interface if it is link-local. */
export interface BfdPath {
  readonly address: IpAddress;
  readonly device?: string;
}

/** `10.1.0.1`, `fe80::1%eth1`. */
export function bfdPathText({ address, device }: BfdPath): string {
  return device === undefined ? address : `${address}%${device}`;
}

/** The path of the session with a peer. */
export function bfdPathTo({ address, interface: device }: PeerConfig): BfdPath {
  return { address, ...(device !== undefined && isLinkLocal(address) && { device }) };
}
