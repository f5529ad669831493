import { MemoryDatastore } from '@overland/datastore';
import { createIpam, IpamView } from '@overland/ipam';
import { resourceKey } from '@overland/model';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BlockKeeper } from './block-keeper.ts';

const log = pino({ enabled: false });

async function keeperOf(cidr: string) {
  const datastore = new MemoryDatastore();
  const metadata = { name: 'pool' };
  const spec = { cidr, blockSize: 28 };
  const pool = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata, spec };
  const key = resourceKey('IPPool', metadata);
  const operation = { type: 'put', key, value: JSON.stringify(pool) } as const;
  await datastore.transact({ conditions: [], operations: [operation] });
  const stop = new AbortController();
  const view = new IpamView('host11');
  void view.follow((prefix) => datastore.watch(prefix, stop.signal));
  await view.synced;
  const ipam = createIpam({ datastore, node: 'host11', view, now: () => new Date(0) });
  const keeper = new BlockKeeper(ipam, log);
  onTestFinished(() => {
    keeper.stop();
    stop.abort();
  });
  const give = (handle: string, count: number) =>
    ipam.assign({ handle, families: ['ipv4'], count, attributes: { node: 'host11' } });
  return { datastore, ipam, keeper, give };
}

test('a further block is claimed when few addresses are left, before one is needed', async () => {
  const { ipam, keeper, give } = await keeperOf('10.65.0.0/24');
  await give('a', 8);
  await keeper.keepSpare(['ipv4']);
  expect(await ipam.blocksOf('host11')).toHaveLength(1);
  await give('b', 1);
  await keeper.keepSpare(['ipv4', 'ipv6']);
  expect(await ipam.blocksOf('host11')).toHaveLength(2);
});

test('without a further block, or without a datastore, all goes on', async () => {
  const { datastore, ipam, keeper, give } = await keeperOf('10.65.0.0/28');
  await give('a', 16);
  await keeper.keepSpare(['ipv4']);
  expect(await ipam.blocksOf('host11')).toHaveLength(1);

  const wide = await keeperOf('10.65.0.0/24');
  await wide.give('a', 12);
  const warn = vi.spyOn(log, 'warn');
  {
    using _outage = wide.datastore.outage();
    await wide.keeper.keepSpare(['ipv4']);
  }
  expect(warn).toHaveBeenCalledTimes(1);
  await wide.keeper.keepSpare(['ipv4']);
  expect(await wide.ipam.blocksOf('host11')).toHaveLength(2);
  await datastore[Symbol.asyncDispose]();
});
