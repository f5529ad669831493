import { type NftChange, NftError } from '@overland/linux';
import { fakeNftables } from '@overland/linux/testing';
import { parseAddress } from '@overland/net';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { anySide, openRule } from '../../../test/open-policy.ts';
import type { RuleList } from '../../calc/policy/policy-view.ts';
import { differenceOf, emptyPolicyState } from '../../calc/policy-change.ts';
import { type PolicyState, type SetState, setsOf } from '../../calc/policy-state.ts';
import { NftPolicy } from './nft-policy.ts';

const TABLE = 'inet overland';
const log = pino({ level: 'silent' });

/** A policy filter on a fake, told whole states; `refuse` says what the kernel does not take. */
function filter() {
  const fake = fakeNftables();
  let now = 0;
  let refuse: (change: NftChange) => boolean = () => false;
  const transact = async (changes: readonly NftChange[]): Promise<void> => {
    const bad = changes.find((change) => refuse(change));
    if (bad) throw new NftError(`refused: ${JSON.stringify(bad)}`);
    await fake.transact(changes);
  };
  const nftables = { ...fake, transact };
  const clock = { now: () => now, schedule: () => () => undefined, yield: async () => undefined };
  const start = () => new NftPolicy({ nftables, clock, log });
  let policy = start();
  let before: PolicyState = emptyPolicyState();
  return {
    fake,
    get policy() {
      return policy;
    },
    restart() {
      policy = start();
      before = emptyPolicyState();
    },
    accept(after: PolicyState, synced = true) {
      policy.accept(differenceOf(before, after, synced));
      before = after;
    },
    refuse(what: (change: NftChange) => boolean) {
      refuse = what;
    },
    pass(milliseconds: number) {
      now += milliseconds;
    },
    rules: (chain: string) => fake.content.get(TABLE)?.chains.get(chain)?.rules,
    chains: () => [...(fake.content.get(TABLE)?.chains.keys() ?? [])].toSorted(),
    sets: () =>
      Object.fromEntries(
        [...(fake.content.get(TABLE)?.sets ?? [])].map(([name, { elements }]) => [
          name,
          [...elements.keys()].toSorted(),
        ]),
      ),
    leads: () =>
      [...(fake.content.get(TABLE)?.sets.get('from-workloads')?.elements.keys() ?? [])].toSorted(),
    ofType: (type: NftChange['type'], part: string) => (change: NftChange) =>
      change.type === type && JSON.stringify(change).includes(part),
  };
}

const asking = (name: string, ...sets: string[]): RuleList => ({
  name: `NetworkPolicy ${name}`,
  rules: [{ ...openRule, source: { ...anySide, sets } }],
});

/** One policy for each endpoint, which asks a set of its own. */
function state(
  endpoints: Readonly<Record<string, string>>,
  sets: Readonly<Record<string, SetState>> = {},
): PolicyState {
  const names = [...new Set(Object.values(endpoints))];
  const lists = new Map(
    names.map((name) => [`ingress NetworkPolicy ${name}`, asking(name, ...Object.keys(sets))]),
  );
  const asked = new Set([...lists.values()].flatMap(setsOf));
  return {
    sets: new Map(Object.entries(sets).filter(([id]) => asked.has(id))),
    lists,
    endpoints: new Map(
      Object.entries(endpoints).map(([name, policy]) => [
        name,
        {
          name,
          addresses: [parseAddress('10.65.0.1')],
          ingress: {
            tiers: [
              {
                name: 'default',
                defaultAction: 'Deny',
                lists: [`ingress NetworkPolicy ${policy}`],
              },
            ],
            profiles: [],
          },
          egress: { tiers: [], profiles: [] },
        },
      ]),
    ),
  };
}

const members = (kind: SetState['kind'], ...list: string[]): SetState => ({
  kind,
  members: new Set(list),
});

test('sets, lists and endpoints of a state are in the kernel, and gone with it', async () => {
  const { policy, accept, chains, sets, leads } = filter();
  await policy.reconcile();
  const nothing = [chains(), sets()];
  const set = members('addresses', '10.0.0.1', 'fd00::1');
  accept(state({ cali1: 'p', cali2: 'p' }, { 's:x': set }));
  expect(policy.isEnforced('cali1', [])).toBe(false);
  expect(await policy.reconcile()).toBe(true);
  expect(policy.isEnforced('cali1', [parseAddress('10.65.0.1')])).toBe(true);
  expect(policy.isEnforced('cali1', [parseAddress('10.65.0.9')])).toBe(false);
  expect(policy.isEnforced('cali3', [])).toBe(false);
  expect(leads()).toEqual(['cali1', 'cali2']);
  expect(sets()).toMatchObject({ 's-x-v4': ['10.0.0.1'], 's-x-v6': ['fd00::1'] });
  expect(chains()).toContain('ingress/NetworkPolicy/p');
  accept(state({}));
  await policy.reconcile();
  expect(leads()).toEqual([]);
  expect([chains(), sets()]).toEqual(nothing);
});

test('a set that comes to hold prefixes is another set, which the rules ask from then on', async () => {
  const { policy, accept, sets, rules } = filter();
  accept(state({ cali1: 'p' }, { s: members('addresses', '10.0.0.1') }));
  await policy.reconcile();
  accept(state({ cali1: 'p' }, { s: members('nets', '10.0.0.1', '10.0.0.0/8', '10.1.0.0/16') }));
  await policy.reconcile();
  expect(sets()).toMatchObject({ 's-nets-v4': ['10.0.0.0/8'] });
  expect(sets()['s-v4']).toBeUndefined();
  expect(rules('ingress/NetworkPolicy/p')?.[0]).toContain('@s-nets-v4');
  accept(state({ cali1: 'p' }, { s: members('nets', '10.0.0.1', '10.1.0.0/16') }));
  await policy.reconcile();
  expect(sets()).toMatchObject({ 's-nets-v4': ['10.0.0.1', '10.1.0.0/16'] });
});

test('a prefix that comes or goes costs what it changes, not the set', async () => {
  const { policy, accept, sets, refuse } = filter();
  const many = Array.from({ length: 500 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  accept(state({ cali1: 'p' }, { s: members('nets', ...many, 'fd00::/8') }));
  await policy.reconcile();
  const written: string[] = [];
  refuse((change) => {
    written.push(`${change.type} ${'elements' in change ? change.elements.length : ''}`);
    return false;
  });
  accept(state({ cali1: 'p' }, { s: members('nets', ...many, '10.1.0.0/30', '11.0.0.0/8') }));
  await policy.reconcile();
  // The /30 is in a /24 already.
  expect(written).toEqual(['add-elements 1', 'remove-elements 1']);
  expect(sets()).toMatchObject({ 's-nets-v4': [...many, '11.0.0.0/8'].toSorted() });
  expect(sets()['s-nets-v6']).toEqual([]);
});

test('a list that the kernel refuses is closed and named, and keeps nothing else back; it is tried again', async () => {
  const { policy, accept, refuse, pass, ofType, rules } = filter();
  refuse(ofType('add-rule', 'counted-out'));
  const bad = state({ cali1: 'good', cali2: 'bad' });
  const lists = new Map(bad.lists);
  const list = asking('bad', 'counted-out');
  lists.set('ingress NetworkPolicy bad', list);
  accept({ ...bad, lists, sets: new Map([['counted-out', members('addresses')]]) });
  await policy.reconcile();
  expect(rules('ingress/NetworkPolicy/bad')).toEqual(['drop']);
  expect(rules('ingress/NetworkPolicy/good')?.at(-1)).toContain('return');
  expect(policy.isEnforced('cali1', [])).toBe(true);
  // Its other policies and its other direction are in place.
  expect(policy.isEnforced('cali2', [])).toBe(true);
  expect([...policy.failures()]).toEqual([
    expect.objectContaining({ what: 'policy ingress NetworkPolicy bad', attempts: 1 }),
  ]);
  pass(200);
  await policy.reconcile();
  expect([...policy.failures()][0]).toMatchObject({ attempts: 2 });
  refuse(() => false);
  pass(60_000);
  await policy.reconcile();
  expect(rules('ingress/NetworkPolicy/bad')?.[0]).toContain('counted-out');
  expect([...policy.failures()]).toEqual([]);
});

test('a set that the kernel refuses closes the lists that ask it; an endpoint that it refuses drops', async () => {
  const { policy, accept, refuse, ofType, rules, leads, pass } = filter();
  refuse(ofType('add-elements', '10.0.0.66'));
  accept(state({ cali1: 'p' }, { s: members('addresses', '10.0.0.66') }));
  await policy.reconcile();
  expect(rules('ingress/NetworkPolicy/p')).toEqual(['drop']);
  expect([...policy.failures()][0]).toMatchObject({ what: 'set s' });
  refuse(ofType('add-chain', 'to-cali2'));
  accept(state({ cali1: 'p', cali2: 'p' }, { s: members('addresses', '10.0.0.1') }));
  pass(60_000);
  await policy.reconcile();
  expect(rules('ingress/NetworkPolicy/p')?.[0]).toContain('@s-v4');
  expect(leads()).toEqual(['cali1']);
  expect(policy.isEnforced('cali2', [])).toBe(false);
  expect([...policy.failures()].map(({ what }) => what)).toEqual(['endpoint cali2']);
});

test('nothing is removed before the datastore is in sync, and a restart on the same writes nothing', async () => {
  const it = filter();
  it.accept(state({ cali1: 'p', cali2: 'q' }, { s: members('addresses', '10.0.0.1') }));
  await it.policy.reconcile();
  it.restart();
  const { writes } = it.fake;
  await it.policy.reconcile();
  it.accept(state({ cali1: 'p' }, { s: members('addresses', '10.0.0.1') }), false);
  await it.policy.reconcile();
  expect(it.fake.writes).toBe(writes);
  expect(it.leads()).toEqual(['cali1', 'cali2']);
  it.accept(state({ cali1: 'p' }, { s: members('addresses', '10.0.0.1') }), true);
  await it.policy.reconcile();
  expect(it.leads()).toEqual(['cali1']);
});

test('a restart that is told sets first, and the rest later, writes nothing', async () => {
  const it = filter();
  const wanted = state(
    { cali1: 'web' },
    { a: members('addresses', '10.0.0.1'), b: members('addresses', '10.0.0.2') },
  );
  it.accept(wanted);
  await it.policy.reconcile();
  it.restart();
  it.refuse(() => true);
  expect(await it.policy.reconcile()).toBe(false);
  for (const sets of [['a'], ['a', 'b']] as const) {
    const some = new Map([...wanted.sets].filter(([id]) => sets.some((set) => set === id)));
    it.accept({ ...emptyPolicyState(), sets: some }, false);
    expect(await it.policy.reconcile()).toBe(false);
  }
  it.accept(wanted);
  expect(await it.policy.reconcile()).toBe(false);
  expect(it.policy.isEnforced('cali1', [])).toBe(true);
});

test('what somebody else did is put right and counted, not what was wanted meanwhile', async () => {
  const { policy, accept, fake, leads } = filter();
  accept(state({ cali1: 'p' }));
  await policy.reconcile();
  policy.doubt();
  expect(await policy.reconcile()).toBe(false);
  expect(policy.counts().repairs).toBe(0);
  fake.content.get(TABLE)?.sets.get('from-workloads')?.elements.clear();
  policy.doubt();
  expect(await policy.reconcile()).toBe(true);
  expect(leads()).toEqual(['cali1']);
  expect(policy.counts().repairs).toBe(1);
  accept(state({ cali1: 'p', cali2: 'p' }));
  policy.doubt();
  await policy.reconcile();
  expect(policy.counts()).toMatchObject({ repairs: 1, endpoints: 2, policies: 1, refusals: 0 });
});

test('while nothing can be written at all, nothing is enforced and everything is kept for later', async () => {
  const { policy, accept, refuse, leads } = filter();
  refuse(() => true);
  accept(state({ cali1: 'p' }));
  await expect(policy.reconcile()).rejects.toThrow('refused');
  expect(policy.isEnforced('cali1', [])).toBe(false);
  refuse(() => false);
  await policy.reconcile();
  expect(policy.isEnforced('cali1', [])).toBe(true);
  expect(leads()).toEqual(['cali1']);
});

test('a host that the kernel refuses keeps its failsafe ports open and nothing else, and workloads their policy', async () => {
  const { policy, accept, refuse, pass, ofType, rules, chains, leads } = filter();
  const places = [
    { hook: 'untracked', direction: 'ingress', policy: { tiers: [], profiles: [] } },
    { hook: 'normal', direction: 'ingress', policy: { tiers: [], profiles: [] } },
  ] as const;
  const host = {
    endpoints: [{ name: 'all', interfaceName: 'eth0', addresses: [], places }],
    failsafe: { ingress: [{ protocol: 6, port: 22, net: undefined }], egress: [] },
    endpointToHost: 'Return',
    hasFloatingAddresses: false,
    maySpoof: false,
  } as const;
  refuse(ofType('add-rule', 'notrack'));
  accept({ ...state({ cali1: 'p' }), host });
  await policy.reconcile();
  expect(leads()).toEqual(['cali1']);
  expect([...policy.failures()].map(({ what }) => what)).toEqual(['host endpoints']);
  expect(chains()).not.toContain('untracked-in');
  expect(rules('failsafe-in')).toHaveLength(2);
  expect(rules('host-in/link-eth0')?.length).toBeGreaterThan(0);
  expect(chains()).toContain('forward-in/link-eth0');
  refuse(() => false);
  pass(1000);
  await policy.reconcile();
  expect([...policy.failures()]).toEqual([]);
  expect(chains()).toContain('untracked-in');
  expect(chains()).not.toContain('forward-in/link-eth0');
});
