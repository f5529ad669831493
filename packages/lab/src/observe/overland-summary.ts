import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { ReportedSession } from './bgp-session.ts';

/** Where an agent or a router of ours answers, within its node. */
const SOCKETS = ['/run/overland/agent.sock', '/run/overland/bgp.sock'];
const ANSWER_TIMEOUT_MS = 2000;

/**
 * Asks the speaker of a node for its sessions: over its unix socket, through the node's file system as we see it, which
 * spares a start of Node.js for every question.
 *
 * @param pid The node's PID 1.
 */
export async function askOverland(pid: number): Promise<ReportedSession[]> {
  const socket = SOCKETS.map((path) => `/proc/${pid}/root${path}`).find((path) => existsSync(path));
  if (socket === undefined) throw new Error('does not listen yet');
  const outgoing = request({
    socketPath: socket,
    path: '/v1/bgp/summary',
    agent: false,
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`answers ${response.statusCode}: ${body}`);
  return parseOverlandSummary(body);
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
