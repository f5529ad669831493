import { openDatastore } from '@overland/datastore';
import { EtcdProcess } from '@overland/datastore/testing';
import { createCollector, describeFinding } from '@overland/ipam';
import { affinityKey, handleKey, hostAccess } from '@overland/model';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { eventually, mirrorOf, put } from './support/datastore-mirror.ts';
import { serveSrv } from './support/srv-server.ts';

const LONG = { timeout: 30_000 };

test('members are found by SRV records, and found anew when they have moved', LONG, async () => {
  await using first = await EtcdProcess.start();
  await using second = await EtcdProcess.start();
  const portOf = ({ endpoint }: EtcdProcess): string => new URL(endpoint).port;
  const records = { '_etcd-client._tcp.example.org': [`localhost:${portOf(first)}`] };
  await using _dns = await serveSrv(records);
  await using store = await openDatastore({ type: 'etcd', discoverySrv: 'example.org' });
  await store.transact(put('/a', 'first'));
  expect(await first.ctl('get', '/a', '--print-value-only')).toBe('first\n');
  records['_etcd-client._tcp.example.org'] = [`localhost:${portOf(second)}`];
  await first.crash();
  await eventually(() => store.transact(put('/a', 'second')).then(() => undefined), 10_000);
  expect(await second.ctl('get', '/a', '--print-value-only')).toBe('second\n');
  await using lost = await openDatastore({ type: 'etcd', discoverySrv: 'example.net' });
  await expect(lost.get('/a')).rejects.toThrow(
    'no SRV records _etcd-client-ssl._tcp.example.net or _etcd-client._tcp.example.net',
  );
});

test('a token that has expired is asked for anew', LONG, async () => {
  await using etcd = await EtcdProcess.start({ args: ['--auth-token-ttl', '1'] });
  await etcd.ctl('user', 'add', 'root:secret');
  await etcd.ctl('user', 'grant-role', 'root', 'root');
  await etcd.ctl('auth', 'enable');
  etcd.useCtlArgs('--user', 'root:secret');
  const user = { username: 'root', password: 'secret' };
  await using store = await openDatastore({ type: 'etcd', endpoints: [etcd.endpoint], ...user });
  const stop = new AbortController();
  await store.transact(put('/a', '1'));
  const { lines } = mirrorOf(store, stop.signal);
  await eventually(() => expect(lines).toEqual(['+/a=1', 'synced']), 5000);
  // A lease that nobody keeps, and that is longer than the token lives unused, is the clock of this test.
  const granted = await etcd.ctl('lease', 'grant', '2');
  const lease = /lease (\w+)/.exec(granted)?.[1] ?? '';
  await etcd.ctl('put', '/clock', '', '--lease', lease);
  await eventually(() => expect(lines).toContain('-/clock'), 10_000);
  await store.transact(put('/a', '2'));
  await eventually(() => expect(lines.at(-1)).toBe('+/a=2'), 5000);
  stop.abort();
});

test('a key prefix keeps two clusters in one etcd apart', LONG, async () => {
  await using etcd = await EtcdProcess.start();
  const open = (keyPrefix: string) =>
    openDatastore({ type: 'etcd', endpoints: [etcd.endpoint], keyPrefix });
  await using one = await open('/site-1');
  await using ten = await open('/site-10');
  const stop = new AbortController();
  const { lines } = mirrorOf(one, stop.signal);
  await one.transact(put('/calico/a', '1'));
  await ten.transact(put('/calico/a', '10'));
  await one.transact(put('/calico/b', '1'));
  await eventually(() => expect(lines).toContain('+/calico/b=1'), 5000);
  expect(lines.filter((line) => line.startsWith('+/calico/a'))).toEqual(['+/calico/a=1']);
  expect(
    (await etcd.ctl('get', '--prefix', '--keys-only', '/')).split(/\s+/).filter(Boolean),
  ).toEqual(['/site-1/calico/a', '/site-1/calico/b', '/site-10/calico/a']);
  stop.abort();
});

test(
  'a host that may repair gives back what hosts that are gone have left; others may not',
  LONG,
  async () => {
    await using etcd = await EtcdProcess.start();
    const claim = affinityKey({ type: 'host', name: 'gone' }, parsePrefix('10.65.0.0/26'));
    const handle = handleKey('k8s-pod-network.gone');
    await etcd.ctl('put', claim, JSON.stringify({ state: 'confirmed', deleted: false }));
    await etcd.ctl('put', handle, JSON.stringify({ block: { '10.65.0.0/26': 1 }, deleted: false }));
    for (const [name, repairs] of [
      ['plain', false],
      ['repairs', true],
    ] as const) {
      await etcd.ctl('role', 'add', name);
      for (const { access, from, to } of hostAccess({ name, repairs })) {
        const keys = to === undefined ? [from] : [from, to];
        await etcd.ctl('role', 'grant-permission', name, access, ...keys);
      }
      await etcd.ctl('user', 'add', `${name}:pw`);
      await etcd.ctl('user', 'grant-role', name, name);
    }
    await etcd.ctl('user', 'add', 'root:secret');
    await etcd.ctl('user', 'grant-role', 'root', 'root');
    await etcd.ctl('auth', 'enable');
    etcd.useCtlArgs('--user', 'root:secret');

    const collectTwiceAs = async (username: string): Promise<string[]> => {
      const user = { username, password: 'pw' };
      await using datastore = await openDatastore({
        type: 'etcd',
        endpoints: [etcd.endpoint],
        ...user,
      });
      let clock = Date.now();
      const now = () => new Date(clock);
      const collector = createCollector({ datastore, now, graceSeconds: 60 });
      await collector.collect();
      clock += 61_000;
      return (await collector.collect()).repaired.map(describeFinding);
    };
    await expect(collectTwiceAs('plain')).rejects.toThrow('permission denied: writing');
    expect(await collectTwiceAs('repairs')).toHaveLength(2);
    expect(await etcd.ctl('get', '--prefix', '--keys-only', '/calico/ipam/')).toBe('');
  },
);
