import { addressFromBytes, type IpAddress } from '@overland/net';
import type { Speaker } from './cluster.ts';

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;
/** First octets 1 to 223 are unicast. */
const LAST_UNICAST_OCTET = 223;

/**
 * BGP Identifier of a node: its IPv4 address; without one, a hash of its name (Calico's `CALICO_ROUTER_ID=hash`
 * does likewise). Never 0 (RFC 6286), and never a multicast or reserved address, which older speakers refuse.
 */
export function routerIdOf({ name, addresses }: Speaker): IpAddress {
  if (addresses.ipv4) return addresses.ipv4;
  let hash = FNV_OFFSET;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), FNV_PRIME);
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setInt32(0, hash);
  octets[0] = ((octets[0] ?? 0) % LAST_UNICAST_OCTET) + 1;
  return addressFromBytes(octets);
}
