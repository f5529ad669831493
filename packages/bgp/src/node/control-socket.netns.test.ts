import { statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Asn, parseAddress } from '@overland/net';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { serveControlSocket } from './control-socket.ts';
import { type Speaker, startSpeaker } from './speaker.ts';
import { askForSummary, ControlSocketError } from './speaker-client.ts';

async function speaker(): Promise<Speaker> {
  return await startSpeaker(
    {
      config: {
        asn: 65101 as Asn,
        routerId: parseAddress('10.0.0.5'),
        role: 'router',
        listen: [],
        multipath: { maxPaths: 8, relaxAsPath: true },
        gracefulRestart: {
          enabled: true,
          restartSeconds: 120,
          stalePathSeconds: 300,
          deferralSeconds: 30,
        },
        peers: [],
        originate: [],
      },
      log: pino({ level: 'silent' }),
      restarting: false,
      onRouteBatch: async () => [],
    },
    new AbortController().signal,
  );
}

const socketPath = async (): Promise<string> =>
  join(await mkdtemp(join(tmpdir(), 'control-')), 'bgp.sock');

async function get(path: string, url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request({ socketPath: path, path: url, agent: false }, (response) => {
    text(response).then((body) => resolve(`${response.statusCode} ${body.trim()}`), reject);
  })
    .on('error', reject)
    .end();
  return await promise;
}

test('answers its owner and nobody else', async () => {
  await using running = await speaker();
  const path = await socketPath();
  await using _control = await serveControlSocket(path, running);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await askForSummary(path)).toMatchObject({ asn: 65101, peers: [] });
  expect(await get(path, '/v1/bgp/routes?family=ipv6')).toBe('200 {"routes":[]}');
});

test.each([
  ['/v1/bgp/routes?family=ipx', '400 {"error":{"code":"invalid","message":"family must be'],
  ['/v1/bgp/routes?limit=0', '400 {"error":{"code":"invalid","message":"limit must be'],
  ['/v1/bgp/routes?after=10.0.0.1/24', '400 {"error":{"code":"invalid","message":"\\"10.0.0.1/24'],
  ['/v1/bgp/routes?after=::/0', '400 {"error":{"code":"invalid","message":"after must be ipv4'],
  ['/v1/other', '404 {"error":{"code":"not-found"'],
])('%s is answered with what is wrong', async (url, answer) => {
  await using running = await speaker();
  const path = await socketPath();
  await using _control = await serveControlSocket(path, running);
  expect(await get(path, url)).toContain(answer);
});

test('a socket left over from a crash is taken over, one that answers is not', async () => {
  await using running = await speaker();
  const path = await socketPath();
  writeFileSync(path, '');
  await expect(serveControlSocket(path, running)).resolves.toBeDefined();
  await expect(serveControlSocket(path, running)).rejects.toThrow(ControlSocketError);
});

test('says why there is no answer', async () => {
  await expect(askForSummary('/nowhere/bgp.sock')).rejects.toThrow(
    'no speaker answers on /nowhere/bgp.sock; is one running on this host?',
  );
});
