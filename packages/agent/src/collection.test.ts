import { MemoryDatastore, MemoryStore } from '@overland/datastore';
import {
  affinityPrefix,
  COLLECTION_LEADER_KEY,
  CONTROLLERS_CONFIGURATION_KEY,
  resourceKey,
} from '@overland/model';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { collectIfElected, intervalMs, leakGraceMs } from './collection.ts';

const log = pino({ enabled: false });
const options = { log, shortestIntervalSeconds: 0.01 };

const configuration = (leakGracePeriod: unknown) =>
  JSON.stringify({
    kind: 'KubeControllersConfiguration',
    spec: { controllers: { node: { leakGracePeriod } } },
  });

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
  await put(CONTROLLERS_CONFIGURATION_KEY, configuration('1ms'));
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

test('a leak is looked at again as long as the grace period is, and put right after it', async () => {
  const datastore = new MemoryDatastore();
  const put = (key: string, value: string) =>
    datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
  const claims = async () => (await datastore.list(affinityPrefix('host'))).entries.length;
  const list = vi.spyOn(datastore, 'list');
  const get = vi.spyOn(datastore, 'get');
  const looks = () => list.mock.calls.length;
  await put('/calico/ipam/v2/host/gone/ipv4/block/10.65.0.0-26', '{"state":"pending"}');

  // Nothing is collected, and nothing read for it.
  await put(CONTROLLERS_CONFIGURATION_KEY, configuration('0'));
  const kept = new AbortController();
  const keeping = collectIfElected({ ...options, nodeName: 'host1', datastore }, kept.signal);
  await vi.waitFor(() => expect(get).toHaveBeenCalledWith(CONTROLLERS_CONFIGURATION_KEY));
  kept.abort();
  await keeping;
  expect(looks()).toBe(0);
  expect(await claims()).toBe(1);

  const stop = new AbortController();
  await put(CONTROLLERS_CONFIGURATION_KEY, configuration('300ms'));
  const startedAt = performance.now();
  const done = collectIfElected({ ...options, nodeName: 'host1', datastore }, stop.signal);
  await vi.waitFor(async () => expect(await claims()).toBe(0), { timeout: 10_000, interval: 10 });
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(300);
  stop.abort();
  await done;
});

test.each([
  [undefined, 900_000],
  [configuration(undefined), 900_000],
  [configuration('15m0s'), 900_000],
  [configuration('1m30s'), 90_000],
  [configuration('0'), 0],
  [configuration('0s'), 0],
  [configuration('soon'), 900_000],
  [configuration(5), 900_000],
  ['{"spec":{"controllers":{}}}', 900_000],
  ['{"spec":{"controllers":null}}', 900_000],
  ['{', 900_000],
])('the grace period of %s is %d ms', (stored, ms) => {
  expect(leakGraceMs(stored)).toBe(ms);
});

test.each([
  [900_000, 300_000],
  [300_000, 150_000],
  [1000, 10_000],
  [0, 300_000],
])('with a grace period of %d ms it looks every %d ms', (graceMs, waitMs) => {
  expect(intervalMs(graceMs, 10_000)).toBe(waitMs);
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
