import {
  type BgpPeer,
  HIDDEN,
  HIDDEN_CHANGED,
  parseManifest,
  stringifyJson,
} from '@overland/model';
import { describe, expect, test } from 'vitest';
import { EtcdDatastore } from '../etcd/etcd-datastore.ts';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import { prefixedDatastore } from '../prefixed-datastore.ts';
import { readOnlyDatastore } from '../read-only-datastore.ts';
import { ResourceClient } from './resource-client.ts';

const SECRET = 'correct horse';
const KEY = '/overland/v1/extensions/bgppeers/leaf11';
const name = { name: 'leaf11' };

function manifest(password: object | undefined, spec: object = {}): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'BGPPeer',
    metadata: name,
    spec: { peerIP: '10.0.0.1', asNumber: 65011, password, ...spec },
  };
}

const peer = (password?: object, spec?: object) =>
  parseManifest(manifest(password, spec)) as BgpPeer;

function open() {
  const store = new MemoryDatastore();
  const client = new ResourceClient(store);
  const stored = async (): Promise<unknown> => {
    const entry = await store.get(KEY);
    return entry && JSON.parse(entry.value).spec;
  };
  const apply = (written: object) => client.apply(parseManifest(written), written);
  return { store, client, stored, apply };
}

describe('a password in the datastore', () => {
  test('stands apart from the object that Calico reads, and is never handed out', async () => {
    const { store, client, stored } = open();
    const stop = new AbortController();
    const made = await client.create(peer({ value: SECRET }));
    const seen: unknown[] = [
      made,
      await client.get('BGPPeer', name),
      await client.list('BGPPeer'),
      await client.update({ ...made, spec: { ...made.spec, asNumber: made.spec.asNumber } }),
      await client.apply(peer(undefined, { holdTime: '9s' })),
      await client.planApply(peer({ value: 'another' })),
    ];
    for await (const change of client.watch('BGPPeer', stop.signal)) {
      seen.push(change);
      if (change.type === 'synced') break;
    }
    expect(made.spec.password).toEqual({ value: HIDDEN });
    expect(await stored()).toMatchObject({ password: { value: SECRET } });
    const base = await store.get('/calico/resources/v3/projectcalico.org/bgppeers/leaf11');
    expect(base?.value).not.toContain('password');
    seen.push(await client.delete('BGPPeer', name));
    expect(stringifyJson(seen)).not.toContain(SECRET);
    expect(stringifyJson(seen)).not.toContain('another');
  });

  test('is kept by an apply that does not give one, and by what was read and written back', async () => {
    const { store, client, stored, apply } = open();
    await apply(manifest({ value: SECRET }));
    await apply(manifest(undefined, { holdTime: '9s' }));
    expect(await stored()).toEqual({ holdTime: '9s', password: { value: SECRET } });
    const read = await client.get('BGPPeer', name);
    if (!read) throw new Error('it was applied');
    await client.update({ ...read, spec: { ...read.spec, passive: true } });
    await apply(JSON.parse(stringifyJson(read)) as object);
    expect(await stored()).toMatchObject({ password: { value: SECRET } });
    const record = await store.get('/overland/v1/applied/bgppeers/leaf11');
    expect(record?.value).not.toContain(SECRET);
  });

  test('is replaced, removed, or given up for a file', async () => {
    const { stored, apply } = open();
    await apply(manifest({ value: SECRET }));
    await apply(manifest({ value: 'new' }));
    expect(await stored()).toEqual({ password: { value: 'new' } });
    await apply(manifest({ file: '/etc/overland/leaf11' }));
    expect(await stored()).toEqual({ password: { file: '/etc/overland/leaf11' } });
    await apply(manifest({ value: SECRET }));
    await apply(manifest({ value: '' }));
    expect(await stored()).toBeUndefined();
  });

  test('a plan says that it would change', async () => {
    const { client, apply } = open();
    await apply(manifest({ value: SECRET }));
    const changed = await client.planApply(peer({ value: 'new' }));
    expect(changed).toMatchObject({
      outcome: 'updated',
      before: { spec: { password: { value: HIDDEN } } },
      resource: { spec: { password: { value: HIDDEN_CHANGED } } },
    });
    expect(await client.planApply(peer({ value: HIDDEN }))).toMatchObject({ outcome: 'unchanged' });
  });

  test('the mark is no password', async () => {
    const { client } = open();
    await expect(client.create(peer({ value: HIDDEN }))).rejects.toThrow(
      'spec.password.value must be the secret itself: there is none yet that could be kept',
    );
  });

  test('is not sent where others could read it; other fields are', async () => {
    const memory = new MemoryDatastore();
    const client = new ResourceClient(Object.assign(memory, { isPrivate: false }));
    const refused = 'spec.password.value must not be sent to an etcd without TLS';
    await expect(client.create(peer({ value: SECRET }))).rejects.toThrow(refused);
    await client.create(peer({ file: '/p' }));
    await expect(client.apply(peer({ value: SECRET }))).rejects.toThrow(refused);
    await client.apply(peer({ file: '/p' }, { holdTime: '9s' }));
    expect(stringifyJson((await memory.list('/')).entries)).not.toContain(SECRET);
  });
});

describe('the way to a datastore', () => {
  test.each([
    [['https://etcd1:2379', 'https://etcd2:2379'], true],
    [['http://etcd1:2379'], false],
    [['127.0.0.1:2379'], false],
  ])('%j: private %s', async (endpoints, isPrivate) => {
    await using store = new EtcdDatastore({ endpoints });
    expect(store.isPrivate).toBe(isPrivate);
    expect(prefixedDatastore(store, '/a').isPrivate).toBe(isPrivate);
    expect(readOnlyDatastore(store).isPrivate).toBe(isPrivate);
  });

  test('members named by DNS alone are not private: nobody has signed its answer', async () => {
    await using store = new EtcdDatastore({ discoverySrv: 'example.org' });
    expect(store.isPrivate).toBe(false);
  });
});
