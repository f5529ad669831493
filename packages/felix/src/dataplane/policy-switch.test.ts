import { fakeIpSets, fakeIptables, fakeNftables } from '@overland/linux/testing';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { cluster, NODE } from '../../test/random-policies.ts';
import type { PacketFilter } from '../calc/filter-choice.ts';
import { TABLE } from '../calc/nftables/names.ts';
import { PolicyView } from '../calc/policy/policy-view.ts';
import { differenceOf, emptyPolicyState } from '../calc/policy-change.ts';
import type { PolicyState } from '../calc/policy-state.ts';
import { policyStateOf } from '../calc/policy-state-of.ts';
import { type Clock, systemClock } from './clock.ts';
import { livesOnLegacy, packetFilters } from './packet-filters.ts';
import { PolicySwitch } from './policy-switch.ts';

const log = pino({ level: 'silent' });
/** Whatever is to be done later is done at once. */
const clock: Clock = { ...systemClock, schedule: (_, work) => systemClock.schedule(0, work) };
const [FIRST, SECOND] = fc
  .sample(cluster, { numRuns: 2, seed: 5 })
  .map((inputs) => policyStateOf(new PolicyView(inputs), NODE)) as [PolicyState, PolicyState];

const chosen = (filter: PacketFilter) => ({ filter, insertMode: 'Insert' as const });

function host() {
  let isBroken = false;
  const nftables = fakeNftables();
  const iptables = { legacy: fakeIptables(() => isBroken), nft: fakeIptables() };
  const rules = () => [...iptables.legacy.rules(), ...iptables.nft.rules()];
  const sets = fakeIpSets((name) => rules().some((rule) => rule.includes(` ${name} `)));
  const filters = packetFilters({ nftables, iptables, sets, log, clock });
  return {
    iptables,
    breakLegacy(is: boolean) {
      isBroken = is;
    },
    tellForeignChange: () => nftables.tellForeignChange(TABLE),
    start: (filter: PacketFilter, isOpen = false) =>
      PolicySwitch.start(filters, chosen(filter), { log, clock, isOpen }),
    standing: () => filters.standing(),
    sets: () => [...sets.sets.keys()],
    hasTable: async () => (await nftables.read(TABLE)) !== undefined,
  };
}

const told = (state: PolicyState, synced = true) => differenceOf(emptyPolicyState(), state, synced);

test.each<[PacketFilter, PacketFilter]>([
  ['nftables', 'iptables-legacy'],
  ['iptables-legacy', 'nftables'],
  ['iptables-legacy', 'iptables-nft'],
])('policy moves from %s to %s, and nothing of ours is left behind', async (from, to) => {
  const one = host();
  const policy = await one.start(from);
  policy.accept(told(FIRST));
  await policy.reconcile();
  expect(await one.standing()).toEqual([from]);
  policy.choose(chosen(to));
  await policy.reconcile();
  expect(await one.standing()).toEqual([to]);
  expect(policy.counts()).toMatchObject({ packetFilter: to, endpoints: 3 });
  expect(one.sets().length > 0).toBe(to !== 'nftables');
  policy.accept(differenceOf(FIRST, SECOND, true));
  await policy.reconcile();
  expect(await one.standing()).toEqual([to]);
});

test('what was in force stays until the other filter holds all', async () => {
  const one = host();
  const policy = await one.start('nftables');
  policy.accept(told(FIRST));
  await policy.reconcile();
  one.breakLegacy(true);
  policy.choose(chosen('iptables-legacy'));
  await policy.reconcile();
  expect([...policy.failures()].map(({ what }) => what)).toContain(
    'moving to another packet filter',
  );
  expect(await one.hasTable()).toBe(true);
  expect(policy.counts().packetFilter).toBe('nftables');
  one.breakLegacy(false);
  const standing = async () => {
    await policy.reconcile();
    return await one.standing();
  };
  await expect.poll(standing, { timeout: 20_000 }).toEqual(['iptables-legacy']);
  expect([...policy.failures()]).toEqual([]);
});

test('a restart with another choice goes on with what stands until there is a state', async () => {
  const one = host();
  const first = await one.start('iptables-legacy');
  first.accept(told(FIRST));
  await first.reconcile();
  const second = await one.start('nftables');
  await second.reconcile();
  expect(await one.standing()).toEqual(['iptables-legacy']);
  second.accept(told(FIRST, false));
  await second.reconcile();
  expect(await one.standing()).toEqual(['iptables-legacy']);
  second.accept(differenceOf(FIRST, FIRST, true));
  await second.reconcile();
  expect(await one.standing()).toEqual(['nftables']);
});

test('where nobody has decided yet, what stands stays', async () => {
  const one = host();
  const first = await one.start('iptables-nft');
  first.accept(told(FIRST));
  await first.reconcile();
  const second = await one.start('nftables', true);
  second.accept(told(FIRST));
  await second.reconcile();
  expect(await one.standing()).toEqual(['iptables-nft']);
});

test('changes by others are told by the filter in force', async () => {
  const one = host();
  const policy = await one.start('nftables');
  policy.accept(told(FIRST));
  await policy.reconcile();
  const stop = new AbortController();
  const changes = policy.foreignChanges(stop.signal);
  const first = changes.next();
  one.tellForeignChange();
  expect((await first).done).toBe(false);
  const second = changes.next();
  policy.choose(chosen('iptables-nft'));
  await policy.reconcile();
  const rule = { type: 'append-rule', chain: 'FORWARD', rule: '-j DROP' } as const;
  await one.iptables.nft.transact('ipv4', 'filter', [rule]);
  expect((await second).done).toBe(false);
  const end = changes.next();
  stop.abort();
  expect((await end).done).toBe(true);
});

test('a choice that is taken back leaves nothing', async () => {
  const one = host();
  const policy = await one.start('nftables');
  policy.choose(chosen('iptables-legacy'));
  policy.choose(chosen('nftables'));
  policy.accept(told(FIRST));
  await policy.reconcile();
  expect(await one.standing()).toEqual(['nftables']);
});

test('a host lives on iptables-legacy if others have rules there', async () => {
  const one = host();
  const policy = await one.start('iptables-legacy');
  policy.accept(told(FIRST));
  await policy.reconcile();
  expect(await livesOnLegacy(one)).toBe(false);
  const change = { type: 'append-rule', chain: 'FORWARD', rule: '-j DROP' } as const;
  await one.iptables.legacy.transact('ipv6', 'filter', [change]);
  expect(await livesOnLegacy(one)).toBe(true);
});
