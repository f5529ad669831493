import { MemoryDatastore, MemoryStore, type Transaction } from '@overland/datastore';
import { affinityKey, blockKey, handleKey, IPAM_CONFIG_KEY, resourceKey } from '@overland/model';
import { contains, type Family, parseAddress, parsePrefix } from '@overland/net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { frozenView, storePools } from '../test/ipam-world.ts';
import { blockOrder } from './block-order.ts';
import { createIpam, type Ipam } from './ipam.ts';
import { createIpamAdmin } from './ipam-admin.ts';
import { IpamView } from './view.ts';

const attributes = { node: 'host11' };
const both: readonly Family[] = ['ipv4', 'ipv6'];

let store: MemoryStore;
let datastore: MemoryDatastore;
let written: Transaction[];
let stop: AbortController;
let clock: number;

beforeEach(() => {
  store = new MemoryStore();
  datastore = new MemoryDatastore(store);
  written = [];
  clock = Date.parse('2026-11-24T06:00:00Z');
  stop = new AbortController();
});
afterEach(() => stop.abort());

/** An IPAM on a live view; what it writes is noted in `written`. */
async function ipamOf(node: string, pools: Record<string, number> = {}): Promise<Ipam> {
  await storePools(datastore, pools);
  const client = new MemoryDatastore(store);
  const transact = client.transact.bind(client);
  client.transact = (transaction) => {
    written.push(transaction);
    return transact(transaction);
  };
  const view = new IpamView(node);
  void view.follow((prefix) => datastore.watch(prefix, stop.signal));
  await view.synced;
  return createIpam({ datastore: client, node, view, now: () => new Date(clock) });
}

async function putConfig(config: Record<string, unknown>): Promise<void> {
  await datastore.transact({
    conditions: [],
    operations: [{ type: 'put', key: IPAM_CONFIG_KEY, value: JSON.stringify(config) }],
  });
}

describe('assign', () => {
  test('gives one address per family, from blocks of the host', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26, 'fd00:65::/48': 122 });
    const { addresses, blocks } = await ipam.assign({ handle: 'web', families: both, attributes });

    expect(addresses).toHaveLength(2);
    expect(await ipam.blocksOf('host11')).toEqual(blocks);
    expect(blocks[0]).toBe([...blockOrder(parsePrefix('10.65.0.0/16'), 26, 'host11')][0]);
    expect(await ipam.allocations()).toMatchObject([
      { address: addresses[0], handle: 'web', attributes },
      { address: addresses[1], handle: 'web', attributes },
    ]);
  });

  test('costs one transaction from an owned block, and one more for each block it claims', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26, 'fd00:65::/48': 122 });
    await ipam.assign({ handle: 'web', families: both, attributes });
    expect(written).toHaveLength(3);

    await ipam.assign({ handle: 'db', families: both, attributes });
    expect(written).toHaveLength(4);
  });

  test('gives the same addresses to the same handle, also from another process', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26, 'fd00:65::/48': 122 });
    const request = { handle: 'web', families: both, attributes };
    const first = await ipam.assign(request);

    expect(await ipam.assign(request)).toEqual(first);
    expect(await (await ipamOf('host11')).assign(request)).toEqual(first);
  });

  test('takes the address that was asked for, and no second one', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    const addresses = [parseAddress('10.65.7.9')];
    const request = { handle: 'web', families: ['ipv4'] as const, addresses, attributes };

    expect(await ipam.assign(request)).toMatchObject({ addresses, blocks: ['10.65.7.0/26'] });
    await expect(ipam.assign({ ...request, handle: 'db' })).rejects.toThrow(
      '10.65.7.9 cannot be assigned: web holds it',
    );
    await expect(
      ipam.assign({ ...request, addresses: [parseAddress('10.66.0.1')] }),
    ).rejects.toThrow('no IP pool holds it');
  });

  test('gives no address from a pool that asks for encapsulation, not even by name', async () => {
    const spec = { cidr: '10.65.0.0/16', ipipMode: 'Always' };
    const object = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: {}, spec };
    const key = resourceKey('IPPool', { name: 'tunnels' });
    const value = JSON.stringify({ ...object, metadata: { name: 'tunnels' } });
    await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
    const ipam = await ipamOf('host11');
    const request = { handle: 'web', families: ['ipv4'] as const, attributes };

    await expect(ipam.assign(request)).rejects.toThrow('tunnels');
    const addresses = [parseAddress('10.65.7.9')];
    await expect(ipam.assign({ ...request, addresses })).rejects.toThrow(
      'pool tunnels asks for encapsulation',
    );
    expect(await ipam.allocations()).toEqual([]);
    expect(await ipam.blocksOf('host11')).toEqual([]);
  });

  test('leaves nothing behind when one of two families fails', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });

    await expect(ipam.assign({ handle: 'web', families: both, attributes })).rejects.toThrow(
      'no IPv6 address for node host11: there is no IPv6 pool; create an IPPool',
    );
    expect(await ipam.allocations()).toEqual([]);
    expect(await datastore.get(handleKey('web'))).toBeUndefined();
  });

  test('gives all of a pool that hosts share, then names the pool', async () => {
    const [first, second] = await Promise.all([
      ipamOf('host11', { '10.65.0.0/27': 28 }),
      ipamOf('host12'),
    ]);
    const ask = (ipam: Ipam, handle: string): Promise<unknown> =>
      ipam.assign({ handle, families: ['ipv4'], attributes });
    await Promise.all(
      Array.from({ length: 32 }, (_, i) => ask(i % 2 === 0 ? first : second, `h${i}`)),
    );

    expect([...(await first.allocations()), ...(await second.allocations())]).toHaveLength(32);
    await expect(ask(first, 'more')).rejects.toThrow(
      'no IPv4 address for node host11: pool pool0 (10.65.0.0/27) has no free block: all 2 are claimed',
    );
  });

  test('stops at the number of blocks a host may have', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 32 });
    await putConfig({ strict_affinity: true, auto_allocate_blocks: true, maxBlocksPerHost: 2 });
    const ask = (handle: string): Promise<unknown> =>
      ipam.assign({ handle, families: ['ipv4'], attributes });
    await ask('one');
    await ask('two');

    await expect(ask('three')).rejects.toThrow(
      "no free address in this host's 2 blocks, the most a host may claim: raise maxBlocksPerHost",
    );
  });

  test('claims nothing when blocks are claimed by hand', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    await putConfig({ strict_affinity: true });

    await expect(ipam.assign({ handle: 'web', families: ['ipv4'], attributes })).rejects.toThrow(
      'turn auto_allocate_blocks on',
    );
  });

  test('gives nothing to a caller that stopped waiting', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    const signal = AbortSignal.abort();

    await expect(
      ipam.assign({ handle: 'web', families: ['ipv4'], attributes, signal }),
    ).rejects.toThrow('its caller stopped waiting');
    expect(await ipam.allocations()).toEqual([]);
  });

  test('notices that a block was taken away', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    const block = await ipam.ensureBlock('ipv4');
    const key = affinityKey({ type: 'host', name: 'host11' }, block);
    const value = '{"state":"pendingDeletion","deleted":false}';
    await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });

    await ipam.assign({ handle: 'web', families: ['ipv4'], attributes });

    expect((await datastore.get(key))?.value).toBe('{"state":"confirmed","deleted":false}');
  });

  test('is refused while the pools are not known', async () => {
    const view = new IpamView('host11');
    const ipam = createIpam({ datastore, node: 'host11', view, now: () => new Date(0) });
    await expect(ipam.assign({ handle: 'web', families: ['ipv4'], attributes })).rejects.toThrow(
      'the IP pools have not been read yet',
    );
  });

  test('passes over a block that contradicts itself, and names it when there is no other', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/25': 26 });
    const block = await ipam.ensureBlock('ipv4');
    const value = `{"cidr":"${block}","affinity":"host:host11","allocations":[${'7,'.repeat(63)}7]}`;
    const key = blockKey(block);
    await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
    const ask = { handle: 'web', families: ['ipv4'] as const, attributes };

    await putConfig({ strict_affinity: true, auto_allocate_blocks: true, maxBlocksPerHost: 1 });
    await expect((await ipamOf('host11')).assign(ask)).rejects.toThrow(
      `block ${block} contradicts itself: address number 0 has no attribute: repair it`,
    );
    await putConfig({ strict_affinity: true, auto_allocate_blocks: true, maxBlocksPerHost: 2 });
    expect((await (await ipamOf('host11')).assign(ask)).blocks).not.toContain(block);
  });

  test('works on after an outage', async () => {
    await storePools(datastore, { '10.65.0.0/16': 26 });
    const view = await frozenView('host11', datastore);
    const ipam = createIpam({ datastore, node: 'host11', view, now: () => new Date(0) });
    const request = { handle: 'web', families: ['ipv4'] as const, attributes };
    {
      using _outage = datastore.outage();
      await expect(ipam.assign(request)).rejects.toThrow('outage');
    }
    expect((await ipam.assign(request)).addresses).toHaveLength(1);
  });
});

describe('release', () => {
  test('by handle frees both families and forgets the handle', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26, 'fd00:65::/48': 122 });
    const { addresses } = await ipam.assign({ handle: 'web', families: both, attributes });

    expect(await ipam.release('web')).toEqual(addresses);
    expect(await ipam.release('web')).toEqual([]);
    expect(await ipam.allocations()).toEqual([]);
    expect(await datastore.get(handleKey('web'))).toBeUndefined();
  });

  test('waits for the assignment it is to undo', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    const assigned = ipam.assign({ handle: 'web', families: ['ipv4'], attributes });
    const released = ipam.release('web');

    expect(await released).toEqual((await assigned).addresses);
  });

  test('deletes a handle that counts what its block does not have', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    const block = await ipam.ensureBlock('ipv4');
    const value = `{"block":{"${block}":1,"10.99.0.0/26":2},"deleted":false}`;
    await datastore.transact({
      conditions: [],
      operations: [{ type: 'put', key: handleKey('leaked'), value }],
    });

    expect(await ipam.release('leaked')).toEqual([]);
    expect(await datastore.get(handleKey('leaked'))).toBeUndefined();
  });

  test('by address keeps the rest of the handle', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26, 'fd00:65::/48': 122 });
    const { addresses } = await ipam.assign({ handle: 'web', families: both, attributes });
    const [four = expect.fail(), six] = addresses;

    await expect(ipam.releaseAddresses([{ address: four, handle: 'db' }])).rejects.toThrow(
      `${four} is not released: its handle is web, not db`,
    );
    expect(await ipam.releaseAddresses([{ address: four, handle: 'web' }])).toEqual([four]);
    expect(await ipam.release('web')).toEqual([six]);
  });

  test('by address works for a pool that is gone', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    const { addresses } = await ipam.assign({ handle: 'web', families: ['ipv4'], attributes });
    const [address = expect.fail()] = addresses;
    const key = resourceKey('IPPool', { name: 'pool0' });
    await datastore.transact({ conditions: [], operations: [{ type: 'delete', key }] });
    await expect.poll(() => ipam.releaseAddresses([{ address }])).toEqual([address]);
  });
});

describe('many at once', () => {
  test('assignments that wait at the same time share a transaction, each with an outcome of its own', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    await ipam.ensureBlock('ipv4');
    written = [];
    const ask = (handle: string, addresses?: ReturnType<typeof parseAddress>[]) =>
      ipam.assign({ handle, families: ['ipv4'], attributes, ...(addresses && { addresses }) });
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 16 }, (_, i) => ask(`c${i}`)),
      ask('lost', [parseAddress('10.66.0.1')]),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array<string>(16).fill('fulfilled'),
      'rejected',
    ]);
    expect(new Set((await ipam.allocations()).map(({ handle }) => handle)).size).toBe(16);
    expect(written).toHaveLength(1);
  });

  test('a handle asked for twice at once gets its address once', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    const request = { handle: 'web', families: both.slice(0, 1), attributes };
    const [first, second] = await Promise.all([ipam.assign(request), ipam.assign(request)]);
    expect(second).toEqual(first);
  });

  test('a request that touches too many blocks for one transaction is refused, the others are met', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/24': 32 });
    await putConfig({ strict_affinity: true, auto_allocate_blocks: true, maxBlocksPerHost: 100 });
    const ask = (handle: string, count: number) =>
      ipam.assign({ handle, families: ['ipv4'], attributes, count });
    const [small, large, other] = await Promise.allSettled([
      ask('a', 1),
      ask('b', 70),
      ask('c', 1),
    ]);
    expect([small.status, other.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(large).toMatchObject({ reason: { name: 'LimitError' } });
    expect(await ipam.allocations()).toHaveLength(2);
  });

  test.each([0, 1.5, 1025])('%d addresses are refused', async (count) => {
    const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
    const request = { handle: 'web', families: ['ipv4'] as const, attributes, count };
    await expect(ipam.assign(request)).rejects.toThrow('must be 1 to 1024');
  });

  test('a pool of a thousand addresses gives a thousand at once, and names itself to the next', async () => {
    // A /22 less 24 addresses.
    const reserved = ['10.65.0.0/28', '10.65.3.248/29'];
    await reserve(reserved);
    const ipam = await ipamOf('host11', { '10.65.0.0/22': 26 });
    const asked = Array.from({ length: 500 }, (_, i) =>
      ipam.assign({ handle: `c${i}`, families: ['ipv4'], attributes }),
    );
    const rest = ipam.assign({ handle: 'rest', families: ['ipv4'], attributes, count: 500 });
    const given = (await Promise.all([...asked, rest])).flatMap(({ addresses }) => addresses);

    expect(new Set(given).size).toBe(1000);
    expect(given.filter((a) => reserved.some((r) => contains(parsePrefix(r), a)))).toEqual([]);
    await expect(ipam.assign({ handle: 'more', families: ['ipv4'], attributes })).rejects.toThrow(
      'pool pool0 (10.65.0.0/22) has no free block: all 16 are claimed',
    );
  });
});

async function reserve(reservedCIDRs: unknown): Promise<void> {
  const key = '/calico/resources/v3/projectcalico.org/ipreservations/kept';
  const apiVersion = 'projectcalico.org/v3';
  const metadata = { name: 'kept' };
  const object = { apiVersion, kind: 'IPReservation', metadata, spec: { reservedCIDRs } };
  const value = JSON.stringify(object);
  await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
}

describe('reservations', () => {
  test('keep addresses from those who take any, not from who asks by name', async () => {
    await reserve(['10.65.0.0/31', '10.65.0.2']);
    const ipam = await ipamOf('host11', { '10.65.0.0/29': 29 });
    const request = { handle: 'web', families: ['ipv4'] as const, attributes };

    expect((await ipam.assign(request)).addresses).toEqual(['10.65.0.3']);
    const addresses = [parseAddress('10.65.0.1')];
    expect((await ipam.assign({ ...request, handle: 'gw', addresses })).addresses).toEqual(
      addresses,
    );
  });

  test('that cannot be read keep everything back, and are named', async () => {
    await reserve(['10.65.0.0/33']);
    const ipam = await ipamOf('host11', { '10.65.0.0/29': 29 });
    const request = { handle: 'web', families: ['ipv4'] as const, attributes };
    await expect(ipam.assign(request)).rejects.toThrow('ipreservations/kept');
  });
});

describe('borrowing', () => {
  const ask = (ipam: Ipam, handle: string) =>
    ipam.assign({ handle, families: ['ipv4'], attributes: {} });

  test('takes an address from the block of another host when no block is free', async () => {
    const lender = await ipamOf('host11', { '10.65.0.0/28': 28 });
    await ask(lender, 'a');
    const borrower = await ipamOf('host12');
    const { addresses, blocks, routes } = await ask(borrower, 'b');

    expect(blocks).toEqual(['10.65.0.0/28']);
    expect(routes).toEqual([`${addresses[0]}/32`]);
    expect(await lender.allocations()).toHaveLength(2);
    expect(await borrower.allocationsByHandle('b')).toMatchObject([{ address: addresses[0] }]);
    expect((await ask(lender, 'c')).addresses).not.toEqual(addresses);
    expect(await borrower.release('b')).toEqual(addresses);
  });

  test('is forbidden by strict affinity, and the error says so', async () => {
    await ask(await ipamOf('host11', { '10.65.0.0/28': 28 }), 'a');
    await putConfig({ strict_affinity: true, auto_allocate_blocks: true });
    const borrower = await ipamOf('host12');
    await expect(ask(borrower, 'b')).rejects.toThrow('strict affinity forbids to borrow');
    await expect(
      borrower.assign({
        handle: 'b',
        families: ['ipv4'],
        attributes: {},
        addresses: [parseAddress('10.65.0.9')],
      }),
    ).rejects.toThrow('its block 10.65.0.0/28 belongs to host11, and may not be borrowed');
  });

  test('an address asked for by name may lie in the block of another host', async () => {
    await ask(await ipamOf('host11', { '10.65.0.0/28': 28 }), 'a');
    const addresses = [parseAddress('10.65.0.9')];
    const request = { handle: 'b', families: ['ipv4'] as const, attributes: {}, addresses };
    expect(await (await ipamOf('host12')).assign(request)).toMatchObject({
      addresses,
      routes: ['10.65.0.9/32'],
    });
  });
});

test('an owner that is no host claims under its own name and borrows nothing', async () => {
  await storePools(datastore, { '10.65.0.0/27': 28 });
  const owner = { type: 'virtual', name: 'load-balancer' } as const;
  const view = new IpamView('host11', owner);
  void view.follow((prefix) => datastore.watch(prefix, stop.signal));
  await view.synced;
  const ipam = createIpam({ datastore, node: 'host11', view, owner, now: () => new Date(0) });
  const { blocks } = await ipam.assign({ handle: 'lb-1', families: ['ipv4'], attributes: {} });

  const key = `/calico/ipam/v2/virtual/load-balancer/ipv4/block/${blocks[0]?.replace('/', '-')}`;
  expect((await datastore.get(key))?.value).toContain('confirmed');
  expect(await ipam.blocksOf('host11')).toEqual([]);
  const host = await ipamOf('host11');
  expect((await host.assign({ handle: 'c', families: ['ipv4'], attributes })).blocks).not.toEqual(
    blocks,
  );
});

test('released addresses cool down as the configuration says', async () => {
  const ipam = await ipamOf('host11', { '10.65.0.0/32': 32 });
  const request = { handle: 'web', families: ['ipv4'] as const, attributes };
  await putConfig({ strict_affinity: true, auto_allocate_blocks: true, ipCooldownSeconds: 30 });
  const cautious = await ipamOf('host11');
  await ipam.assign(request);
  await cautious.release('web');
  await expect(cautious.assign(request)).rejects.toThrow('no IPv4 address');
  clock += 30_000;
  expect((await cautious.assign(request)).addresses).toEqual(['10.65.0.0']);
});

describe('spareBlock', () => {
  test('claims a block when fewer than eight addresses are left, and not before', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/24': 28 });
    const ask = (handle: string, count: number) =>
      ipam.assign({ handle, families: ['ipv4'], attributes, count });
    await ask('a', 8);
    expect(await ipam.spareBlock('ipv4')).toBeUndefined();
    await ask('b', 1);
    const spare = await ipam.spareBlock('ipv4');
    expect(await ipam.blocksOf('host11')).toContain(spare);
    expect(await ipam.spareBlock('ipv4')).toBeUndefined();
  });

  test('is content with one more when there is none, and where there is no pool', async () => {
    const ipam = await ipamOf('host11', { '10.65.0.0/32': 32 });
    await ipam.assign({ handle: 'a', families: ['ipv4'], attributes });
    expect(await ipam.spareBlock('ipv4')).toBeUndefined();
    expect(await ipam.spareBlock('ipv6')).toBeUndefined();
  });
});

test('a block that its owner gave up with addresses in use is taken over', async () => {
  const first = await ipamOf('host11', { '10.65.0.0/28': 28 });
  const { addresses } = await first.assign({ handle: 'a', families: ['ipv4'], attributes });
  const admin = createIpamAdmin({ datastore, now: () => new Date(0) });
  for await (const _ of admin.giveUpHost('host11'));

  const second = await ipamOf('host12');
  const { blocks } = await second.assign({ handle: 'b', families: ['ipv4'], attributes: {} });
  expect(await second.blocksOf('host12')).toEqual(blocks);
  expect(await second.allocations()).toHaveLength(2);
  expect(await first.release('a')).toEqual(addresses);
});

test('ensureBlock claims once', async () => {
  const ipam = await ipamOf('host11', { '10.65.0.0/16': 26 });
  const block = await ipam.ensureBlock('ipv4');

  expect(await ipam.ensureBlock('ipv4')).toBe(block);
  expect(await (await ipamOf('host11')).ensureBlock('ipv4')).toBe(block);
  expect(await ipam.blocksOf('host11')).toEqual([block]);
});
