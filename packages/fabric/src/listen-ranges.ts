import type { PeerConfig, SpeakerConfig } from '@overland/bgp';
import { contains, familyOf, hostPrefix, networkAddress } from '@overland/net';
import type { Report } from './diagnostics.ts';
import type { Session } from './sessions.ts';

/** A BGPPeer with `listenRange`, as the session that each of its peers has; the address says the family alone. */
export function rangeSession(
  { cidr, limit }: NonNullable<Session['spec']['listenRange']>,
  asn: Session['asn'] | undefined,
): Pick<Session, 'address' | 'range' | 'port' | 'asn' | 'isNode' | 'clusterId'> {
  return {
    address: networkAddress(cidr),
    range: { prefix: cidr, limit },
    // Of the other side, which dials from wherever it likes.
    port: 179,
    asn: asn ?? 'external',
    isNode: false,
    clusterId: undefined,
  };
}

/**
 * Ranges, without those that would take a password of peers inside them that have none: the kernel goes by addresses alone.
 */
export function listenRangesOf(
  sessions: readonly { readonly session: Session; readonly peer: PeerConfig }[],
  report: Report,
): NonNullable<SpeakerConfig['listenRanges']>[number][] {
  return sessions.flatMap(({ session: { range, resource }, peer }) => {
    if (!range) return [];
    const open = sessions.find(({ session, peer: other }) => {
      if (other === peer || !peer.password || other.password) return false;
      const inside = session.range?.prefix ?? hostPrefix(session.address);
      return familyOf(inside) === familyOf(range.prefix) && contains(range.prefix, inside);
    });
    if (open) {
      const place = open.session.range?.prefix ?? open.session.address;
      report(resource, `listenRange: ${place}, which it holds, has no password: nobody is let in`);
      return [];
    }
    const { name: _, address: __, localAddress: ___, ...rest } = peer;
    return [{ ...range, peer: { ...rest, passive: true } }];
  });
}
