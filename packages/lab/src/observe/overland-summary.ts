import { z } from 'zod';
import { askNode } from './ask-node.ts';
import type { ReportedSession } from './bgp-session.ts';

/** Asks the speaker of a node for its sessions. @param pid The node's PID 1. */
export async function askOverland(pid: number): Promise<ReportedSession[]> {
  return parseOverlandSummary(await askNode(pid, '/v1/bgp/summary'));
}

const Family = z.enum(['ipv4', 'ipv6']);
const PerFamily = z.object({ ipv4: z.number(), ipv6: z.number() });
const Summary = z.object({
  peers: z.array(
    z.object({
      place: z.string(),
      /** Not known before the peer has told it, where the configuration leaves it open. */
      asn: z.number().nullable(),
      localAsn: z.number(),
      families: z.array(Family),
      state: z.string(),
      upDownSeconds: z.number().nullable(),
      prefixesReceived: PerFamily,
      prefixesSent: PerFamily,
      session: z.object({ families: z.array(Family) }).nullable(),
    }),
  ),
});

/** Reads the answer to `GET /v1/bgp/summary`: a row for each family that is configured. */
export function parseOverlandSummary(body: string): ReportedSession[] {
  return Summary.parse(JSON.parse(body)).peers.flatMap((peer) =>
    peer.families.map((family) => {
      const isUp = peer.session?.families.includes(family) ?? false;
      return {
        family,
        peerAddress: peer.place,
        localAs: peer.localAsn,
        // FRR's number for it.
        remoteAs: peer.asn ?? 0,
        state: peer.session && !isUp ? 'NoNeg' : peer.state,
        received: isUp ? peer.prefixesReceived[family] : undefined,
        sent: isUp ? peer.prefixesSent[family] : undefined,
        uptimeSeconds: isUp ? (peer.upDownSeconds ?? undefined) : undefined,
      };
    }),
  );
}
