import { z } from 'zod';
import type { ReportedSession } from './bgp-session.ts';

const Peer = z.object({
  peerAddress: z.string(),
  family: z.enum(['ipv4', 'ipv6']),
  localAs: z.number(),
  remoteAs: z.number(),
  state: z.string(),
  received: z.number().nullish(),
  sent: z.number().nullish(),
  uptimeSeconds: z.number().nullish(),
});

/** Reads `overland bgp summary -o json`. */
export function parseOverlandSummary(text: string): ReportedSession[] {
  return z
    .array(Peer)
    .parse(JSON.parse(text))
    .map((peer) => ({
      ...peer,
      received: peer.received ?? undefined,
      sent: peer.sent ?? undefined,
      uptimeSeconds: peer.uptimeSeconds ?? undefined,
    }));
}
