import type { TrackedConnection } from '@overland/linux';
import { fakeKernel } from '@overland/linux/testing';
import { type IpAddress, parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { anySide, openRule } from '../../test/open-policy.ts';
import type { ActiveRule } from '../calc/policy/active-rule.ts';
import { differenceOf, emptyPolicyState } from '../calc/policy-change.ts';
import type { EndpointFilter, PolicyState } from '../calc/policy-state.ts';
import { ConnectionSweep } from './connection-sweep.ts';

const HOST = '10.0.0.1';

/** A connection of TCP to port 80. */
function connection(source: string, destination: string, translated = destination) {
  const tuple = (from: string, to: string, sourcePort: number, destinationPort: number) => ({
    source: parseAddress(from),
    destination: parseAddress(to),
    protocol: 6,
    sourcePort,
    destinationPort,
  });
  return {
    original: tuple(source, destination, 4000, 80),
    reply: tuple(translated, source, 80, 4000),
  };
}

const OPEN = { tiers: [], profiles: ['ingress Profile open'] };

function endpoint(address: string, ingress: EndpointFilter['ingress'] = OPEN): EndpointFilter {
  return { name: address, addresses: [parseAddress(address)], ingress, egress: OPEN };
}

/** Web is open; db is decided by the rules of one policy, which may ask the sets. */
function state(
  rules: readonly ActiveRule[],
  sets: Readonly<Record<string, readonly string[]>> = {},
  endpoints: Readonly<Record<string, EndpointFilter>> = {},
): PolicyState {
  const tier = {
    name: 'default',
    defaultAction: 'Deny',
    lists: ['ingress NetworkPolicy db'],
  } as const;
  return {
    sets: new Map(
      Object.entries(sets).map(([id, members]) => [
        id,
        {
          kind: members.some((one) => one.includes('/')) ? 'nets' : 'addresses',
          members: new Set(members),
        },
      ]),
    ),
    lists: new Map([
      ['ingress Profile open', { name: 'Profile open', rules: [openRule] }],
      ['ingress NetworkPolicy db', { name: 'NetworkPolicy db', rules }],
    ]),
    endpoints: new Map(
      Object.entries({
        caliweb: endpoint('10.65.0.1'),
        calidb: endpoint('10.65.0.2', { tiers: [tier], profiles: [] }),
        ...endpoints,
      }),
    ),
  };
}

function sweeping(...connections: readonly TrackedConnection[]) {
  const kernel = fakeKernel();
  for (const one of connections) kernel.connections.add(one);
  const isHost = (address: IpAddress): boolean => address === HOST;
  const sweep = new ConnectionSweep(kernel.conntrack, isHost);
  let before: PolicyState = emptyPolicyState();
  return {
    kernel,
    sweep,
    async change(after: PolicyState): Promise<string[]> {
      sweep.note(differenceOf(before, after, true), before);
      before = after;
      await sweep.run(after);
      return [...kernel.connections].map(
        ({ original: { source, destination } }) => `${source} ${destination}`,
      );
    },
  };
}

const fromSet = (...sets: string[]): ActiveRule => ({ ...openRule, source: { ...anySide, sets } });
const notFromSet = (...notSets: string[]): ActiveRule => ({
  ...openRule,
  source: { ...anySide, notSets },
});

const TO_DB = connection('10.65.0.1', '10.65.0.2');
const FROM_HOST = connection(HOST, '10.65.0.2');
const OF_OTHERS = connection('10.9.0.1', '10.9.0.2');

test('what a change forbids ends; what is allowed, the host’s own, and what passes by goes on', async () => {
  const back = connection('10.65.0.2', '10.65.0.1');
  const { change, sweep } = sweeping(TO_DB, back, FROM_HOST, OF_OTHERS);
  expect(await change(state([openRule]))).toHaveLength(4);
  expect(await change(state([]))).toEqual([
    '10.65.0.2 10.65.0.1',
    `${HOST} 10.65.0.2`,
    '10.9.0.1 10.9.0.2',
  ]);
  expect(sweep.ended).toBe(1);
});

test('at the start everything is judged by the first state', async () => {
  const { change } = sweeping(TO_DB, OF_OTHERS);
  expect(await change(state([]))).toEqual(['10.9.0.1 10.9.0.2']);
});

test('who leaves a set that is allowed, or enters one that is not, is cut off', async () => {
  const { change, kernel } = sweeping(TO_DB);
  const rules = [fromSet('good')];
  expect(await change(state(rules, { good: ['10.65.0.1', '10.65.0.3'] }))).toHaveLength(1);
  kernel.operations.length = 0;
  // To be let in forbids nobody anything: nothing is looked for.
  expect(await change(state(rules, { good: ['10.65.0.1', '10.65.0.4'] }))).toHaveLength(1);
  expect(await change(state(rules, { good: ['10.65.0.4'] }))).toEqual([]);

  const other = sweeping(TO_DB);
  const excluding = [notFromSet('bad')];
  expect(await other.change(state(excluding, { bad: ['10.65.0.9'] }))).toHaveLength(1);
  expect(await other.change(state(excluding, { bad: ['10.65.0.9', '10.65.0.1'] }))).toEqual([]);
});

test('prefixes count, too', async () => {
  const { change } = sweeping(TO_DB);
  expect(await change(state([fromSet('s')], { s: ['10.65.0.0/24', '10.9.0.1'] }))).toHaveLength(1);
  expect(await change(state([fromSet('s')], { s: ['10.66.0.0/24', '10.9.0.1'] }))).toEqual([]);
});

test('behind a translation, the destination that policy has seen counts', async () => {
  const { change } = sweeping(
    connection('10.9.0.1', HOST, '10.65.0.2'),
    connection('10.9.0.1', HOST),
  );
  expect(await change(state([openRule]))).toHaveLength(2);
  expect(await change(state([]))).toEqual([`10.9.0.1 ${HOST}`]);
});

test('of an address that leaves, and of one that comes, nothing goes on', async () => {
  const { change, kernel } = sweeping(TO_DB, OF_OTHERS);
  await change(state([openRule]));
  const left = state([openRule]);
  const without = new Map([...left.endpoints].filter(([name]) => name !== 'caliweb'));
  expect(await change({ ...left, endpoints: without })).toEqual(['10.9.0.1 10.9.0.2']);
  kernel.connections.add(connection('10.9.0.1', '10.65.0.7'));
  const more = { calinew: endpoint('10.65.0.7') };
  expect(await change(state([openRule], {}, more))).toEqual(['10.9.0.1 10.9.0.2']);
});

test('what could not be ended is tried again', async () => {
  const { change, kernel, sweep } = sweeping(TO_DB);
  await change(state([openRule]));
  kernel.refuse = (operation) => (operation.startsWith('forget') ? 'ENOMEM' : undefined);
  await expect(change(state([]))).rejects.toThrow('ENOMEM');
  kernel.refuse = () => undefined;
  await sweep.run(state([]));
  expect(kernel.connections.size).toBe(0);
});
