import { expect, test } from 'vitest';
import { discoverEndpoints } from './discover-endpoints.ts';

/** A DNS that has these records and nothing else. */
function dns(records: Readonly<Record<string, readonly [priority: number, target: string][]>>) {
  return async (name: string) => {
    const found = records[name];
    if (!found) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
    return found.map(([priority, target]) => {
      const [host = '', port] = target.split(':');
      return { name: host, port: Number(port), priority };
    });
  };
}

test('members are found by SRV records, the lowest priority first', async () => {
  const resolve = dns({
    '_etcd-client._tcp.example.org': [
      [20, 'c:2379'],
      [10, 'a:2379'],
    ],
  });
  expect(await discoverEndpoints('example.org', resolve)).toEqual([
    { target: 'a:2379', isTls: false },
    { target: 'c:2379', isTls: false },
  ]);
});

test('where there are records with TLS, those without are not taken', async () => {
  const resolve = dns({
    '_etcd-client-ssl._tcp.example.org': [[0, 'safe:2379']],
    '_etcd-client._tcp.example.org': [[0, 'plain:2379']],
  });
  expect(await discoverEndpoints('example.org', resolve)).toEqual([
    { target: 'safe:2379', isTls: true },
  ]);
});

test('no records, and no answer, are named', async () => {
  await expect(discoverEndpoints('example.org', dns({}))).rejects.toThrow(
    'no SRV records _etcd-client-ssl._tcp.example.org',
  );
  const silent = async () => {
    throw Object.assign(new Error(''), { code: 'ETIMEOUT' });
  };
  const attempt = discoverEndpoints('example.org', silent);
  await expect(attempt).rejects.toThrow('cannot be looked up: ETIMEOUT');
  await expect(attempt).rejects.toMatchObject({ name: 'UnavailableError' });
});
