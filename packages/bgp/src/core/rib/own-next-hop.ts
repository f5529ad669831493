import { addressBytes, type Family, familyOf } from '@overland/net';
import { isScoped, type LinkLocalFormat, linkLocalNextHop } from '../wire/next-hop-field.ts';
import type { Links } from './links.ts';
import type { EstablishedSession } from './route-engine.ts';

/** The format that everybody takes: FRR and Cumulus send it, BIRD has taken it since 2.0.8. Decision 0155. */
const DEFAULT_FORMAT: LinkLocalFormat = 'double';

/**
 * Our address as the next hop of a family towards a peer, as it is sent. RFC 4271 section 5.1.3, RFC 2545, RFC 8950.
 *
 * @returns 4, 16 or 32 octets; `undefined` if the interface of the session has no address that serves.
 */
export function ownNextHop(
  session: EstablishedSession,
  family: Family,
  links: Links,
  format: LinkLocalFormat = DEFAULT_FORMAT,
): Uint8Array | undefined {
  const { localAddress, extendedNextHop = [] } = session;
  const own = familyOf(localAddress);
  if (own === family || (own === 'ipv6' && extendedNextHop.includes(family))) {
    return isScoped(localAddress)
      ? linkLocalNextHop(localAddress, format)
      : addressBytes(localAddress);
  }
  const beside = links.addressBeside(session, family);
  return beside && addressBytes(beside);
}
