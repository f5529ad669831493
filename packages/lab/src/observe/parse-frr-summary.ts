import { z } from 'zod';
import type { ReportedSession } from './bgp-session.ts';

const Peer = z.object({
  remoteAs: z.number(),
  localAs: z.number(),
  state: z.string(),
  pfxRcd: z.number().optional(),
  pfxSnt: z.number().optional(),
  peerUptimeMsec: z.number().optional(),
});
const Summary = z.object({ peers: z.record(z.string(), Peer).optional() });
const Answer = z.object({ ipv4Unicast: Summary.optional(), ipv6Unicast: Summary.optional() });

/** Reads `show bgp summary json` of FRR 8 and later. */
export function parseFrrSummary(text: string): ReportedSession[] {
  const answer = Answer.parse(JSON.parse(text));
  return (['ipv4', 'ipv6'] as const).flatMap((family) =>
    Object.entries(answer[`${family}Unicast`]?.peers ?? {}).map(([peerAddress, peer]) => {
      const established = peer.state === 'Established';
      return {
        family,
        peerAddress,
        localAs: peer.localAs,
        remoteAs: peer.remoteAs,
        state: peer.state,
        received: established ? peer.pfxRcd : undefined,
        sent: established ? peer.pfxSnt : undefined,
        uptimeSeconds: established ? Math.floor((peer.peerUptimeMsec ?? 0) / 1000) : undefined,
      };
    }),
  );
}
