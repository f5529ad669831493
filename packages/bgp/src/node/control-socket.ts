import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { METRICS_CONTENT_TYPE, metricsText } from './metrics-text.ts';
import {
  SPEAKER_ROUTES,
  type SpeakerPort,
  SpeakerRequestError,
  speakerPort,
} from './operator/speaker-api.ts';
import { ownSocket } from './own-socket.ts';
import type { Speaker } from './speaker.ts';
import { ControlSocketError } from './speaker-client.ts';

/** Where `overland bgp run` answers unless it is told otherwise. */
export const DEFAULT_CONTROL_SOCKET = '/run/overland/bgp.sock';

/**
 * Answers questions about a speaker on a unix socket that only its owner may use: HTTP, with the agent's paths, see
 * {@link SPEAKER_ROUTES}; and `/metrics` in Prometheus' text format.
 *
 * @throws {ControlSocketError} If another process answers on it already.
 */
export async function serveControlSocket(path: string, speaker: Speaker): Promise<AsyncDisposable> {
  const port = speakerPort(() => speaker.operator);
  const server = createServer((incoming, response) => void respond(port, incoming, response));
  await ownSocket(server, path, (reason) => new ControlSocketError(reason));
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function respond(
  port: SpeakerPort,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method } = incoming;
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://control');
  const route = SPEAKER_ROUTES.find((one) => one.method === method && one.path === pathname);
  try {
    if (method === 'GET' && pathname === '/metrics') {
      response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE });
      response.end(metricsText((await port.metrics()) ?? []));
    } else if (route) reply(response, 200, await route.answer(port, searchParams));
    else reply(response, 404, fault('not-found', `${method} ${pathname}`));
  } catch (error) {
    if (error instanceof SpeakerRequestError) {
      reply(response, error.status, fault(error.code, error.message));
    } else reply(response, 500, fault('internal', String(error)));
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function fault(code: string, message: string): unknown {
  return { error: { code, message } };
}
