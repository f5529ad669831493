import { setImmediate } from 'node:timers/promises';
import {
  applyChange,
  emptyPolicyState,
  type FilterMode,
  type PolicyChange,
  policyStateFromJson,
  policyStateToJson,
} from '@overland/felix';
import { resourceKey } from '@overland/model';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { PolicyPublisher } from './policy-publisher.ts';

const log = pino({ level: 'silent' });

/** A publisher, and what its changes lead to. */
function setUp() {
  const changes: PolicyChange[] = [];
  const modes: FilterMode[] = [];
  const state = emptyPolicyState();
  const publisher = new PolicyPublisher({
    nodeName: 'h1',
    log,
    // A disk takes its time.
    beforeChange: () => setImmediate(),
    // As a thread gets it: a copy.
    changePolicy: async (change) => {
      changes.push(change);
      applyChange(state, structuredClone(change));
    },
    setFilterMode: async (mode) => {
      modes.push(mode);
    },
  });
  const put = (
    kind: 'NetworkPolicy' | 'WorkloadEndpoint',
    name: string,
    document: object | string,
  ) => {
    const value = typeof document === 'string' ? document : JSON.stringify(document);
    publisher.update(resourceKey(kind, { namespace: 'prod', name }), value);
  };
  return { publisher, put, changes, modes, state };
}

const workload = (name: string, node = 'h1') => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'WorkloadEndpoint',
  metadata: { name, namespace: 'prod', labels: { app: name } },
  spec: {
    node,
    orchestrator: 'cni',
    endpoint: 'eth0',
    interfaceName: `cali${name}`,
    ipNetworks: [`10.65.0.${name.charCodeAt(0) - 96}/32`],
  },
});
const policy = (spec: object) => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { name: 'p', namespace: 'prod' },
  spec: { selector: "app == 'a'", types: ['Ingress'], ...spec },
});
const FROM_B = { ingress: [{ action: 'Allow', source: { selector: "app == 'b'" } }] };

test('what the entries say is sent once, then what changes; what changes nothing is not', async () => {
  const { publisher, put, changes, state } = setUp();
  expect(await publisher.publish()).toBe(true);
  expect(changes).toMatchObject([{ synced: true }]);
  put('WorkloadEndpoint', 'a', workload('a'));
  put('WorkloadEndpoint', 'b', workload('b', 'h2'));
  put('NetworkPolicy', 'p', policy(FROM_B));
  expect(await publisher.publish()).toBe(true);
  expect([...state.sets.values()]).toEqual([
    { kind: 'addresses', members: new Set(['10.65.0.2']) },
  ]);
  expect(publisher.state).toEqual(state);
  put('WorkloadEndpoint', 'b', workload('b', 'h3'));
  expect(await publisher.publish()).toBe(false);
  publisher.update(resourceKey('WorkloadEndpoint', { namespace: 'prod', name: 'b' }), undefined);
  expect(await publisher.publish()).toBe(true);
  expect(changes.map(({ sets }) => [...sets.values()])).toMatchObject([
    [],
    [{ members: new Set(['10.65.0.2']) }],
    [{ add: [], remove: ['10.65.0.2'] }],
  ]);
});

test('what comes after publish() is told after the change, which may not be answered for yet', async () => {
  const told: string[] = [];
  const answered = Promise.withResolvers<void>();
  const publisher = new PolicyPublisher({
    nodeName: 'h1',
    log,
    beforeChange: () => setImmediate(),
    changePolicy: () => {
      told.push('policy');
      return answered.promise;
    },
    setFilterMode: async () => undefined,
  });
  await publisher.publish();
  told.push('endpoints');
  void publisher.taken.then(() => told.push('answered'));
  answered.resolve();
  await publisher.taken;
  expect(told).toEqual(['policy', 'endpoints', 'answered']);
});

test('after a snapshot, what differs from it is sent', async () => {
  const before = setUp();
  before.put('WorkloadEndpoint', 'a', workload('a'));
  before.put('WorkloadEndpoint', 'c', workload('c'));
  await before.publisher.publish();
  const stored = policyStateFromJson(policyStateToJson(before.publisher.state));
  if (!stored) throw new Error('the snapshot cannot be read');

  const { publisher, put, changes, state } = setUp();
  await publisher.publishSnapshot(stored);
  expect([...state.endpoints.keys()]).toEqual(['calia', 'calic']);
  put('WorkloadEndpoint', 'a', workload('a'));
  put('WorkloadEndpoint', 'b', workload('b'));
  await publisher.publish();
  expect(changes.map(({ synced, endpoints }) => [synced, ...endpoints.keys()])).toEqual([
    [false, 'calia', 'calic'],
    [true, 'calib', 'calic'],
  ]);
  expect([...state.endpoints.keys()]).toEqual(['calia', 'calib']);
});

describe('an entry that cannot be read', () => {
  test.each<[string, object | string]>([
    ['a policy with an action of another version', policy({ ingress: [{ action: 'Audit' }] })],
    ['a policy with a broken selector', policy({ selector: 'app ~ b' })],
    ['a policy that is no JSON', '{'],
  ])('%s closes whom it selects, and is named', async (_, document) => {
    const { publisher, put, state } = setUp();
    put('WorkloadEndpoint', 'a', workload('a'));
    put('NetworkPolicy', 'p', document);
    await publisher.publish();
    expect(state.endpoints.get('calia')?.ingress.tiers).toMatchObject([
      { lists: ['ingress NetworkPolicy prod/p'] },
    ]);
    const list = state.lists.get('ingress NetworkPolicy prod/p');
    expect(list).toMatchObject({
      rules: [],
      missing: expect.stringContaining('it cannot be read'),
    });
    expect(publisher.problems().map(({ resource }) => resource)).toContain('NetworkPolicy prod/p');
    put('NetworkPolicy', 'p', policy(FROM_B));
    await publisher.publish();
    expect(state.lists.get('ingress NetworkPolicy prod/p')?.missing).toBeUndefined();
    expect(publisher.problems()).toEqual([]);
  });

  test('an endpoint is unknown, and blocks nothing else', async () => {
    const { publisher, put, state } = setUp();
    put('WorkloadEndpoint', 'a', { ...workload('a'), spec: 7 });
    put('WorkloadEndpoint', 'b', workload('b'));
    await publisher.publish();
    expect([...state.endpoints.keys()]).toEqual(['calib']);
    expect(publisher.problems()).toHaveLength(1);
  });
});

test('what a FelixConfiguration says of the packet filter is told once, and when it changes', async () => {
  const { publisher, modes } = setUp();
  const about = { apiVersion: 'projectcalico.org/v3', kind: 'FelixConfiguration' } as const;
  const say = (name: string, spec: object | undefined) =>
    publisher.update(
      resourceKey(about.kind, { name }),
      spec && JSON.stringify({ ...about, metadata: { name }, spec }),
    );
  await publisher.publish();
  say('default', { nftablesMode: 'Disabled' });
  await publisher.publish();
  say('node.h2', { nftablesMode: 'Enabled' });
  await publisher.publish();
  say('default', undefined);
  await publisher.publish();
  expect(modes).toEqual([{}, { nftablesMode: 'Disabled' }, {}]);
});
