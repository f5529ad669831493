import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** Where an agent or a router of ours answers, within its node. */
const SOCKETS = ['/run/overland/agent.sock', '/run/overland/bgp.sock'];
const ANSWER_TIMEOUT_MS = 2000;

/**
 * Asks what of ours runs in a node: over its unix socket, through the node's file system as we see it, which spares a
 * start of Node.js for every question.
 *
 * @param pid The node's PID 1.
 * @returns The answer's body.
 * @throws If nothing listens, or the answer is another than 200.
 */
export async function askNode(pid: number, path: string): Promise<string> {
  const socket = SOCKETS.map((file) => `/proc/${pid}/root${file}`).find((file) => existsSync(file));
  if (socket === undefined) throw new Error('does not listen yet');
  const outgoing = request({
    socketPath: socket,
    path,
    agent: false,
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`answers ${response.statusCode}: ${body}`);
  return body;
}
