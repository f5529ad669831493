import {
  type BgpPeer,
  type IpPool,
  parseManifest,
  stringifyJson,
  ValidationError,
} from '@overland/model';
import { describe, expect, test } from 'vitest';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import { ResourceClient } from './resource-client.ts';
import type { ResourceChange } from './resource-watch.ts';

function open(): { readonly store: MemoryDatastore; readonly client: ResourceClient } {
  const store = new MemoryDatastore();
  let made = 0;
  const client = new ResourceClient(store, {
    randomUuid: () => `uid-${++made}`,
    now: () => new Date('2026-01-05T10:00:00.123Z'),
  });
  return { store, client };
}

function pool(spec: Partial<IpPool['spec']> = {}, name = 'rack1'): IpPool {
  return parseManifest({
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name },
    spec: { cidr: '10.65.0.0/16', ...spec },
  }) as IpPool;
}

function peer(spec: Record<string, unknown> = {}): BgpPeer {
  return parseManifest({
    apiVersion: 'projectcalico.org/v3',
    kind: 'BGPPeer',
    metadata: { name: 'leaf11' },
    spec: { peerIP: '10.0.0.1', asNumber: '65011', holdTime: '3s', passive: true, ...spec },
  }) as BgpPeer;
}

const POOL_KEY = '/calico/resources/v3/projectcalico.org/ippools/rack1';
const PEER_KEY = '/calico/resources/v3/projectcalico.org/bgppeers/leaf11';
const EXTENSION_KEY = '/overland/v1/extensions/bgppeers/leaf11';

async function json(store: MemoryDatastore, key: string): Promise<unknown> {
  const entry = await store.get(key);
  return entry && JSON.parse(entry.value);
}

async function put(store: MemoryDatastore, key: string, value: unknown): Promise<void> {
  const operation = { type: 'put', key, value: stringifyJson(value) } as const;
  await store.transact({ conditions: [], operations: [operation] });
}

describe('create', () => {
  test('sets uid, time and version; the version is not stored', async () => {
    const { store, client } = open();
    const made: IpPool = await client.create(pool());
    const revision = (await store.get(POOL_KEY))?.revision;
    expect(made.metadata).toEqual({
      name: 'rack1',
      uid: 'uid-1',
      creationTimestamp: '2026-01-05T10:00:00Z',
      resourceVersion: revision,
    });
    expect(await json(store, POOL_KEY)).toEqual({
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name: 'rack1', uid: 'uid-1', creationTimestamp: '2026-01-05T10:00:00Z' },
      spec: pool().spec,
    });
    expect(await client.get('IPPool', { name: 'rack1' })).toEqual(made);
  });

  test('does not overwrite', async () => {
    const { client } = open();
    await client.create(pool());
    await expect(client.create(pool())).rejects.toThrow('IPPool(rack1) exists already');
  });

  test('checks the rules again', async () => {
    const { client } = open();
    const bad = { ...pool(), spec: { ...pool().spec, blockSize: 8 } };
    await expect(client.create(bad)).rejects.toBeInstanceOf(ValidationError);
  });
});

describe('update', () => {
  test('two writers on one object: one wins, the other is told both versions', async () => {
    const { client } = open();
    const read = await client.create(pool());
    const won = await client.update({ ...read, spec: { ...read.spec, disabled: true } });
    expect(won.spec.disabled).toBe(true);
    const late = client.update({ ...read, spec: { ...read.spec, natOutgoing: true } });
    await expect(late).rejects.toMatchObject({
      name: 'ResourceConflictError',
      expected: read.metadata.resourceVersion,
      actual: won.metadata.resourceVersion,
    });
    expect(await client.get('IPPool', { name: 'rack1' })).toEqual(won);
  });

  test('what must not change, cannot', async () => {
    const { client } = open();
    const read = await client.create(pool());
    const attempt = client.update({ ...read, spec: { ...read.spec, blockSize: 28 } });
    await expect(attempt).rejects.toThrow('spec.blockSize must stay 26');
  });

  test('needs the version that was read, and an object', async () => {
    const { client } = open();
    await expect(client.update(pool())).rejects.toThrow('metadata.resourceVersion is required');
    const read = await client.create(pool());
    await client.delete('IPPool', { name: 'rack1' });
    await expect(client.update(read)).rejects.toMatchObject({ name: 'ResourceNotFoundError' });
    await client.create(pool());
    await expect(client.update(read)).rejects.toMatchObject({ name: 'ResourceConflictError' });
  });

  test('keeps what it does not know, and rules that were broken before', async () => {
    const { store, client } = open();
    const stored = {
      kind: 'IPPool',
      apiVersion: 'projectcalico.org/v3',
      metadata: { name: 'rack1', uid: 'u', creationTimestamp: null, later: 1 },
      spec: { cidr: '10.65.0.0/16', ipipMode: 'Always', natOutgoing: null, later: [null] },
    };
    await put(store, POOL_KEY, stored);
    const read = await client.get('IPPool', { name: 'rack1' });
    if (!read) throw new Error('it was put');
    await client.update({ ...read, spec: { ...read.spec, disabled: true } });
    expect(await json(store, POOL_KEY)).toEqual({
      ...stored,
      spec: { ...stored.spec, disabled: true },
    });
  });
});

describe('apply', () => {
  test('an object that is new is made by one transaction, without a read', async () => {
    const { store } = open();
    const calls: string[] = [];
    const counted = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          calls.push(String(name));
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
    const client = new ResourceClient(counted);
    await client.apply(peer());
    expect(calls).toEqual(['transact']);
    await client.apply(peer());
    expect(calls.slice(1)).toEqual(['transact', 'get', 'get']);
  });

  test('an object that could not be made, but stands, can be applied to', async () => {
    const { store, client } = open();
    const spec = { cidr: '10.65.0.0/16', ipipMode: 'Always' };
    const encapsulated = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool' as const, spec };
    await put(store, POOL_KEY, { ...encapsulated, metadata: { name: 'rack1', uid: 'u' } });
    const stored = await client.get('IPPool', { name: 'rack1' });
    if (!stored) throw new Error('it was put');
    const { outcome } = await client.apply({ ...stored, spec: { ...stored.spec, disabled: true } });
    expect(outcome).toBe('updated');
    await client.delete('IPPool', { name: 'rack1' });
    await expect(client.apply(stored)).rejects.toBeInstanceOf(ValidationError);
  });

  test('creates, leaves alone, updates', async () => {
    const { client } = open();
    expect((await client.apply(pool())).outcome).toBe('created');
    expect((await client.apply(pool())).outcome).toBe('unchanged');
    const { outcome, resource } = await client.apply(pool({ disabled: true }));
    expect(outcome).toBe('updated');
    expect(resource).toMatchObject({ metadata: { uid: 'uid-1' }, spec: { disabled: true } });
  });

  test('keeps the status', async () => {
    const { client } = open();
    await client.create({ ...pool(), status: { conditions: [1] } });
    const { resource } = await client.apply(pool({ disabled: true }));
    expect(resource.status).toEqual({ conditions: [1] });
  });
});

describe('a version that is expected', () => {
  test('is compared by apply, replace and delete, which name both versions', async () => {
    const { client } = open();
    const made = await client.create(pool());
    const { resource: now } = await client.apply(pool({ natOutgoing: true }));
    const old = made.metadata.resourceVersion ?? '';
    const current = now.metadata.resourceVersion ?? '';
    const conflict = { name: 'ResourceConflictError', expected: old, actual: current };
    const wanted = pool({ disabled: true });
    await expect(client.apply(wanted, wanted, { expected: old })).rejects.toMatchObject(conflict);
    await expect(client.replace(wanted, old)).rejects.toMatchObject(conflict);
    await expect(client.delete('IPPool', wanted.metadata, old)).rejects.toMatchObject(conflict);
    expect(await client.get('IPPool', wanted.metadata)).toEqual(now);
    expect((await client.apply(wanted, wanted, { expected: current })).outcome).toBe('updated');
  });

  test('of an object that is gone is not made up', async () => {
    const { client } = open();
    const wanted = pool();
    await expect(client.apply(wanted, wanted, { expected: '7' })).rejects.toMatchObject({
      name: 'ResourceNotFoundError',
    });
    await expect(client.replace(wanted)).rejects.toMatchObject({ name: 'ResourceNotFoundError' });
  });
});

describe('modify', () => {
  test('of two writers at once, the later starts again from what the other has left', async () => {
    const { client } = open();
    await client.create(pool());
    let rounds = 0;
    const set = (field: Partial<IpPool['spec']>) =>
      client.modify('IPPool', { name: 'rack1' }, (before) => {
        rounds++;
        return { ...before, spec: { ...before.spec, ...field } };
      });
    await Promise.all([set({ disabled: true }), set({ natOutgoing: true })]);
    expect(rounds).toBe(3);
    const after = await client.get('IPPool', { name: 'rack1' });
    expect(after?.spec).toMatchObject({ disabled: true, natOutgoing: true });
  });
});

describe('pages', () => {
  test('join both halves across their bounds, and end at one revision', async () => {
    const { store, client } = open();
    const names = Array.from({ length: 1100 }, (_, i) => `leaf${String(i).padStart(4, '0')}`);
    for (const [i, name] of names.entries()) {
      const { holdTime: _, passive: _2, ...plain } = peer().spec;
      const spec = i % 500 === 3 ? { ...plain, holdTime: '7s' } : plain;
      await client.create({ ...peer(), metadata: { name }, spec } as BgpPeer);
    }
    await put(store, '/overland/v1/extensions/bgppeers/aaa-orphan', { uid: 'x', spec: {} });
    const sizes: number[] = [];
    const fast: string[] = [];
    for await (const { resources } of client.pages('BGPPeer')) {
      if (sizes.length === 0) await client.delete('BGPPeer', { name: 'leaf1099' });
      sizes.push(resources.length);
      for (const { metadata, spec } of resources) {
        if (spec.holdTime === '7s') fast.push(metadata.name);
      }
    }
    expect(sizes).toEqual([1000, 100]);
    expect(fast).toEqual(['leaf0003', 'leaf0503', 'leaf1003']);
    expect((await client.list('BGPPeer')).resources).toHaveLength(1099);
  });
});

describe('fields that Calico lacks', () => {
  test('are stored apart and joined on read', async () => {
    const { store, client } = open();
    const made = await client.create(peer());
    expect(await json(store, PEER_KEY)).toMatchObject({
      spec: { peerIP: '10.0.0.1', asNumber: 65011, sourceAddress: 'UseNodeIP' },
    });
    expect(JSON.stringify(await json(store, PEER_KEY))).not.toContain('holdTime');
    expect(await json(store, EXTENSION_KEY)).toEqual({
      uid: 'uid-1',
      spec: { holdTime: '3s', passive: true },
    });
    expect(await client.get('BGPPeer', { name: 'leaf11' })).toEqual(made);
    expect((await client.list('BGPPeer')).resources).toEqual([made]);
  });

  test("survive a rewrite by Calico's tools", async () => {
    const { store, client } = open();
    await client.create(peer());
    const base = (await json(store, PEER_KEY)) as { spec: object };
    await put(store, PEER_KEY, { ...base, spec: { ...base.spec, asNumber: 65099 } });
    const read = await client.get('BGPPeer', { name: 'leaf11' });
    expect(read?.spec).toMatchObject({ asNumber: 65099, holdTime: '3s', passive: true });
  });

  test('go with the object, and do not come back with the next one of its name', async () => {
    const { store, client } = open();
    await client.create(peer());
    await client.delete('BGPPeer', { name: 'leaf11' });
    expect(await store.get(EXTENSION_KEY)).toBeUndefined();
    await put(store, EXTENSION_KEY, { uid: 'of another', spec: { holdTime: '9s' } });
    await put(store, PEER_KEY, {
      apiVersion: 'projectcalico.org/v3',
      kind: 'BGPPeer',
      metadata: { name: 'leaf11', uid: 'from calicoctl' },
      spec: { peerIP: '10.0.0.1' },
    });
    const read = await client.get('BGPPeer', { name: 'leaf11' });
    expect(read?.spec.holdTime).toBeUndefined();
    if (!read) throw new Error('it was put');
    await client.update({ ...read, spec: { ...read.spec, passive: true } });
    expect(await json(store, EXTENSION_KEY)).toEqual({
      uid: 'from calicoctl',
      spec: { passive: true },
    });
  });

  test('that are removed leave no key behind; unknown ones of a newer version stay', async () => {
    const { store, client } = open();
    const made = await client.create(peer());
    const { holdTime: _1, passive: _2, ...spec } = made.spec;
    const plain = await client.update({ ...made, spec });
    expect(await store.get(EXTENSION_KEY)).toBeUndefined();
    await put(store, EXTENSION_KEY, { uid: 'uid-1', spec: { fromTheFuture: 1 } });
    await client.update({ ...plain, spec: { ...spec, holdTime: '9s' } });
    expect(await json(store, EXTENSION_KEY)).toEqual({
      uid: 'uid-1',
      spec: { holdTime: '9s', fromTheFuture: 1 },
    });
    expect(JSON.stringify(await json(store, PEER_KEY))).not.toContain('fromTheFuture');
  });
});

describe('IPAM kinds', () => {
  test('are a view of their own keys', async () => {
    const { store, client } = open();
    const key = '/calico/ipam/v2/host/h1/ipv4/block/10.65.0.0-26';
    await put(store, key, { state: 'confirmed', deleted: false });
    await put(store, '/calico/ipam/v2/host/h1', '');
    await put(store, '/calico/ipam/v2/handle/net.c1', { block: { '10.65.0.0/26': 1 } });
    const affinity = await client.get('BlockAffinity', { name: 'h1-10-65-0-0-26' });
    expect(affinity?.spec).toEqual({
      state: 'confirmed',
      node: 'h1',
      type: 'host',
      cidr: '10.65.0.0/26',
      deleted: false,
    });
    expect((await client.list('BlockAffinity')).resources).toHaveLength(1);
    const handle = await client.get('IPAMHandle', { name: 'net.c1' });
    expect(handle?.spec).toMatchObject({ handleID: 'net.c1', block: { '10.65.0.0/26': 1 } });
    const attempt = client.delete('BlockAffinity', { name: 'h1-10-65-0-0-26' });
    await expect(attempt).rejects.toMatchObject({ name: 'ReadOnlyKindError' });
  });

  test("the configuration is the one that Calico's allocator reads", async () => {
    const { store, client } = open();
    const manifest = parseManifest({
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPAMConfiguration',
      metadata: { name: 'default' },
      spec: { strictAffinity: true, maxBlocksPerHost: 4 },
    });
    await client.apply(manifest);
    const key = '/calico/ipam/v2/config';
    expect(await json(store, key)).toEqual({
      strict_affinity: true,
      auto_allocate_blocks: true,
      maxBlocksPerHost: 4,
      kubeVirtVMAddressPersistence: 'Enabled',
    });
    await put(store, key, { strict_affinity: true, later: 1 });
    const read = await client.get('IPAMConfiguration', { name: 'default' });
    expect(read?.spec).toMatchObject({ strictAffinity: true, autoAllocateBlocks: false });
    if (!read) throw new Error('it was put');
    await client.update({ ...read, spec: { ...read.spec, autoAllocateBlocks: true } });
    expect(await json(store, key)).toMatchObject({ auto_allocate_blocks: true, later: 1 });
  });
});

describe('watch', () => {
  /** `+name field`, `-name`, `!name`, `synced`. */
  function line(change: ResourceChange<'BGPPeer'>): string {
    if (change.type === 'synced') return 'synced';
    if (change.type === 'delete') return `-${change.name.name}`;
    if (change.type === 'invalid') return `!${change.name.name} ${change.error.faults[0]?.path}`;
    const { asNumber, holdTime } = change.resource.spec;
    return `+${change.name.name} ${asNumber} ${holdTime}`;
  }

  test('joins both halves, and names what it cannot read', async () => {
    const { store, client } = open();
    const stop = new AbortController();
    const made = await client.create(peer());
    const changes = client.watch('BGPPeer', stop.signal)[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value } = await changes.next();
      return value ? line(value) : 'ended';
    };
    expect([await next(), await next()]).toEqual(['+leaf11 65011 3s', 'synced']);
    await client.update({ ...made, spec: { ...made.spec, holdTime: '9s' } });
    let last = '';
    while (last !== '+leaf11 65011 9s') last = await next();
    await put(store, PEER_KEY, { ...peer(), spec: { nextHopMode: 'Sideways' } });
    while (!last.startsWith('!')) last = await next();
    expect(last).toBe('!leaf11 spec.nextHopMode');
    expect((await client.list('BGPPeer')).invalid).toMatchObject([
      { name: { name: 'leaf11' }, stored: { spec: { nextHopMode: 'Sideways' } } },
    ]);
    await client.delete('BGPPeer', { name: 'leaf11' });
    while (!last.startsWith('-')) last = await next();
    const end = changes.next();
    stop.abort();
    expect((await end).done).toBe(true);
  });
});
