import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Datastore, openDatastore } from '@overland/datastore';
import { EtcdProcess } from '@overland/datastore/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, lineOf, mirrorOf, put } from './support/datastore-mirror.ts';
import { selfSigned } from './support/self-signed.ts';

const run = promisify(execFile);
const LONG = { timeout: 60_000 };

let etcd: EtcdProcess;
let store: Datastore;
let stop: AbortController;

beforeAll(async () => {
  etcd = await EtcdProcess.start();
});
afterAll(() => etcd[Symbol.asyncDispose]());
beforeEach(async () => {
  await etcd.clear();
  store = await openDatastore({ type: 'etcd', endpoints: [etcd.endpoint], deadlineMs: 1500 });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await store[Symbol.asyncDispose]();
});

/** What a watch of this test has told so far. */
const mirror = (of: Datastore) => mirrorOf(of, stop.signal);

/** Drops every packet from and to a port of the loopback, both ways, until disposed. */
async function blackHole(port: number): Promise<AsyncDisposable> {
  const nft = (text: string) => run('nft', [text]);
  const table = `inet hole${port}`;
  await nft(
    `add table ${table}; add chain ${table} out { type filter hook output priority 0; }; add rule ${table} out tcp dport ${port} drop; add rule ${table} out tcp sport ${port} drop`,
  );
  return {
    async [Symbol.asyncDispose]() {
      await nft(`delete table ${table}`);
    },
  };
}

describe('a member that hangs (SIGSTOP)', () => {
  test('fails calls at their deadline; all goes on after it', LONG, async () => {
    const { state, lines } = mirror(store);
    await eventually(() => expect(lines).toContain('synced'), 5000);
    await etcd.hang();
    const started = performance.now();
    const calls = [store.get('/a'), store.transact(put('/a', '1')), store.list('/')];
    for (const { status, ...outcome } of await Promise.allSettled(calls)) {
      expect(status).toBe('rejected');
      expect(outcome).toHaveProperty('reason.name', 'UnavailableError');
    }
    expect(performance.now() - started).toBeLessThan(2500);
    etcd.signal('SIGCONT');
    await eventually(() => store.transact(put('/b', '2')).then(() => undefined), 5000);
    await eventually(() => expect(state.get('/b')).toBe('2'), 5000);
  });
});

describe('a member that crashes and comes back', () => {
  test('loses nothing: a watch goes on where it was', LONG, async () => {
    await store.transact(put('/a', '1'));
    const { lines } = mirror(store);
    await eventually(() => expect(lines).toEqual(['+/a=1', 'synced']), 5000);
    await etcd.crash();
    await expect(store.get('/a')).rejects.toMatchObject({ name: 'UnavailableError' });
    await etcd.start();
    await etcd.ctl('put', '/b', '2');
    await eventually(() => expect(lines).toEqual(['+/a=1', 'synced', '+/b=2']), 5000);
    expect((await store.get('/a'))?.value).toBe('1');
  });

  test('a client that starts before it waits for it', LONG, async () => {
    await etcd.crash();
    await using early = await openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] });
    const { lines } = mirror(early);
    await etcd.start();
    await eventually(() => expect(lines).toEqual(['synced']), 5000);
  });
});

describe('a black hole: packets dropped, the connection kept', () => {
  test('is noticed within 10 s even if nobody calls; then the watch catches up', LONG, async () => {
    const endpoints = [`127.0.0.1:${etcd.secondPort}`];
    await using cut = await openDatastore({ type: 'etcd', endpoints });
    const { lines } = mirror(cut);
    await eventually(() => expect(lines).toEqual(['synced']), 5000);
    {
      await using _hole = await blackHole(etcd.secondPort);
      await etcd.ctl('put', '/a', '1');
      const isClosed = async () => expect(await connections(etcd.secondPort)).toBe(0);
      expect(await eventually(isClosed, 15_000)).toBeLessThan(10_000);
    }
    await eventually(() => expect(lines).toEqual(['synced', '+/a=1']), 10_000);
  });

  test('with a second member: changes arrive within 10 s of the cut', LONG, async () => {
    const endpoints = [`127.0.0.1:${etcd.secondPort}`, etcd.endpoint];
    // Which member a client starts with is left to chance: of three, one is likely to be cut off.
    await using one = await openDatastore({ type: 'etcd', endpoints });
    await using two = await openDatastore({ type: 'etcd', endpoints });
    await using three = await openDatastore({ type: 'etcd', endpoints });
    const mirrors = [one, two, three].map(mirror);
    for (const { lines } of mirrors)
      await eventually(() => expect(lines).toEqual(['synced']), 5000);
    await using _hole = await blackHole(etcd.secondPort);
    await etcd.ctl('put', '/a', '1');
    for (const client of [one, two, three]) expect((await client.get('/a'))?.value).toBe('1');
    const noticed = await eventually(() => {
      for (const { lines } of mirrors) expect(lines).toContain('+/a=1');
    }, 10_000);
    expect(noticed).toBeLessThan(10_000);
  });

  test('a lease that cannot be kept is lost in time, and its key goes', LONG, async () => {
    await using cut = await openDatastore({
      type: 'etcd',
      endpoints: [`127.0.0.1:${etcd.secondPort}`],
      deadlineMs: 1500,
    });
    const lease = await cut.lease(3);
    await cut.transact({
      conditions: [],
      operations: [{ type: 'put', key: '/mine', value: '', lease: lease.id }],
    });
    await using _hole = await blackHole(etcd.secondPort);
    const lost = await eventually(() => expect(lease.lost.aborted).toBe(true), 5000);
    expect(lost).toBeLessThan(3500);
    await eventually(async () => expect(await store.get('/mine')).toBeUndefined(), 10_000);
  });
});

test('a lease that somebody else revokes is lost, and says so', LONG, async () => {
  const lease = await store.lease(3);
  await etcd.ctl('lease', 'revoke', BigInt(lease.id).toString(16));
  await eventually(() => expect(lease.lost.aborted).toBe(true), 3000);
});

describe('compaction while a watch is away', () => {
  test('the difference is reported, deletions among it', LONG, async () => {
    await store.transact(put('/gone', '1'));
    await store.transact(put('/changed', '1'));
    await store.transact(put('/same', '1'));
    await using cut = await openDatastore({
      type: 'etcd',
      endpoints: [`127.0.0.1:${etcd.secondPort}`],
    });
    const { lines } = mirror(cut);
    await eventually(() => expect(lines).toContain('synced'), 5000);
    lines.length = 0;
    {
      await using _hole = await blackHole(etcd.secondPort);
      await etcd.ctl('del', '/gone');
      await etcd.ctl('put', '/changed', '2');
      await etcd.ctl('put', '/new', '1');
      await etcd.compact();
      // Until keepalive has closed the connection: else TCP itself would deliver what was dropped.
      const called = performance.now();
      await expect(cut.get('/a')).rejects.toMatchObject({ name: 'UnavailableError' });
      expect(performance.now() - called).toBeLessThan(6000);
      await eventually(async () => expect(await connections(etcd.secondPort)).toBe(0), 15_000);
    }
    await eventually(() => {
      expect(lines.toSorted()).toEqual(['+/changed=2', '+/new=1', '-/gone']);
    }, 10_000);
  });
});

/** Established connections of this process to a port. (etcd has one to itself.) */
async function connections(port: number): Promise<number> {
  const { stdout } = await run('ss', ['-Htnp', 'state', 'established', `dport = :${port}`]);
  return stdout.split('\n').filter((text) => text.includes(`pid=${process.pid},`)).length;
}

describe('several members', () => {
  test('a dead one is passed over', async () => {
    const endpoints = ['127.0.0.1:9', etcd.endpoint];
    for (let i = 0; i < 4; i++) {
      await using client = await openDatastore({ type: 'etcd', endpoints });
      await client.transact(put('/a', String(i)));
      expect((await client.get('/a'))?.value).toBe(String(i));
    }
  });
});

describe('users', () => {
  test(
    'log in, again after their token is gone, and are refused what is not theirs',
    LONG,
    async () => {
      await using own = await EtcdProcess.start();
      await own.ctl('user', 'add', 'root:secret');
      await own.ctl('user', 'add', 'host:pw');
      await own.ctl('role', 'add', 'host');
      await own.ctl('role', 'grant-permission', 'host', '--prefix=true', 'readwrite', '/calico/');
      await own.ctl('user', 'grant-role', 'host', 'host');
      await own.ctl('user', 'grant-role', 'root', 'root');
      await own.ctl('auth', 'enable');
      const options = { type: 'etcd', endpoints: [own.endpoint] } as const;
      await using client = await openDatastore({ ...options, username: 'host', password: 'pw' });
      await client.transact(put('/calico/a', '1'));
      const lines: string[] = [];
      const follow = async (): Promise<void> => {
        for await (const change of client.watch('/calico/', stop.signal))
          lines.push(lineOf(change));
      };
      const following = follow();
      await eventually(() => expect(lines).toContain('synced'), 5000);
      await expect(client.get('/other')).rejects.toMatchObject({ name: 'AccessDeniedError' });
      await expect(client.get('/other')).rejects.toThrow('permission denied: reading /other');
      await expect(client.list('/other/')).rejects.toThrow('permission denied: listing /other/');
      const write = client.transact(put('/other', ''));
      await expect(write).rejects.toMatchObject({ name: 'AccessDeniedError' });
      await expect(write).rejects.toThrow('permission denied: writing /other');
      const elsewhere = client.watch('/other/', stop.signal)[Symbol.asyncIterator]();
      await expect(elsewhere.next()).rejects.toMatchObject({ name: 'AccessDeniedError' });
      // Tokens are in the memory of the member.
      await own.crash();
      own.useCtlArgs('--user', 'root:secret');
      await own.start();
      await client.transact(put('/calico/b', '2'));
      await eventually(() => expect(lines).toContain('+/calico/b=2'), 10_000);
      await using wrong = await openDatastore({ ...options, username: 'host', password: 'no' });
      await expect(wrong.get('/calico/a')).rejects.toMatchObject({ name: 'AccessDeniedError' });
      await using nobody = await openDatastore(options);
      await expect(nobody.get('/calico/a')).rejects.toMatchObject({ name: 'AccessDeniedError' });
      stop.abort();
      await following;
    },
  );
});

test('a full etcd is named; what is there can be read', LONG, async () => {
  await using small = await EtcdProcess.start({ args: ['--quota-backend-bytes', '1000000'] });
  await using client = await openDatastore({ type: 'etcd', endpoints: [small.endpoint] });
  await client.transact(put('/a', 'kept'));
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await client.transact(put(`/fill/${i}`, 'x'.repeat(50_000)));
  };
  await expect(fill()).rejects.toThrow('etcd is out of space (NOSPACE)');
  expect((await client.get('/a'))?.value).toBe('kept');
});

test('TLS with client certificates', LONG, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'overland-tls-'));
  try {
    const server = await selfSigned(directory, 'server');
    const client = await selfSigned(directory, 'client');
    const stranger = await selfSigned(directory, 'stranger');
    await using own = await EtcdProcess.start({
      scheme: 'https',
      args: ['--cert-file', server.cert, '--key-file', server.key, '--client-cert-auth'].concat([
        '--trusted-ca-file',
        client.cert,
      ]),
      ctlArgs: ['--cacert', server.cert, '--cert', client.cert, '--key', client.key],
    });
    const options = { type: 'etcd', endpoints: [own.endpoint], deadlineMs: 1500 } as const;
    const files = { caCertFile: server.cert, certFile: client.cert, keyFile: client.key };
    await using good = await openDatastore({ ...options, ...files });
    await good.transact(put('/a', '1'));
    expect((await good.get('/a'))?.value).toBe('1');
    await using inline = await openDatastore({
      ...options,
      caCert: await readFile(server.cert, 'utf8'),
      cert: await readFile(client.cert, 'utf8'),
      key: await readFile(client.key, 'utf8'),
    });
    expect((await inline.get('/a'))?.value).toBe('1');
    const others = [
      { ...files, caCertFile: client.cert },
      { ...files, certFile: stranger.cert, keyFile: stranger.key },
      { ...files, certFile: join(directory, 'missing.pem') },
    ];
    for (const wrong of others) {
      await using bad = await openDatastore({ ...options, ...wrong });
      await expect(bad.get('/a')).rejects.toMatchObject({ name: 'UnavailableError' });
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
