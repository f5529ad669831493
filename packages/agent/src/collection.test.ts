import { MemoryDatastore, MemoryStore } from '@overland/datastore';
import { affinityPrefix, COLLECTION_LEADER_KEY, resourceKey } from '@overland/model';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { collectIfElected } from './collection.ts';

const log = pino({ enabled: false });
const options = { log, graceSeconds: 0, intervalSeconds: 0.01 };

test('one agent collects what a host that is gone has left; when it dies another does', async () => {
  const store = new MemoryStore();
  const datastore = new MemoryDatastore(store);
  const put = (key: string, value: string) =>
    datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
  const claims = async () => (await datastore.list(affinityPrefix('host'))).entries.length;
  const leader = async (): Promise<string> => {
    const entry = await datastore.get(COLLECTION_LEADER_KEY);
    return (JSON.parse(entry?.value ?? '{}') as { holder?: string }).holder ?? '';
  };
  const node = { apiVersion: 'projectcalico.org/v3', kind: 'Node', metadata: { name: 'host1' } };
  await put(resourceKey('Node', { name: 'host1' }), JSON.stringify({ ...node, spec: {} }));
  const stop = new AbortController();
  const agents = ['host1', 'host2'].map((nodeName) => {
    const own = new AbortController();
    const signal = AbortSignal.any([stop.signal, own.signal]);
    const agent = { ...options, nodeName, datastore: new MemoryDatastore(store) };
    return { nodeName, own, done: collectIfElected(agent, signal) };
  });

  await put('/calico/ipam/v2/host/gone/ipv4/block/10.65.0.0-26', '{"state":"pending"}');
  await vi.waitFor(async () => expect(await claims()).toBe(0), { timeout: 10_000 });
  const first = await leader();
  expect(first).toMatch(/^host[12]$/);
  agents.find(({ nodeName }) => nodeName === first)?.own.abort();

  await put('/calico/ipam/v2/host/gone/ipv4/block/10.65.0.64-26', '{"state":"pending"}');
  await vi.waitFor(async () => expect(await claims()).toBe(0), { timeout: 10_000 });
  expect(await leader()).not.toBe(first);
  stop.abort();
  await Promise.all(agents.map(({ done }) => done));
});

test('a host that may not repair says so and goes on without', async () => {
  const datastore = new MemoryDatastore();
  const { AccessDeniedError } = await import('@overland/datastore');
  datastore.lease = async () => {
    throw new AccessDeniedError('permission denied');
  };
  const warn = vi.spyOn(log, 'warn');
  await collectIfElected({ ...options, nodeName: 'host1', datastore }, AbortSignal.timeout(10_000));
  expect(warn).toHaveBeenCalledWith(expect.anything(), expect.stringContaining('may not repair'));
});
