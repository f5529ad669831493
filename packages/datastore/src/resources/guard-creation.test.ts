import { blockKey, type IpPool, parseManifest, stringifyJson } from '@overland/model';
import { parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import { MemoryStore } from '../memory/memory-store.ts';
import { ResourceClient } from './resource-client.ts';

function pool(name: string, cidr: string, spec: object = {}): IpPool {
  return parseManifest({
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name },
    spec: { cidr, ...spec },
  }) as IpPool;
}

function open(): { readonly store: MemoryDatastore; readonly client: ResourceClient } {
  const store = new MemoryDatastore();
  return { store, client: new ResourceClient(store) };
}

async function putBlock(store: MemoryDatastore, cidr: string): Promise<void> {
  const value = stringifyJson({ cidr });
  const operation = { type: 'put', key: blockKey(parsePrefix(cidr)), value } as const;
  await store.transact({ conditions: [], operations: [operation] });
}

describe('a new pool', () => {
  test.each([
    ['within another', '10.65.4.0/24'],
    ['around another', '10.0.0.0/8'],
    ['the same as another', '10.65.0.0/16'],
  ])('%s is refused, and the other is named', async (_name, cidr) => {
    const { client } = open();
    await client.create(pool('rack1', '10.65.0.0/16'));
    const attempt = client.create(pool('rack2', cidr));
    await expect(attempt).rejects.toThrow(
      'IPPool(rack2): spec.cidr must not overlap the pool rack1 (10.65.0.0/16)',
    );
    const planned = client.planApply(pool('rack2', cidr));
    await expect(planned).rejects.toThrow('must not overlap the pool rack1');
    await expect(client.apply(pool('rack2', cidr))).rejects.toThrow('must not overlap');
    expect((await client.list('IPPool')).resources).toHaveLength(1);
  });

  test('beside others, and of the other family, is taken', async () => {
    const { client } = open();
    await client.create(pool('rack1', '10.65.0.0/16'));
    await client.create(pool('rack2', '10.66.0.0/16'));
    await client.create(pool('six', 'fd00:65::/48'));
    expect((await client.list('IPPool')).resources).toHaveLength(3);
  });

  test('over blocks of another size is refused; over blocks of its own size it is taken', async () => {
    const { store, client } = open();
    await putBlock(store, '10.65.0.64/26');
    await putBlock(store, '10.66.0.64/28');
    await expect(client.create(pool('rack1', '10.65.0.0/16', { blockSize: 28 }))).rejects.toThrow(
      'spec.blockSize must be 26: there are blocks of that size in the range, as 10.65.0.64/26, not 28',
    );
    await client.create(pool('rack1', '10.65.0.0/16'));
  });

  test('of two that overlap and are created at once, one is refused', async () => {
    const shared = new MemoryStore();
    const clients = [0, 1, 2].map(() => new ResourceClient(new MemoryDatastore(shared)));
    const attempts = clients.map((client, i) => client.create(pool(`rack${i}`, '10.65.0.0/16')));
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await clients[0]?.list('IPPool'))?.resources).toHaveLength(1);
  });

  test('an existing pool that overlaps another can still be changed', async () => {
    const { store, client } = open();
    await client.create(pool('rack1', '10.65.0.0/16'));
    const key = '/calico/resources/v3/projectcalico.org/ippools/inner';
    const value = stringifyJson({ ...pool('inner', '10.65.4.0/24') });
    await store.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
    const { outcome } = await client.apply(pool('inner', '10.65.4.0/24', { disabled: true }));
    expect(outcome).toBe('updated');
  });
});
