import { MemoryDatastore } from '@overland/datastore';
import { affinityPrefix, blockPrefix, HANDLE_PREFIX } from '@overland/model';
import { parsePrefix } from '@overland/net';
import { beforeEach, expect, test } from 'vitest';
import { frozenView, storePools } from '../test/ipam-world.ts';
import { createIpam, type Ipam } from './ipam.ts';
import { createIpamAdmin, type GivenUpBlock, type IpamAdmin } from './ipam-admin.ts';

const pool = parsePrefix('10.65.0.0/24');
let datastore: MemoryDatastore;
let admin: IpamAdmin;

beforeEach(async () => {
  datastore = new MemoryDatastore();
  admin = createIpamAdmin({ datastore, now: () => new Date(0) });
  await storePools(datastore, { [pool]: 28 });
});

async function ipamOf(node: string): Promise<Ipam> {
  const view = await frozenView(node, datastore);
  return createIpam({ datastore, node, view, now: () => new Date(0) });
}

async function put(key: string, value: string): Promise<void> {
  await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
}

async function keys(prefix: string): Promise<string[]> {
  return (await datastore.list(prefix)).entries.map(({ key }) => key);
}

async function outcomes(given: AsyncIterable<GivenUpBlock>): Promise<string[]> {
  const found: string[] = [];
  for await (const { owner, outcome } of given) found.push(`${owner?.name}: ${outcome}`);
  return found.toSorted();
}

test('a host gives up its blocks: empty ones go, the others lose their owner', async () => {
  const ipam = await ipamOf('host11');
  const block = await ipam.ensureBlock('ipv4');
  await (await ipamOf('host12')).assign({ handle: 'b', families: ['ipv4'], attributes: {} });
  await put('/calico/ipam/v2/host/host11', '');

  expect(await outcomes(admin.giveUpHost('host11'))).toEqual(['host11: deleted']);
  expect(await outcomes(admin.giveUpHost('host12'))).toEqual(['host12: ownerless']);
  expect(await outcomes(admin.giveUpHost('host12'))).toEqual([]);
  expect(await keys(affinityPrefix('host'))).toEqual([]);
  expect(await keys(blockPrefix())).toHaveLength(1);
  expect(await ipam.ensureBlock('ipv4')).toBe(block);
});

test('claims without a block, or on the block of another, are dropped', async () => {
  const block = await (await ipamOf('host11')).ensureBlock('ipv4');
  const name = block.replace('/', '-');
  await put(`/calico/ipam/v2/host/host12/ipv4/block/${name}`, '{"state":"pending"}');
  await put('/calico/ipam/v2/host/host12/ipv4/block/10.99.0.0-26', '');

  const expected = ['host12: dangling', 'host12: dangling'];
  expect(await outcomes(admin.giveUpHost('host12'))).toEqual(expected);
  expect(await keys(affinityPrefix('host'))).toHaveLength(1);
});

test("a pool gives up every host's and every virtual block, claimed or not", async () => {
  const [first, second] = [await ipamOf('host11'), await ipamOf('host12')];
  await first.ensureBlock('ipv4');
  const { blocks } = await second.assign({ handle: 'b', families: ['ipv4'], attributes: {} });
  const virtual = {
    cidr: '10.65.0.0/29',
    affinity: 'virtual:lb',
    allocations: Array(8).fill(null),
    unallocated: [0, 1, 2, 3, 4, 5, 6, 7],
  };
  await put('/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-29', JSON.stringify(virtual));
  await put('/calico/ipam/v2/virtual/lb/ipv4/block/10.65.0.0-29', '');
  const lost = { ...virtual, cidr: '10.65.0.8/29', affinity: null };
  await put('/calico/ipam/v2/assignment/ipv4/block/10.65.0.8-29', JSON.stringify(lost));
  const elsewhere = '/calico/ipam/v2/host/host12/ipv4/block/10.66.0.0-26';
  await put(elsewhere, '');

  expect(await outcomes(admin.giveUpPool(pool))).toEqual([
    'host11: deleted',
    'host12: ownerless',
    'lb: deleted',
    'undefined: deleted',
    'undefined: in-use',
  ]);
  expect(await keys('/calico/ipam/v2/virtual/')).toEqual([]);
  expect(await keys(affinityPrefix('host'))).toEqual([elsewhere]);
  await admin.releaseHandle('b');
  expect(await outcomes(admin.giveUpPool(pool))).toEqual(['undefined: deleted']);
  expect(await keys(blockPrefix())).toEqual([]);
  expect(blocks).toHaveLength(1);
});

test('addresses are found and given back whatever the size of their block, their handles with them', async () => {
  const ipam = await ipamOf('host11');
  const { addresses } = await ipam.assign({
    handle: 'b',
    families: ['ipv4'],
    attributes: {},
    count: 3,
  });
  const [first = expect.fail(), ...others] = addresses;
  await expect(admin.releaseAddresses([{ address: first, handle: 'a' }])).rejects.toThrow(
    'its handle is b, not a',
  );
  expect(await admin.releaseAddresses([{ address: first, handle: 'b' }])).toEqual([first]);
  expect(await admin.releaseAddresses(addresses.map((address) => ({ address })))).toEqual(others);
  expect(await admin.releaseAddresses([{ address: first }])).toEqual([]);
  expect(await keys(HANDLE_PREFIX)).toEqual([]);
});
