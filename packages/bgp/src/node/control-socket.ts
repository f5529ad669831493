import { once } from 'node:events';
import { chmodSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { familyOf, ParseError, parsePrefix } from '@overland/net';
import type { RouteQuery } from '../core/rib/route-engine.ts';
import type { Speaker } from './speaker.ts';
import type { SpeakerSummary } from './speaker-summary.ts';

/** Where `overland bgp run` answers unless it is told otherwise. */
export const DEFAULT_CONTROL_SOCKET = '/run/overland/bgp.sock';

const DEFAULT_PAGE = 200;
const MAX_PAGE = 1000;
const ANSWER_TIMEOUT_MS = 5000;

/** Nobody answers on the control socket, or not with what was asked for. */
export class ControlSocketError extends Error {
  override readonly name = 'ControlSocketError';
}

/**
 * Answers questions about a speaker on a unix socket that only its owner may use: HTTP, with the agent's paths.
 *
 *   GET /v1/bgp/summary
 *   GET /v1/bgp/routes?family=ipv4&limit=200&after=10.65.0.0/26
 *
 * @throws {ControlSocketError} If another process answers on it already.
 */
export async function serveControlSocket(path: string, speaker: Speaker): Promise<AsyncDisposable> {
  await removeLeftover(path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://control');
    if (incoming.method === 'GET' && url.pathname === '/v1/bgp/summary') {
      reply(response, 200, speaker.summary());
    } else if (incoming.method === 'GET' && url.pathname === '/v1/bgp/routes') {
      const query = routeQuery(url.searchParams);
      if (typeof query === 'string') reply(response, 400, fault('invalid', query));
      else reply(response, 200, speaker.routes(query));
    } else reply(response, 404, fault('not-found', `${incoming.method} ${url.pathname}`));
  });
  // The mode must hold before anyone can connect, so it is taken away by the mask and not given later.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, 'listening');
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/**
 * Asks for the summary, of `overland bgp run` or of an agent.
 *
 * @throws {ControlSocketError} Saying why there is no answer.
 */
export async function askForSummary(path: string): Promise<SpeakerSummary> {
  const { promise, resolve, reject } = Promise.withResolvers<SpeakerSummary>();
  const failed = (error: NodeJS.ErrnoException): void => reject(explain(path, error));
  const options = { socketPath: path, path: '/v1/bgp/summary', agent: false };
  const outgoing = request({ ...options, timeout: ANSWER_TIMEOUT_MS }, (response) => {
    text(response).then((body) => {
      if (response.statusCode === 200) resolve(JSON.parse(body) as SpeakerSummary);
      else reject(new ControlSocketError(`${path} answers ${response.statusCode}: ${body}`));
    }, failed);
  });
  outgoing.on('error', failed);
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.end();
  return await promise;
}

function explain(path: string, error: NodeJS.ErrnoException): ControlSocketError {
  const reason =
    error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      ? `no speaker answers on ${path}; is one running on this host?`
      : `the speaker on ${path} does not answer: ${error.code ?? error.message}`;
  return new ControlSocketError(reason, { cause: error });
}

/** A socket file that nobody answers on is left over from a crash. */
async function removeLeftover(path: string): Promise<void> {
  const probe = connect({ path });
  try {
    await once(probe, 'connect');
    throw new ControlSocketError(`another process answers on ${path}`);
  } catch (error) {
    if (error instanceof ControlSocketError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') unlinkSync(path);
  } finally {
    probe.destroy();
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function fault(code: string, message: string): unknown {
  return { error: { code, message } };
}

/** The query, or what is wrong with it. */
function routeQuery(query: URLSearchParams): RouteQuery | string {
  const family = query.get('family') ?? 'ipv4';
  if (family !== 'ipv4' && family !== 'ipv6') return 'family must be ipv4 or ipv6';
  const limit = Number(query.get('limit') ?? DEFAULT_PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    return `limit must be a whole number from 1 to ${MAX_PAGE}`;
  }
  const after = query.get('after');
  if (after === null) return { family, limit };
  try {
    const prefix = parsePrefix(after);
    return familyOf(prefix) === family
      ? { family, limit, after: prefix }
      : `after must be ${family}`;
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
}
