import { once } from 'node:events';
import { createServer } from 'node:http';
import { parseAddress } from '@overland/net';
import { ListenError } from './listeners.ts';
import { METRICS_CONTENT_TYPE, type Metric, metricsText } from './metrics-text.ts';

/** Prometheus cannot ask a unix socket, and nobody else shall ask from afar. */
const HOST = parseAddress('127.0.0.1');

/**
 * Serves `/metrics` on a port of the loopback address.
 *
 * @throws {ListenError} If the port is taken.
 */
export async function serveMetrics(
  port: number,
  metrics: () => readonly Metric[],
): Promise<AsyncDisposable> {
  const server = createServer((incoming, response) => {
    const isMetrics = incoming.method === 'GET' && incoming.url === '/metrics';
    response.writeHead(isMetrics ? 200 : 404, { 'content-type': METRICS_CONTENT_TYPE });
    response.end(isMetrics ? metricsText(metrics()) : '');
  });
  server.listen({ host: HOST, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ListenError({ address: HOST, port }, error as Error);
  }
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
