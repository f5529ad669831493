import { once } from 'node:events';
import { mkdir, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { Logger } from 'pino';

export interface ApiRequest {
  /** Parts of the path that the pattern names: `/v1/workloads/:name`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON, or `undefined` without a body. */
  readonly body: unknown;
}

export interface ApiResponse {
  readonly status: number;
  /** Text is sent as it is, anything else as JSON; absent: no body. */
  readonly body?: unknown;
  readonly contentType?: string;
}

/** One thing the API can do. A handler throws {@link ApiError} for what the caller did wrong. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly handle: (request: ApiRequest) => Promise<ApiResponse> | ApiResponse;
}

/** Becomes the reply `{ error: { code, message } }`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** For programs, stable: `invalid`, `not-found`, `unavailable`, … */
  readonly code: string;

  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

/** Where to listen: a unix socket that only its owner may use, or a TCP port of the loopback address. */
export type ApiAddress = { readonly socket: string } | { readonly port: number };

const BODY_LIMIT_OCTETS = 1_048_576;

/**
 * Serves `routes` over HTTP. Plain `node:http`: the API has a handful of routes, and a framework would cost each
 * host some megabytes.
 */
export async function serveApi(
  address: ApiAddress,
  routes: readonly ApiRoute[],
  log: Logger,
): Promise<AsyncDisposable> {
  const server = createServer({ requestTimeout: 30_000 }, (request, response) => {
    void respond(request, response, routes, log);
  });
  await listen(server, address);
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, address: ApiAddress): Promise<void> {
  if ('port' in address) {
    server.listen({ host: '127.0.0.1', port: address.port });
  } else {
    await mkdir(dirname(address.socket), { recursive: true, mode: 0o700 });
    // Of an agent that was killed. Another one that lives cannot be here: it would hold the namespace.
    await unlink(address.socket).catch(ignoreAbsent);
    // The kernel creates the socket inside this call, with what the mask leaves: 0600 from the first moment.
    const mask = process.umask(0o177);
    server.listen({ path: address.socket });
    process.umask(mask);
  }
  await once(server, 'listening');
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly ApiRoute[],
  log: Logger,
): Promise<void> {
  try {
    send(response, await route(request, routes));
  } catch (error) {
    if (!(error instanceof ApiError)) {
      log.error({ err: error, method: request.method, path: request.url }, 'api request failed');
    }
    send(response, errorResponse(error));
  }
}

function errorResponse(error: unknown): ApiResponse {
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof ApiError ? error : { status: 500, code: 'internal' };
  return { status: known.status, body: { error: { code: known.code, message } } };
}

async function route(request: IncomingMessage, routes: readonly ApiRoute[]): Promise<ApiResponse> {
  const url = new URL(request.url ?? '/', 'http://agent');
  let otherMethod = false;
  for (const candidate of routes) {
    const parameters = matchPath(candidate.path, url.pathname);
    if (!parameters) continue;
    if (candidate.method !== request.method) {
      otherMethod = true;
      continue;
    }
    const body = await readJson(request);
    return await candidate.handle({ parameters, query: url.searchParams, body });
  }
  if (otherMethod)
    throw new ApiError(405, 'method', `${url.pathname} does not take ${request.method}`);
  throw new ApiError(404, 'not-found', `the agent has no ${url.pathname}`);
}

/** `/v1/workloads/:name` against `/v1/workloads/web1` → `{ name: 'web1' }`. */
function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const expected = pattern.split('/');
  const actual = path.split('/');
  if (expected.length !== actual.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const value = actual[index] ?? '';
    if (part.startsWith(':')) parameters[part.slice(1)] = decodePart(value);
    else if (part !== value) return undefined;
  }
  return parameters;
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError(400, 'invalid', 'the path is not valid');
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > BODY_LIMIT_OCTETS) throw new ApiError(413, 'too-large', 'the body is over 1 MiB');
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new ApiError(400, 'invalid', 'the body is not JSON', { cause: error });
  }
}

function send(response: ServerResponse, { status, body, contentType }: ApiResponse): void {
  if (response.headersSent || response.destroyed) return;
  if (body === undefined) {
    response.writeHead(status).end();
    return;
  }
  const isText = typeof body === 'string';
  const octets = Buffer.from(isText ? body : `${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    'content-type': contentType ?? (isText ? 'text/plain' : 'application/json'),
    // For clients of HTTP/1.0, which could not tell an answer from the beginning of one.
    'content-length': octets.length,
  });
  response.end(octets);
}
