import {
  type BgpPeer,
  type GlobalNetworkPolicy,
  parseManifest,
  stringifyJson,
} from '@overland/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import type { Applied, Planned } from './resource-client.ts';
import { ResourceClient } from './resource-client.ts';

const API = { apiVersion: 'projectcalico.org/v3' } as const;
const PEER_KEY = '/calico/resources/v3/projectcalico.org/bgppeers/leaf11';
const APPLIED_KEY = '/overland/v1/applied/bgppeers/leaf11';

function open() {
  const store = new MemoryDatastore();
  let made = 0;
  const client = new ResourceClient(store, {
    randomUuid: () => `uid-${++made}`,
    now: () => new Date('2026-01-05T10:00:00.123Z'),
  });
  const json = async (key: string): Promise<unknown> => {
    const entry = await store.get(key);
    return entry && JSON.parse(entry.value);
  };
  const put = async (key: string, value: unknown): Promise<void> => {
    const operation = { type: 'put', key, value: stringifyJson(value) } as const;
    await store.transact({ conditions: [], operations: [operation] });
  };
  /** As the command line does it. */
  const apply = (written: object): Promise<Applied<never>> =>
    client.apply(parseManifest(written), written) as Promise<Applied<never>>;
  const plan = (written: object): Promise<Planned<never>> =>
    client.planApply(parseManifest(written), written) as Promise<Planned<never>>;
  return { store, client, json, put, apply, plan };
}

function peer(spec: object, metadata: object = {}): object {
  return { ...API, kind: 'BGPPeer', metadata: { name: 'leaf11', ...metadata }, spec };
}

describe('apply', () => {
  test('keeps a record of what was stated beside the object, and nothing in it', async () => {
    const { json, apply } = open();
    const manifest = peer({ peerIP: '10.0.0.1', asNumber: '1.10' }, { labels: { rack: 'r1' } });
    expect((await apply(manifest)).outcome).toBe('created');
    expect(await json(PEER_KEY)).toEqual({
      ...API,
      kind: 'BGPPeer',
      metadata: {
        name: 'leaf11',
        uid: 'uid-1',
        creationTimestamp: '2026-01-05T10:00:00Z',
        labels: { rack: 'r1' },
      },
      spec: {
        peerIP: '10.0.0.1',
        asNumber: 65546,
        sourceAddress: 'UseNodeIP',
        reversePeering: 'Auto',
      },
    });
    expect(await json(APPLIED_KEY)).toEqual({
      uid: 'uid-1',
      stated: { metadata: { labels: { rack: true } }, spec: { peerIP: true, asNumber: true } },
      filled: { spec: { sourceAddress: 'UseNodeIP', reversePeering: 'Auto' } },
    });
  });

  test('a second time writes nothing', async () => {
    const { store, apply } = open();
    await apply(peer({ peerIP: '10.0.0.1', asNumber: 65001 }));
    const before = [await store.get(PEER_KEY), await store.get(APPLIED_KEY)];
    expect((await apply(peer({ peerIP: '10.0.0.1', asNumber: 65001 }))).outcome).toBe('unchanged');
    expect([await store.get(PEER_KEY), await store.get(APPLIED_KEY)]).toEqual(before);
  });

  test('takes back what it stated, keeps what others set, also after calicoctl rewrote it', async () => {
    const { client, json, put, apply } = open();
    await apply(
      peer({ peerIP: '10.0.0.1', asNumber: 65001, holdTime: '9s' }, { labels: { a: '1', b: '1' } }),
    );
    // calicoctl reads, changes and writes whole; what it does not know is lost to it.
    const { metadata, spec } = (await json(PEER_KEY)) as { metadata: object; spec: object };
    await put(PEER_KEY, {
      ...API,
      kind: 'BGPPeer',
      metadata: { ...metadata, labels: { a: '1', b: '1', theirs: 'x' }, annotations: { n: 'y' } },
      spec: { ...spec, nextHopMode: 'Self', asNumber: 65099 },
    });
    const { outcome } = await apply(peer({ peerIP: '10.0.0.1' }, { labels: { a: '2' } }));
    expect(outcome).toBe('updated');
    expect(await client.get('BGPPeer', { name: 'leaf11' })).toMatchObject({
      metadata: { uid: 'uid-1', labels: { a: '2', theirs: 'x' }, annotations: { n: 'y' } },
      spec: {
        peerIP: '10.0.0.1',
        nextHopMode: 'Self',
        sourceAddress: 'UseNodeIP',
        reversePeering: 'Auto',
      },
    });
    const after = (await json(PEER_KEY)) as { metadata: { labels: object }; spec: object };
    expect(Object.keys(after.metadata.labels)).toEqual(['a', 'theirs']);
    expect(after.spec).not.toHaveProperty('asNumber');
    expect(await json('/overland/v1/extensions/bgppeers/leaf11')).toBeUndefined();
  });

  test('replaces what was never applied, as calicoctl does, once; a controller keeps its finalizer', async () => {
    const { client, put, apply } = open();
    await put(PEER_KEY, {
      ...API,
      kind: 'BGPPeer',
      metadata: { name: 'leaf11', uid: 'u', labels: { old: '1' }, finalizers: ['theirs'] },
      spec: { peerIP: '10.0.0.1', asNumber: 65001, nextHopMode: 'Self' },
      status: { seen: true },
    });
    await apply(peer({ peerIP: '10.0.0.1', asNumber: 65001 }));
    const once = await client.get('BGPPeer', { name: 'leaf11' });
    expect(once?.spec).not.toHaveProperty('nextHopMode');
    expect(once?.metadata).toMatchObject({ uid: 'u', finalizers: ['theirs'] });
    expect(once?.metadata.labels).toBeUndefined();
    expect(once?.status).toEqual({ seen: true });
    if (!once) throw new Error('it was put');
    await client.update({ ...once, spec: { ...once.spec, nextHopMode: 'Keep' } });
    await apply(peer({ peerIP: '10.0.0.2', asNumber: 65001 }));
    const twice = await client.get('BGPPeer', { name: 'leaf11' });
    expect(twice?.spec).toMatchObject({ peerIP: '10.0.0.2', nextHopMode: 'Keep' });
  });

  test('an object that is as the manifest says is adopted without being written', async () => {
    const { store, client, apply } = open();
    const manifest = peer({ peerIP: '10.0.0.1', asNumber: 65001, nextHopMode: 'Self' });
    const made = await client.create(parseManifest(manifest));
    expect((await apply(manifest)).outcome).toBe('unchanged');
    expect((await store.get(PEER_KEY))?.revision).toBe(made.metadata.resourceVersion);
    await apply(peer({ peerIP: '10.0.0.1', asNumber: 65001 }));
    const after = await client.get('BGPPeer', { name: 'leaf11' });
    expect(after?.spec.nextHopMode).toBeUndefined();
  });

  test('a deleted object takes its record along; that of another one is not believed', async () => {
    const { store, client, put, apply } = open();
    await apply(peer({ peerIP: '10.0.0.1', asNumber: 65001 }));
    await client.delete('BGPPeer', { name: 'leaf11' });
    expect(await store.get(APPLIED_KEY)).toBeUndefined();
    await put(APPLIED_KEY, { uid: 'other', stated: { spec: { asNumber: true } }, filled: null });
    await put(PEER_KEY, {
      ...API,
      kind: 'BGPPeer',
      metadata: { name: 'leaf11', uid: 'u' },
      spec: { peerIP: '10.0.0.1', nextHopMode: 'Self' },
    });
    await apply(peer({ peerIP: '10.0.0.1' }));
    const after = await client.get('BGPPeer', { name: 'leaf11' });
    expect(after?.spec.nextHopMode).toBeUndefined();
  });

  test.each(['', '[]', '{"uid":'])('a record %j is no record', async (value) => {
    const { store, apply } = open();
    await apply(peer({ peerIP: '10.0.0.1', asNumber: 65001 }));
    const operation = { type: 'put', key: APPLIED_KEY, value } as const;
    await store.transact({ conditions: [], operations: [operation] });
    expect((await apply(peer({ peerIP: '10.0.0.1' }))).outcome).toBe('updated');
  });

  test('two that apply at once: both are told what came of it, and the record is of the last', async () => {
    const { client, json, apply } = open();
    await apply(peer({ peerIP: '10.0.0.1', asNumber: 1 }));
    const both = [
      peer({ peerIP: '10.0.0.1', asNumber: 2 }),
      peer({ peerIP: '10.0.0.1', node: 'n' }),
    ];
    const outcomes = await Promise.all(both.map((manifest) => apply(manifest)));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['updated', 'updated']);
    const { stated } = (await json(APPLIED_KEY)) as { stated: { spec: object } };
    const after = await client.get('BGPPeer', { name: 'leaf11' });
    const last = 'node' in stated.spec ? { node: 'n' } : { asNumber: 2 };
    expect(after?.spec).toEqual({
      peerIP: '10.0.0.1',
      sourceAddress: 'UseNodeIP',
      reversePeering: 'Auto',
      ...last,
    });
  });
});

test('what follows from other fields of a policy follows the manifest', async () => {
  const { client, apply } = open();
  const policy = (spec: object): object => ({
    ...API,
    kind: 'NetworkPolicy',
    metadata: { name: 'web', namespace: 'shop' },
    spec,
  });
  const rules = [{ action: 'Allow' }];
  await apply(policy({ selector: 'all()', ingress: rules }));
  await apply(policy({ selector: 'all()', ingress: rules, egress: rules }));
  const name = { name: 'web', namespace: 'shop' };
  expect((await client.get('NetworkPolicy', name))?.spec.types).toEqual(['Ingress', 'Egress']);
  await apply(policy({ selector: 'all()', egress: rules }));
  const spec = (await client.get('NetworkPolicy', name))?.spec;
  expect(spec?.types).toEqual(['Egress']);
  expect(spec?.ingress ?? []).toEqual([]);
});

test('policies in tiers that cannot be deleted share no key, so their writes can share a request', async () => {
  const { store, client } = open();
  const policy = (name: string, tier: string): GlobalNetworkPolicy =>
    parseManifest({
      ...API,
      kind: 'GlobalNetworkPolicy',
      metadata: { name },
      spec: { tier, selector: 'all()' },
    }) as GlobalNetworkPolicy;
  const guards = async () => (await store.list('/overland/v1/created/')).entries.length;
  await client.apply(policy('web', 'default'));
  expect(await guards()).toBe(0);
  await client.create(
    parseManifest({ ...API, kind: 'Tier', metadata: { name: 'own' }, spec: { order: 1 } }),
  );
  await client.apply(policy('own.web', 'own'));
  expect(await guards()).toBe(1);
});

describe('any two manifests, with somebody else in between', () => {
  const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), {
    noNullPrototype: true,
  });
  const spec = fc.record(
    {
      asNumber: fc.constantFrom(65001, 65002),
      nextHopMode: fc.constantFrom('Self', 'Keep', 'Auto'),
      sourceAddress: fc.constantFrom('None', 'UseNodeIP'),
      keepaliveTime: fc.constantFrom('2s', '3s'),
      holdTime: fc.constantFrom('9s', '90s'),
      passive: fc.boolean(),
      filters: fc.array(fc.constantFrom('f1', 'f2'), { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  const written = fc
    .record({ labels, spec })
    .map((given) => peer({ peerIP: '10.0.0.1', ...given.spec }, { labels: given.labels }));
  const status = { seen: [1, { deep: true }] };

  /** Applies `first`, lets somebody else change fields and labels, and applies `second`. */
  async function inTurn(first: object, theirs: object, second: object) {
    const { client, apply, put, json } = open();
    await apply(first);
    await put(PEER_KEY, { ...((await json(PEER_KEY)) as object), status });
    const read = (await client.get('BGPPeer', { name: 'leaf11' })) as BgpPeer;
    const other = theirs as { spec: object; metadata: { labels: object } };
    const between = await client.update({
      ...read,
      metadata: { ...read.metadata, labels: { ...read.metadata.labels, ...other.metadata.labels } },
      spec: { ...read.spec, ...other.spec },
    } as BgpPeer);
    await apply(second);
    const once = (await client.get('BGPPeer', { name: 'leaf11' })) as BgpPeer;
    const again = await apply(second);
    return { read, between, once, again };
  }
  const at = (object: object, part: 'labels' | 'spec'): Readonly<Record<string, unknown>> => {
    const { metadata, spec } = object as { metadata: { labels?: object }; spec: object };
    return { ...(part === 'spec' ? spec : metadata.labels) };
  };

  test('what is stated holds, what is not any more is taken back, the rest is theirs', async () => {
    await fc.assert(
      fc.asyncProperty(written, written, written, async (first, theirs, second) => {
        const { read, between, once, again } = await inTurn(first, theirs, second);
        expect(again).toMatchObject({ outcome: 'unchanged', resource: once });
        expect(once.metadata.uid).toBe(read.metadata.uid);
        expect(once.metadata.creationTimestamp).toBe(read.metadata.creationTimestamp);
        expect(once.status).toEqual(status);
        const asNew = parseManifest(second);
        for (const part of ['spec', 'labels'] as const) {
          const names = new Set(
            [first, theirs, second].flatMap((each) => Object.keys(at(each, part))),
          );
          for (const name of names) {
            const value = at(once, part)[name];
            const isOurs = name in at(second, part) || name in at(first, part);
            expect(value, name).toEqual(isOurs ? at(asNew, part)[name] : at(between, part)[name]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('planApply', () => {
  test('says what would come of it and writes nothing', async () => {
    const { store, apply, plan } = open();
    const first = peer({ peerIP: '10.0.0.1', asNumber: 65001 });
    expect(await plan(first)).toMatchObject({ outcome: 'created', before: undefined });
    expect(await store.get(PEER_KEY)).toBeUndefined();
    await apply(first);
    expect(await plan(first)).toMatchObject({ outcome: 'unchanged' });
    const planned = await plan(peer({ peerIP: '10.0.0.1' }));
    expect(planned).toMatchObject({ outcome: 'updated', before: { spec: { asNumber: 65001 } } });
    expect(planned.resource).not.toHaveProperty('spec.asNumber');
    expect((await apply(peer({ peerIP: '10.0.0.1' }))).resource).toMatchObject({
      spec: (planned.resource as { spec: object }).spec,
    });
  });

  test('fails as apply would', async () => {
    const { apply, plan } = open();
    const pool = { ...API, kind: 'IPPool', metadata: { name: 'p' }, spec: { cidr: '10.0.0.0/16' } };
    await apply(pool);
    const smaller = { ...pool, spec: { cidr: '10.0.0.0/17' } };
    await expect(plan(smaller)).rejects.toThrow('spec.cidr must stay');
    await expect(apply(smaller)).rejects.toThrow('spec.cidr must stay');
  });
});
