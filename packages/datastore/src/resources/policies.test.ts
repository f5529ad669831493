import {
  type AnyResource,
  type GlobalNetworkPolicy,
  type NetworkPolicy,
  parseManifest,
  stringifyJson,
  type Tier,
} from '@overland/model';
import { describe, expect, test } from 'vitest';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import { ResourceClient } from './resource-client.ts';
import type { ResourceChange } from './resource-watch.ts';

const ROOT = '/calico/resources/v3/projectcalico.org';
const POLICY_KEY = `${ROOT}/networkpolicies/prod/web`;
const FORMER_KEY = `${ROOT}/networkpolicies/prod/default.web`;
const ANNOTATION = 'projectcalico.org/metadata';

function open(store = new MemoryDatastore()) {
  let made = 0;
  const client = new ResourceClient(store, {
    randomUuid: () => `uid-${++made}`,
    now: () => new Date('2026-01-05T10:00:00Z'),
  });
  return { store, client };
}

function manifest(kind: string, name: string, spec: object = {}): AnyResource {
  const metadata = kind.startsWith('Network') ? { name, namespace: 'prod' } : { name };
  return parseManifest({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec });
}

function policy(spec: object = {}, name = 'web'): NetworkPolicy {
  return manifest('NetworkPolicy', name, spec) as NetworkPolicy;
}

async function json(store: MemoryDatastore, key: string): Promise<unknown> {
  const entry = await store.get(key);
  return entry && JSON.parse(entry.value);
}

async function put(store: MemoryDatastore, key: string, value: unknown): Promise<void> {
  const operation = { type: 'put', key, value: stringifyJson(value) } as const;
  await store.transact({ conditions: [], operations: [operation] });
}

/** A policy as Calico's versions with tiers in names stored it. */
function formerPolicy(annotations?: object): unknown {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: {
      name: 'default.web',
      namespace: 'prod',
      uid: 'u',
      ...(annotations && { annotations }),
    },
    spec: { tier: 'default', selector: 'all()', types: ['Ingress'], later: 1 },
  };
}

const NAMED = { [ANNOTATION]: '{"name":"web"}' };

describe('a policy as it is stored', () => {
  test('says its name in an annotation, which readers do not see', async () => {
    const { store, client } = open();
    const made = await client.create(
      policy({ selector: "role == 'db'", ingress: [{ action: 'Allow' }] }),
    );
    expect(await json(store, POLICY_KEY)).toEqual({
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata: {
        name: 'web',
        namespace: 'prod',
        uid: 'uid-1',
        creationTimestamp: '2026-01-05T10:00:00Z',
        annotations: NAMED,
      },
      spec: {
        tier: 'default',
        selector: "role == 'db'",
        types: ['Ingress'],
        ingress: [{ action: 'Allow' }],
      },
    });
    expect(made.metadata.annotations).toBeUndefined();
    expect(await client.get('NetworkPolicy', { namespace: 'prod', name: 'web' })).toEqual(made);
    expect((await client.list('NetworkPolicy')).resources).toEqual([made]);
  });

  test('keeps annotations of others beside it, through updates too', async () => {
    const { store, client } = open();
    const given = policy();
    const annotated = { ...given, metadata: { ...given.metadata, annotations: { owner: 'a' } } };
    const made = await client.create(annotated);
    expect(made.metadata.annotations).toEqual({ owner: 'a' });
    const updated = await client.update({ ...made, spec: { ...made.spec, order: 5 } });
    expect(updated.metadata.annotations).toEqual({ owner: 'a' });
    expect(await json(store, POLICY_KEY)).toMatchObject({
      metadata: { annotations: { owner: 'a', ...NAMED } },
      spec: { order: 5 },
    });
  });

  test('is not annotated if it is of a kind without tiers', async () => {
    const { store, client } = open();
    await client.create(manifest('GlobalNetworkSet', 'web', { nets: ['10.0.0.1'] }));
    expect(await json(store, `${ROOT}/globalnetworksets/web`)).toMatchObject({
      metadata: { name: 'web' },
      spec: { nets: ['10.0.0.1/32'] },
    });
    expect(JSON.stringify(await json(store, `${ROOT}/globalnetworksets/web`))).not.toContain(
      ANNOTATION,
    );
  });
});

describe('a policy under the name of an older version', () => {
  const web = { namespace: 'prod', name: 'web' };

  test.each([
    ['with the annotation', formerPolicy(NAMED)],
    ['without it', formerPolicy()],
    ['with one that cannot be read', formerPolicy({ [ANNOTATION]: '{' })],
    ['with one of another policy', formerPolicy({ [ANNOTATION]: '{"name":"other"}' })],
  ])('is found by the name that people gave it, %s', async (_name, stored) => {
    const { store, client } = open();
    await put(store, FORMER_KEY, stored);
    const read = await client.get('NetworkPolicy', web);
    expect(read?.metadata).toEqual({ ...web, uid: 'u', resourceVersion: expect.any(String) });
    expect((await client.list('NetworkPolicy')).resources).toEqual([read]);
  });

  test('stays where it is when it is changed, and keeps what is not known', async () => {
    const { store, client } = open();
    await put(store, FORMER_KEY, formerPolicy());
    const { outcome } = await client.apply(policy({ selector: 'has(a)' }));
    expect(outcome).toBe('updated');
    expect(await store.get(POLICY_KEY)).toBeUndefined();
    expect(await json(store, FORMER_KEY)).toMatchObject({
      metadata: { name: 'default.web', annotations: NAMED },
      spec: { selector: 'has(a)', later: 1 },
    });
    await expect(client.create(policy())).rejects.toThrow('NetworkPolicy(prod/web) exists already');
    await client.delete('NetworkPolicy', web);
    expect(await store.get(FORMER_KEY)).toBeUndefined();
  });

  test('is another one if it is really called so', async () => {
    const { store, client } = open();
    await client.create(policy({}, 'default.web'));
    expect(await json(store, FORMER_KEY)).toMatchObject({
      metadata: { annotations: { [ANNOTATION]: '{"name":"default.web"}' } },
    });
    expect(await client.get('NetworkPolicy', web)).toBeUndefined();
    await client.create(policy());
    const { resources } = await client.list('NetworkPolicy');
    expect(resources.map(({ metadata }) => metadata.name)).toEqual(['default.web', 'web']);
  });

  test('is in the tier that its name begins with, if it does not say', async () => {
    const { store, client } = open();
    const stored = { ...(formerPolicy() as object), spec: { selector: 'all()' } };
    await put(store, `${ROOT}/networkpolicies/prod/security.web`, stored);
    await put(store, `${ROOT}/networkpolicies/prod/knp.default.web`, {
      ...stored,
      metadata: { name: 'knp.default.web', namespace: 'prod' },
    });
    await put(store, `${ROOT}/networkpolicies/prod/security.web`, {
      ...stored,
      metadata: { name: 'security.web', namespace: 'prod' },
    });
    const { resources } = await client.list('NetworkPolicy');
    expect(resources.map(({ metadata, spec }) => [metadata.name, spec.tier])).toEqual([
      ['knp.default.web', 'default'],
      ['security.web', 'security'],
    ]);
  });

  test('is reported by one name while it is watched', async () => {
    const { store, client } = open();
    const stop = new AbortController();
    await put(store, FORMER_KEY, formerPolicy());
    const changes = client.watch('NetworkPolicy', stop.signal)[Symbol.asyncIterator]();
    const next = async () => {
      const { value } = await changes.next();
      const change = value as ResourceChange<'NetworkPolicy'>;
      return change.type === 'synced' ? 'synced' : `${change.type} ${change.name.name}`;
    };
    expect([await next(), await next()]).toEqual(['put web', 'synced']);
    await put(store, FORMER_KEY, { ...(formerPolicy() as object), spec: { types: ['Sideways'] } });
    expect(await next()).toBe('invalid web');
    await client.delete('NetworkPolicy', web);
    expect(await next()).toBe('delete web');
    stop.abort();
  });
});

describe('tiers', () => {
  const tier = (name: string, spec: object = {}) => manifest('Tier', name, spec) as Tier;

  test('a policy needs its tier', async () => {
    const { store, client } = open();
    await expect(client.create(policy({ tier: 'security' }))).rejects.toThrow(
      'Tier(security) does not exist: NetworkPolicy(prod/web) is to be in it',
    );
    await expect(client.apply(policy({ tier: 'security' }))).rejects.toMatchObject({
      name: 'MissingTierError',
    });
    expect(await store.get(POLICY_KEY)).toBeUndefined();
    await client.create(tier('security'));
    const made = await client.create(policy({ tier: 'security' }));
    const away = { ...made, spec: { ...made.spec, tier: 'elsewhere' } };
    await expect(client.update(away)).rejects.toMatchObject({ name: 'MissingTierError' });
    await client.create(tier('elsewhere'));
    expect((await client.update(away)).spec.tier).toBe('elsewhere');
  });

  test('those that every cluster has are made when they are missing', async () => {
    const { store, client } = open();
    await client.create(manifest('GlobalNetworkPolicy', 'a', { tier: 'kube-admin' }));
    expect(await json(store, `${ROOT}/tiers/kube-admin`)).toEqual({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Tier',
      metadata: { name: 'kube-admin', uid: 'uid-2', creationTimestamp: '2026-01-05T10:00:00Z' },
      spec: { order: 1000, defaultAction: 'Pass' },
    });
    await client.create(manifest('GlobalNetworkPolicy', 'b', { tier: 'kube-admin' }));
    expect((await client.list('Tier')).resources).toHaveLength(1);
  });

  test.each(['default', 'kube-admin', 'kube-baseline'])('%s cannot be deleted', async (name) => {
    const { client } = open();
    const spec = { default: 'Deny' }[name] ? {} : { defaultAction: 'Pass' };
    await client.create(tier(name, spec));
    await expect(client.delete('Tier', { name })).rejects.toMatchObject({ name: 'RefusedError' });
    expect(await client.get('Tier', { name })).toBeDefined();
  });

  test.each(['GlobalNetworkPolicy', 'NetworkPolicy', 'StagedGlobalNetworkPolicy'])(
    'one that holds a %s cannot be deleted',
    async (kind) => {
      const { client } = open();
      await client.create(tier('security'));
      const held = await client.create(manifest(kind, 'a', { tier: 'security' }));
      const attempt = client.delete('Tier', { name: 'security' });
      await expect(attempt).rejects.toThrow(
        `Tier(security) cannot be deleted: ${kind}(${held.metadata.namespace ? 'prod/' : ''}a) is in it`,
      );
      await client.delete(kind as 'NetworkPolicy', held.metadata);
      await client.delete('Tier', { name: 'security' });
      expect(await client.get('Tier', { name: 'security' })).toBeUndefined();
    },
  );

  test('one that a policy enters while it is looked at cannot be deleted', async () => {
    class Racing extends MemoryDatastore {
      intruder: (() => Promise<unknown>) | undefined;
      override async transact(transaction: Parameters<MemoryDatastore['transact']>[0]) {
        const isRemoval = transaction.operations.some(({ type }) => type === 'delete');
        const intrude = isRemoval ? this.intruder : undefined;
        if (intrude) this.intruder = undefined;
        await intrude?.();
        return await super.transact(transaction);
      }
    }
    for (const enter of ['create', 'move'] as const) {
      const store = new Racing();
      const { client } = open(store);
      const made = await client.create(tier('security', { order: 7 }));
      const other = await client.create(policy({}, 'other'));
      store.intruder = () =>
        enter === 'create'
          ? client.create(policy({ tier: 'security' }, 'other-2'))
          : client.update({ ...other, spec: { ...other.spec, tier: 'security' } });
      await expect(client.delete('Tier', { name: 'security' })).rejects.toThrow(
        /Tier\(security\) cannot be deleted: NetworkPolicy\(prod\/other(-2)?\) is in it/,
      );
      expect(await client.get('Tier', { name: 'security' })).toEqual(made);
    }
  });

  test('one that was emptied leaves nothing behind', async () => {
    const { store, client } = open();
    await client.create(tier('security'));
    const made = await client.create(policy({ tier: 'security' }));
    await client.delete('NetworkPolicy', made.metadata);
    await client.delete('Tier', { name: 'security' });
    expect((await store.list('/')).entries).toEqual([]);
  });
});

describe('the profile that is always there', () => {
  const name = 'projectcalico-default-allow';
  const profile = { kind: 'Profile', metadata: { name, resourceVersion: '1' } };

  test('is read, and what is stored under its name is not', async () => {
    const { store, client } = open();
    await put(store, `${ROOT}/profiles/${name}`, { kind: 'Profile', spec: { egress: 'x' } });
    expect(await client.get('Profile', { name })).toMatchObject({
      ...profile,
      spec: { ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] },
    });
    for (const other of ['a', 'z']) await client.create(manifest('Profile', other));
    const { resources, invalid } = await client.list('Profile');
    expect(resources.map(({ metadata }) => metadata.name)).toEqual(['a', name, 'z']);
    expect(invalid).toEqual([]);
  });

  test('is listed when there is no other', async () => {
    const { client } = open();
    expect((await client.list('Profile')).resources).toMatchObject([profile]);
  });

  test('is reported to watchers before they are in sync, and never changes', async () => {
    const { store, client } = open();
    const stop = new AbortController();
    const changes = client.watch('Profile', stop.signal)[Symbol.asyncIterator]();
    expect((await changes.next()).value).toMatchObject({ type: 'put', resource: profile });
    expect((await changes.next()).value).toEqual({ type: 'synced' });
    await put(store, `${ROOT}/profiles/${name}`, {});
    await client.create(manifest('Profile', 'a'));
    expect((await changes.next()).value).toMatchObject({ type: 'put', name: { name: 'a' } });
    stop.abort();
  });

  test('cannot be written', async () => {
    const { store, client } = open();
    const own = manifest('Profile', name, { ingress: [{ action: 'Deny' }] });
    const refused = {
      name: 'RefusedError',
      message: `Profile(${name}) is built in: it cannot be written or deleted`,
    };
    await expect(client.create(own)).rejects.toMatchObject(refused);
    await expect(client.apply(own)).rejects.toMatchObject(refused);
    await expect(client.planApply(own)).rejects.toMatchObject(refused);
    await expect(client.delete('Profile', { name })).rejects.toMatchObject(refused);
    const read = await client.get('Profile', { name });
    if (!read) throw new Error('it is always there');
    await expect(client.update(read)).rejects.toMatchObject(refused);
    expect((await store.list('/')).entries).toEqual([]);
  });
});

test('types follow the rules of the manifest that is applied', async () => {
  const { client } = open();
  const apply = async (spec: object) => {
    const written = {
      kind: 'GlobalNetworkPolicy',
      apiVersion: 'projectcalico.org/v3',
      metadata: { name: 'a' },
      spec,
    };
    return (await client.apply(parseManifest(written) as GlobalNetworkPolicy, written)).resource
      .spec;
  };
  expect((await apply({ ingress: [{ action: 'Allow' }] })).types).toEqual(['Ingress']);
  const both = await apply({ ingress: [{ action: 'Allow' }], egress: [{ action: 'Deny' }] });
  expect(both.types).toEqual(['Ingress', 'Egress']);
  expect((await apply({ egress: [{ action: 'Deny' }] })).types).toEqual(['Egress']);
});
