import { MemoryDatastore } from '@overland/datastore';
import { parseJson } from '@overland/model';
import { expect, test } from 'vitest';
import { frozenView, storePools } from '../test/ipam-world.ts';
import { createIpam, type Ipam } from './ipam.ts';

// What Calico has written is changed by an assignment and a release of ours, and compared as data.

const BLOCK_KEY = '/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-29';
const HANDLE_KEY = '/calico/ipam/v2/handle/k8s-pod-network.c0ffee';

/** Integers beyond 2^53, as Calico seeds them, one apart. */
const SEQUENCE = [1789012345678901235n, 1789012345678901236n, 1789012345678901237n] as const;

/** Texts as Go's encoder writes them: `<` escaped, nil slices as null. */
const STORED: Readonly<Record<string, string>> = {
  [BLOCK_KEY]: `{"cidr":"10.65.0.0/29","affinity":"host:h1","affinity_claim_time":"2026-01-05T10:00:00Z","allocations":[0,null,1,null,null,null,null,null],"unallocated":[4,1,3,5,6,7],"attributes":[{"handle_id":"k8s-pod-network.c0ffee","secondary":{"namespace":"ns1","node":"h1","pod":"web-1","timestamp":"\\u003cnone\\u003e"},"alternateOwnerAttrs":{"pod":"web-2"}},{"handle_id":null,"secondary":null,"releasedAt":"2026-01-05T10:00:00Z","later":{"n":${SEQUENCE[0]}}}],"sequenceNumber":${SEQUENCE[1]},"sequenceNumberForAllocation":{"0":${SEQUENCE[0]},"2":${SEQUENCE[0]}},"deleted":false,"strictAffinity":false,"fromTheFuture":[null,${SEQUENCE[0]}]}`,
  // Empty is old, and means confirmed.
  '/calico/ipam/v2/host/h1/ipv4/block/10.65.0.0-29': '',
  '/calico/ipam/v2/host/h1': '',
  [HANDLE_KEY]: '{"block":{"10.65.0.0/29":1},"deleted":false,"later":[1]}',
  // auto_allocate_blocks is missing, so it is false.
  '/calico/ipam/v2/config': '{"strict_affinity":true,"maxBlocksPerHost":4}',
};

async function open(changes: Readonly<Record<string, string>> = {}) {
  const store = new MemoryDatastore();
  await storePools(store, { '10.65.0.0/24': 29 });
  const operations = Object.entries({ ...STORED, ...changes }).map(
    ([key, value]) => ({ type: 'put', key, value }) as const,
  );
  await store.transact({ conditions: [], operations });
  const view = await frozenView('h1', store);
  const ipam = createIpam({ datastore: store, node: 'h1', view, now: () => new Date(0) });
  const at = async (key: string) => {
    const entry = await store.get(key);
    return entry && parseJson(entry.value);
  };
  return { ipam, at, store };
}

function assign(ipam: Ipam, handle: string) {
  return ipam.assign({ handle, families: ['ipv4'], attributes: { node: 'h1' } });
}

const BLOCK = parseJson(STORED[BLOCK_KEY] ?? '') as Record<string, unknown>;

test('an assignment adds to a block what it must, and leaves the rest to the letter', async () => {
  const { ipam, at, store } = await open();
  expect((await assign(ipam, 'own')).addresses).toEqual(['10.65.0.4']);
  expect(await at(BLOCK_KEY)).toEqual({
    ...BLOCK,
    allocations: [0, null, 1, null, 2, null, null, null],
    unallocated: [1, 3, 5, 6, 7],
    attributes: [
      ...(BLOCK.attributes as unknown[]),
      { handle_id: 'own', secondary: { node: 'h1' } },
    ],
    sequenceNumber: SEQUENCE[2],
    sequenceNumberForAllocation: { 0: SEQUENCE[0], 2: SEQUENCE[0], 4: SEQUENCE[1] },
  });
  for (const [key, value] of Object.entries(STORED)) {
    if (key !== BLOCK_KEY) expect((await store.get(key))?.value).toBe(value);
  }
  expect(await at('/calico/ipam/v2/handle/own')).toEqual({
    block: { '10.65.0.0/29': 1 },
    deleted: false,
  });
});

test("a release takes Calico's address away, and leaves the rest to the letter", async () => {
  const { ipam, at } = await open();
  expect(await ipam.release('k8s-pod-network.c0ffee')).toEqual(['10.65.0.0']);
  expect(await at(BLOCK_KEY)).toEqual({
    ...BLOCK,
    allocations: [null, null, 0, null, null, null, null, null],
    unallocated: [4, 1, 3, 5, 6, 7, 0],
    attributes: (BLOCK.attributes as unknown[]).slice(1),
    sequenceNumber: SEQUENCE[2],
    sequenceNumberForAllocation: { 2: SEQUENCE[0] },
  });
  expect(await at(HANDLE_KEY)).toBeUndefined();
});

test('a release with a sequence number tells two beyond 2^53 apart', async () => {
  const { ipam } = await open();
  const release = (sequence: bigint) =>
    ipam.releaseAddresses([{ address: '10.65.0.0' as never, sequence }]);
  await expect(release(SEQUENCE[1])).rejects.toMatchObject({ name: 'StaleReleaseError' });
  expect(await release(SEQUENCE[0])).toEqual(['10.65.0.0']);
});

test('a block of old, with hostAffinity and null for empty lists, is one like any other', async () => {
  const { affinity: _, ...others } = {
    ...BLOCK,
    hostAffinity: 'h1',
    allocations: Array(8).fill(null),
    unallocated: [0, 1, 2, 3, 4, 5, 6, 7],
    attributes: null,
    sequenceNumber: 0,
    sequenceNumberForAllocation: null,
  } as Record<string, unknown>;
  const { fromTheFuture: _later, ...old } = others;
  const { ipam, at } = await open({ [BLOCK_KEY]: JSON.stringify(old) });
  expect((await assign(ipam, 'own')).addresses).toEqual(['10.65.0.0']);
  const { hostAffinity: _host, ...kept } = old;
  expect(await at(BLOCK_KEY)).toEqual({
    ...kept,
    affinity: 'host:h1',
    allocations: [0, null, null, null, null, null, null, null],
    unallocated: [1, 2, 3, 4, 5, 6, 7],
    attributes: [{ handle_id: 'own', secondary: { node: 'h1' } }],
    sequenceNumber: 1,
    sequenceNumberForAllocation: { 0: 0 },
  });
});

test('with auto_allocate_blocks missing no further block is claimed', async () => {
  const full = {
    allocations: Array(8).fill(0),
    unallocated: null,
    attributes: [{ handle_id: 'x', secondary: null }],
  };
  const value = { ...BLOCK, ...full, fromTheFuture: null, sequenceNumber: 1 };
  const text = JSON.stringify({ ...value, sequenceNumberForAllocation: {} });
  const { ipam, store } = await open({ [BLOCK_KEY]: text });
  await expect(assign(ipam, 'own')).rejects.toThrow('turn auto_allocate_blocks on');
  expect((await store.get(BLOCK_KEY))?.value).toBe(text);
});
