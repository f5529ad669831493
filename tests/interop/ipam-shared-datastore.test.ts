import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Datastore, openDatastore } from '@overland/datastore';
import { createIpam, type Ipam, IpamView } from '@overland/ipam';
import { resourceKey } from '@overland/model';
import { expect, test } from 'vitest';

const HOSTS = ['host11', 'host12', 'host21', 'host22'];
const PER_HOST = 15;

async function storePools(datastore: Datastore): Promise<void> {
  // Blocks of 4, and 16 of them for 4 × 15 containers: the hosts contend for blocks to the last one.
  const pools = {
    v4: { cidr: '10.65.0.0/26', blockSize: 30 },
    v6: { cidr: 'fd00:65::/122', blockSize: 126 },
  };
  for (const [name, spec] of Object.entries(pools)) {
    const metadata = { name };
    const pool = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata, spec };
    const key = resourceKey('IPPool', metadata);
    const value = JSON.stringify(pool);
    await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
  }
}

async function ipamOf(node: string, datastore: Datastore, signal: AbortSignal): Promise<Ipam> {
  const view = new IpamView(node);
  void view.follow((prefix) => datastore.watch(prefix, signal));
  await view.synced;
  return createIpam({ datastore, node, view, now: () => new Date() });
}

test('four hosts on one SQLite file get different addresses, and give them all back', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'overland-ipam-'));
  const stop = new AbortController();
  try {
    await using clients = new AsyncDisposableStack();
    const open = async (): Promise<Datastore> =>
      clients.use(await openDatastore({ type: 'sqlite', path: join(directory, 'store.db') }));
    await storePools(await open());
    const ipams = await Promise.all(
      HOSTS.map(async (node) => ipamOf(node, await open(), stop.signal)),
    );
    const handles = Array.from({ length: PER_HOST }, (_, i) => i);
    const assigned = await Promise.all(
      ipams.flatMap((ipam, host) =>
        handles.map((i) =>
          ipam.assign({
            handle: `${HOSTS[host]}.${i}`,
            families: ['ipv4', 'ipv6'],
            attributes: { node: HOSTS[host] ?? '' },
          }),
        ),
      ),
    );
    const addresses = assigned.flatMap((assignment) => assignment.addresses);
    expect(new Set(addresses).size).toBe(2 * HOSTS.length * PER_HOST);
    expect((await Promise.all(ipams.map((ipam) => ipam.allocations()))).flat()).toHaveLength(
      addresses.length,
    );

    await Promise.all(
      ipams.flatMap((ipam, host) => handles.map((i) => ipam.release(`${HOSTS[host]}.${i}`))),
    );
    expect((await Promise.all(ipams.map((ipam) => ipam.allocations()))).flat()).toEqual([]);
  } finally {
    stop.abort();
    await rm(directory, { recursive: true, force: true });
  }
});
