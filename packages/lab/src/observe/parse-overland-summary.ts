import { familyOf } from '@overland/net';
import { z } from 'zod';
import type { ReportedSession } from './bgp-session.ts';

const PerFamily = z.object({ ipv4: z.number(), ipv6: z.number() });
const Summary = z.object({
  peers: z.array(
    z.object({
      address: z.string(),
      asn: z.number(),
      localAsn: z.number(),
      state: z.string(),
      upDownSeconds: z.number().nullable(),
      prefixesReceived: PerFamily,
      prefixesSent: PerFamily,
      session: z.object({ families: z.array(z.enum(['ipv4', 'ipv6'])) }).nullable(),
    }),
  ),
});

/** Reads `overland bgp summary -o json`. A session that is not up counts for the family of its address. */
export function parseOverlandSummary(text: string): ReportedSession[] {
  return Summary.parse(JSON.parse(text)).peers.flatMap((peer) => {
    const established = peer.state === 'Established';
    const families = peer.session?.families ?? [familyOf(peer.address)];
    return families.map((family) => ({
      family,
      peerAddress: peer.address,
      localAs: peer.localAsn,
      remoteAs: peer.asn,
      state: peer.state,
      received: established ? peer.prefixesReceived[family] : undefined,
      sent: established ? peer.prefixesSent[family] : undefined,
      uptimeSeconds: established ? (peer.upDownSeconds ?? undefined) : undefined,
    }));
  });
}
