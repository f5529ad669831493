import { fakeIpSets, fakeIptables } from '@overland/linux/testing';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { cluster, clusterWithHost, NODE } from '../../../test/random-policies.ts';
import { setName } from '../../calc/iptables/names.ts';
import type { PolicyInputs } from '../../calc/policy/policy-inputs.ts';
import { PolicyView } from '../../calc/policy/policy-view.ts';
import { differenceOf, emptyPolicyState } from '../../calc/policy-change.ts';
import type { PolicyState } from '../../calc/policy-state.ts';
import { policyStateOf } from '../../calc/policy-state-of.ts';
import { systemClock } from '../clock.ts';
import { IptablesPolicy } from './iptables-policy.ts';

const log = pino({ level: 'silent' });
const stateOf = (inputs: PolicyInputs): PolicyState => policyStateOf(new PolicyView(inputs), NODE);
const states = (count: number, seed: number, clusters = cluster) =>
  fc.sample(clusters, { numRuns: count, seed }).map(stateOf);

/** A kernel with agents that come and go. */
function host(refuses: (rule: string) => boolean = () => false) {
  const iptables = fakeIptables(refuses);
  const sets = fakeIpSets((name) => iptables.rules().some((rule) => rule.includes(` ${name} `)));
  let before: PolicyState = emptyPolicyState();
  const start = () => {
    before = emptyPolicyState();
    return new IptablesPolicy({ iptables, sets, clock: systemClock, log });
  };
  return {
    iptables,
    sets,
    start,
    async tell(policy: IptablesPolicy, state: PolicyState, synced = true): Promise<boolean> {
      policy.accept(differenceOf(before, state, synced));
      before = state;
      return await policy.reconcile();
    },
    content: () => ({
      rules: iptables.rules().toSorted(),
      sets: new Map([...sets.sets].map(([name, { members }]) => [name, [...members].toSorted()])),
    }),
  };
}

type Host = ReturnType<typeof host>;

async function contentOf(state: PolicyState): Promise<ReturnType<Host['content']>> {
  const fresh = host();
  await fresh.tell(fresh.start(), state);
  return fresh.content();
}

test('whatever there was before, the kernel holds what is wanted now, and nothing else', async () => {
  const one = host();
  let policy = one.start();
  const all = [...states(15, 1), ...states(15, 1, clusterWithHost)];
  for (const [i, state] of all.entries()) {
    if (i % 5 === 0) policy = one.start();
    await one.tell(policy, state);
    expect(one.content()).toEqual(await contentOf(state));
  }
});

test('a restart writes nothing, and removes nothing before the datastore has been read', async () => {
  const one = host();
  const [state = emptyPolicyState()] = states(1, 2);
  await one.tell(one.start(), state);
  const before = one.content();
  const writes = () => one.iptables.writes + one.sets.writes;
  const written = writes();
  const policy = one.start();
  expect(await policy.reconcile()).toBe(false);
  const { host: rules } = state;
  expect(await one.tell(policy, { ...emptyPolicyState(), host: rules }, false)).toBe(false);
  expect(one.content()).toEqual(before);
  const [name = '', filter] = [...state.endpoints][0] ?? [];
  expect(policy.isEnforced(name, filter?.addresses ?? [])).toBe(false);
  expect(await one.tell(policy, state)).toBe(false);
  expect(policy.isEnforced(name, filter?.addresses ?? [])).toBe(true);
  expect(writes()).toBe(written);
  expect(one.content()).toEqual(before);
});

test('what somebody else changes is put right, and counted', async () => {
  const one = host();
  const policy = one.start();
  const state = states(20, 3).find(({ sets }) => sets.size > 1) ?? emptyPolicyState();
  await one.tell(policy, state);
  const before = one.content();
  await one.iptables.transact('ipv4', 'filter', [
    { type: 'append-rule', chain: 'cali-wl-to-host', rule: '-j ACCEPT' },
    { type: 'flush-chain', chain: 'cali-from-wl-dispatch' },
    { type: 'insert-rule', chain: 'FORWARD', rule: '-s 192.0.2.1/32 -j ACCEPT' },
  ]);
  const [set] = one.sets.sets.values();
  set?.members.add('192.0.2.99');
  expect(await policy.reconcile()).toBe(false);
  policy.doubt();
  expect(await policy.reconcile()).toBe(true);
  const { rules, sets } = one.content();
  expect(sets).toEqual(before.sets);
  const others = 'ipv4 filter FORWARD -s 192.0.2.1/32 -j ACCEPT';
  expect(rules.filter((rule) => rule !== others)).toEqual(before.rules);
  expect(rules).toContain(others);
  const forward = (await one.iptables.read('ipv4', 'filter')).get('FORWARD') ?? [];
  expect(forward[0]).toContain('cali-FORWARD');
  expect(policy.counts().repairs).toBeGreaterThan(0);
});

test('a policy that is refused is closed, and keeps nothing else out', async () => {
  const allowsWeb = (rule: string) => rule.includes('--destination-ports 8443');
  let isRefusing = true;
  const one = host((rule) => isRefusing && allowsWeb(rule));
  const policy = one.start();
  const state = stateWithWeb();
  await one.tell(policy, state);
  const [failure] = [...policy.failures()];
  expect(failure?.what).toBe('policy ingress GlobalNetworkPolicy web');
  const chain = (await one.iptables.read('ipv4', 'filter')).get('cali-pi-web') ?? [];
  expect(chain).toEqual([expect.stringContaining('-j DROP')]);
  expect(policy.isEnforced('cali1', [])).toBe(true);
  isRefusing = false;
  await expect.poll(() => policy.reconcile(), { timeout: 10_000 }).toBe(true);
  expect([...policy.failures()]).toEqual([]);
  expect(one.content()).toEqual(await contentOf(state));
});

test('a set that cannot be made closes what asks it, and nothing else', async () => {
  const one = host();
  const policy = one.start();
  const state = states(20, 3).find(({ sets }) => sets.size > 1) ?? emptyPolicyState();
  const [id = ''] = state.sets.keys();
  const members = new Set(['no member']);
  const sets = new Map(state.sets).set(id, { kind: 'nets', members });
  await one.tell(policy, { ...state, sets });
  expect([...policy.failures()]).toMatchObject([{ what: `set ${id}` }]);
  const rules = one.iptables.rules().filter((rule) => rule.includes(setName(id, 4)));
  expect(rules).toEqual([]);
  await one.tell(policy, state);
  expect([...policy.failures()]).toEqual([]);
  expect(one.content()).toEqual(await contentOf(state));
});

function stateWithWeb(): PolicyState {
  const [sample = emptyPolicyState()] = states(1, 4);
  const [template] = [...sample.endpoints.values()];
  if (!template) throw new Error('no endpoint');
  const side = {
    nets: [],
    notNets: [],
    sets: [],
    notSets: [],
    ports: undefined,
    notPorts: undefined,
  };
  const rule = {
    action: 'Allow' as const,
    ipVersion: undefined,
    protocol: 6,
    notProtocol: undefined,
    icmp: undefined,
    notIcmp: undefined,
    source: side,
    destination: { ...side, ports: { ranges: [{ first: 8443, last: 8443 }], sets: [] } },
    inert: undefined,
  };
  const id = 'ingress GlobalNetworkPolicy web';
  return {
    ...emptyPolicyState(),
    lists: new Map([[id, { name: 'GlobalNetworkPolicy web', rules: [rule] }]]),
    endpoints: new Map([
      [
        'cali1',
        {
          ...template,
          addresses: [],
          ingress: {
            tiers: [{ name: 'default', defaultAction: 'Deny', lists: [id] }],
            profiles: [],
          },
          egress: { tiers: [], profiles: [] },
        },
      ],
    ]),
  };
}
