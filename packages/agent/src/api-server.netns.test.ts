import { mkdtemp, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { ApiError, type ApiRoute, serveApi } from './api-server.ts';

const ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/v1/things/:name',
    handle: ({ parameters, query }) => ({
      status: 200,
      body: { ...parameters, after: query.get('after') },
    }),
  },
  { method: 'POST', path: '/v1/things', handle: ({ body }) => ({ status: 201, body }) },
  {
    method: 'DELETE',
    path: '/v1/things/:name',
    handle: () => {
      throw new ApiError(409, 'conflict', 'it is in use');
    },
  },
  {
    method: 'GET',
    path: '/broken',
    handle: () => {
      throw new Error('a bug');
    },
  },
];

async function serve(): Promise<string> {
  const socket = `${await mkdtemp('/run/api-')}/made/agent.sock`;
  const server = await serveApi({ socket }, ROUTES, pino({ level: 'silent' }));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return socket;
}

async function call(socketPath: string, method: string, path: string, body?: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: unknown }>();
  request({ socketPath, method, path, agent: false }, (response) => {
    json(response).then(
      (value) => resolve({ status: response.statusCode ?? 0, body: value }),
      reject,
    );
  })
    .on('error', reject)
    .end(body);
  return await promise;
}

test('the socket belongs to its owner alone', async () => {
  const { mode } = await stat(await serve());
  expect(mode & 0o777).toBe(0o600);
});

test('routes match by method and path, and give parameters decoded', async () => {
  const socket = await serve();
  expect(await call(socket, 'GET', '/v1/things/a%2Fb?after=c')).toEqual({
    status: 200,
    body: { name: 'a/b', after: 'c' },
  });
  expect(await call(socket, 'POST', '/v1/things', '{"x":1}')).toEqual({
    status: 201,
    body: { x: 1 },
  });
});

test('what the caller did wrong has a status, a code and a sentence', async () => {
  const socket = await serve();
  expect(await call(socket, 'GET', '/v2')).toMatchObject({
    status: 404,
    body: { error: { code: 'not-found' } },
  });
  expect(await call(socket, 'GET', '/v1/things')).toMatchObject({ status: 405 });
  expect(await call(socket, 'POST', '/v1/things', '{')).toMatchObject({
    status: 400,
    body: { error: { code: 'invalid' } },
  });
  expect(await call(socket, 'DELETE', '/v1/things/a')).toMatchObject({
    status: 409,
    body: { error: { message: 'it is in use' } },
  });
  expect(await call(socket, 'GET', '/broken')).toMatchObject({
    status: 500,
    body: { error: { code: 'internal' } },
  });
  expect(
    await call(socket, 'POST', '/v1/things', JSON.stringify('x'.repeat(1_100_000))),
  ).toMatchObject({ status: 413 });
});
