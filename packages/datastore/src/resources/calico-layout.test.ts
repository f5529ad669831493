import { readFileSync } from 'node:fs';
import {
  type AnyResource,
  KINDS,
  type Kind,
  kindTable,
  parseJson,
  parseResourceKey,
  stringifyJson,
} from '@overland/model';
import { describe, expect, test } from 'vitest';
import type { Datastore } from '../datastore.ts';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import { ResourceClient } from './resource-client.ts';

// Objects as Calico's client stores them: keys and JSON of its etcdv3 layout. Each has what a client of ours could lose:
// fields that we do not know, in lists as well, integers beyond 2^53, nulls, fields that are absent although they have
// a default, uid and status.

type Json = Record<string, unknown>;

interface Fixture {
  readonly key: string;
  readonly value: Json & { readonly metadata: Json; readonly spec: Json };
}

const FIXTURES = parseJson(
  readFileSync(new URL('../../test/vectors/calico-resources.json', import.meta.url), 'utf8'),
) as unknown as readonly Fixture[];

/** Those that are stored as resources, of kinds that we know. */
const KNOWN = FIXTURES.flatMap(({ key, value }) => {
  const parsed = parseResourceKey(key);
  if (!parsed || kindTable(parsed.kind).storage === 'ipam') return [];
  return [{ title: `${parsed.kind} ${parsed.name.name}`, key, value, ...parsed }];
});

async function stored({ key, value }: Pick<Fixture, 'key' | 'value'>): Promise<Datastore> {
  const store = new MemoryDatastore();
  const operations = [{ type: 'put', key, value: stringifyJson(value) } as const];
  await store.transact({ conditions: [], operations });
  return store;
}

async function rawAt(store: Datastore, key: string): Promise<unknown> {
  return parseJson((await store.get(key))?.value ?? '');
}

describe.each(KNOWN)('$title as Calico stores it', ({ key, value, kind, name }) => {
  test('is read', async () => {
    const resource = await new ResourceClient(await stored({ key, value })).get(kind, name);
    expect(resource).toMatchObject({ kind, metadata: { ...name, uid: value.metadata.uid } });
  });

  test('is written back as it was, but for what was changed', async () => {
    const store = await stored({ key, value });
    const client = new ResourceClient(store);
    const resource = (await client.get(kind, name)) as AnyResource;
    const labels = { ...resource.metadata.labels, changed: 'yes' };
    await client.update({ ...resource, metadata: { ...resource.metadata, labels } });
    expect(await rawAt(store, key)).toEqual({ ...value, metadata: { ...value.metadata, labels } });
  });
});

/** A change to a spec, and what the stored spec then is. */
const SPEC_CHANGES: readonly (readonly [Kind, string, (spec: never) => unknown, Json])[] = [
  ['IPPool', 'ipip', (spec: Json) => ({ ...spec, disabled: true }), { disabled: true }],
  ['BGPPeer', 'leaf11', (spec: Json) => ({ ...spec, asNumber: 65012 }), { asNumber: 65012 }],
  [
    'BGPConfiguration',
    'default',
    (spec: Json) => ({ ...spec, listenPort: 1179 }),
    { listenPort: 1179 },
  ],
  [
    'Node',
    'leaf1-h3',
    (spec: { bgp: Json }) => ({ ...spec, bgp: { ...spec.bgp, asNumber: 65102 } }),
    {
      bgp: {
        ipv4Address: '10.9.1.3/31',
        asNumber: 65102,
        routeReflectorClusterID: '244.0.0.1',
        laterBgp: true,
      },
    },
  ],
];

test.each(SPEC_CHANGES)(
  'a change to the spec of %s %s changes that field only',
  async (kind, name, change, expected) => {
    const fixture = KNOWN.find((each) => each.kind === kind && each.name.name === name);
    if (!fixture) throw new Error('no such fixture');
    const store = await stored(fixture);
    const client = new ResourceClient(store);
    const resource = (await client.get(kind, { name })) as AnyResource;
    await client.update({ ...resource, spec: change(resource.spec as never) } as AnyResource);
    const { value, key } = fixture;
    expect(await rawAt(store, key)).toEqual({ ...value, spec: { ...value.spec, ...expected } });
  },
);

test('there is an object of every kind', () => {
  const kinds = Object.values(KINDS).filter(({ storage }) => storage === 'resource');
  const covered = new Set(KNOWN.map(({ kind }) => kind));
  expect(kinds.map(({ kind }) => kind).filter((kind) => !covered.has(kind))).toEqual([]);
});
