import { parseJson } from '@overland/model';
import { describe, expect, test } from 'vitest';
import { entriesOfFile, isObjectPath, objectFileOf } from './object-file.ts';
import { readYaml } from './yaml-text.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org/';

function peer(spec = '"peerIP":"10.0.0.1"', uid = 'u1') {
  return {
    key: `${RESOURCES}bgppeers/leaf11`,
    value: `{"kind":"BGPPeer","apiVersion":"projectcalico.org/v3","metadata":{"name":"leaf11","uid":"${uid}"},"spec":{${spec}}}`,
  };
}

function extension(spec = '"holdTime":"9s"', uid = 'u1') {
  return {
    key: '/overland/v1/extensions/bgppeers/leaf11',
    value: `{"uid":"${uid}","spec":{${spec}}}`,
  };
}

/** What a file gives back, values parsed. */
function readBack(entry: { key: string; value: string }, apart?: { key: string; value: string }) {
  const file = objectFileOf(entry, apart, readYaml);
  if (!file) return undefined;
  const entries = entriesOfFile(file.path, readYaml(file.text));
  return { ...file, entries: entries.map(({ key, value }) => ({ key, value: parseJson(value) })) };
}

function parsed(...entries: { key: string; value: string }[]) {
  return entries.map(({ key, value }) => ({ key, value: parseJson(value) }));
}

test('fields that Calico lacks stand in the manifest, and are parted again', () => {
  const file = readBack(peer(), extension());
  expect(file?.path).toBe('resources/bgppeers/leaf11.yaml');
  expect(file?.text).toContain('  peerIP: 10.0.0.1\n  holdTime: "9s"\n');
  expect(file).toMatchObject({ hasExtension: true, entries: parsed(peer(), extension()) });
});

test.each([
  ['of another object of the name', extension('"holdTime":"9s"', 'u0')],
  ['with fields that this version does not know', extension('"fromTheFuture":1')],
  [
    'with more than fields',
    { ...extension(), value: '{"uid":"u1","spec":{"holdTime":"9s"},"x":1}' },
  ],
  ['that is no JSON', { ...extension(), value: 'x' }],
])('an extension %s stays apart', (_what, apart) => {
  expect(readBack(peer(), apart)).toMatchObject({ hasExtension: false, entries: parsed(peer()) });
});

test('integers beyond 2^53, nulls and unknown fields are kept', () => {
  const pool = {
    key: `${RESOURCES}ippools/p`,
    value:
      '{"kind":"IPPool","metadata":{"name":"p","labels":null,"generation":9223372036854775807},"spec":{"cidr":"10.0.0.0/16","later":{"a":[null,1.5]}},"status":{}}',
  };
  expect(readBack(pool)?.entries).toEqual(parsed(pool));
});

test('a large object has a file', () => {
  const large = {
    key: `${RESOURCES}globalnetworksets/large`,
    value: JSON.stringify({
      kind: 'GlobalNetworkSet',
      metadata: { name: 'large' },
      spec: { nets: Array.from({ length: 20_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`) },
    }),
  };
  expect(readBack(large)?.entries).toEqual(parsed(large));
});

test('objects of kinds that we do not know have files, too', () => {
  const other = {
    key: `${RESOURCES}livemigrations/ns1/m1`,
    value: '{"kind":"LiveMigration","metadata":{"name":"m1","namespace":"ns1"}}',
  };
  expect(readBack(other)?.path).toBe('resources/livemigrations/ns1/m1.yaml');
  expect(readBack(other)?.entries).toEqual(parsed(other));
});

describe('an object is kept as it is, without a file,', () => {
  test.each([
    ['if its name is none for a file', `${RESOURCES}ippools/..`, '{"metadata":{"name":".."}}'],
    ['if its name is in capitals', `${RESOURCES}ippools/P`, '{"metadata":{"name":"P"}}'],
    ['if its key is longer', `${RESOURCES}ippools/a/b/c`, '{"metadata":{"name":"c"}}'],
    ['if its value is no JSON', `${RESOURCES}ippools/p`, ''],
    ['if its value has another name', `${RESOURCES}ippools/p`, '{"metadata":{"name":"q"}}'],
    [
      'if it says a namespace',
      `${RESOURCES}ippools/p`,
      '{"metadata":{"name":"p","namespace":"n"}}',
    ],
    [
      'if it is deep',
      `${RESOURCES}ippools/p`,
      `{"metadata":{"name":"p"},"a":${'['.repeat(5e5)}${']'.repeat(5e5)}}`,
    ],
    [
      'if it has more lines than are read',
      `${RESOURCES}ippools/p`,
      `{"metadata":{"name":"p"},"a":[${'0,'.repeat(500_000)}0]}`,
    ],
    [
      'if it is a list',
      `${RESOURCES}ippools/p`,
      '{"kind":"List","metadata":{"name":"p"},"items":[{}]}',
    ],
    ['if Calico wrote a field of ours', peer('"passive":true').key, peer('"passive":true').value],
    ['if it is none of a resource', '/calico/ipam/v2/config', '{}'],
  ])('%s', (_why, key, value) => {
    expect(objectFileOf({ key, value }, undefined, readYaml)).toBeUndefined();
  });
});

test.each([
  ['resources/ippools/p.yaml', true],
  ['resources/a/b/c.yaml', true],
  ['resources/../../etc/x.yaml', false],
  ['resources/ippools/.yaml', false],
  ['/resources/ippools/p.yaml', false],
  ['resources/p.yaml', false],
])('%s is a path of a file: %s', (path, expected) => {
  expect(isObjectPath(path)).toBe(expected);
});

test('a file that names another object is refused', () => {
  const text = 'metadata:\n  name: b\n';
  expect(() => entriesOfFile('resources/ippools/a.yaml', readYaml(text))).toThrow(
    'metadata.name is not a',
  );
});
