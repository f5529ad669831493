import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HostFilter } from './host-filter.ts';
import { applyChange, differenceOf, emptyPolicyState, isEmptyChange } from './policy-change.ts';
import type { EndpointFilter, PolicyState, SetState } from './policy-state.ts';

const some = <T>(value: fc.Arbitrary<T>) =>
  fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), value).map((o) => new Map(Object.entries(o)));

const set: fc.Arbitrary<SetState> = fc.record({
  kind: fc.constantFrom('addresses', 'nets'),
  members: fc.uniqueArray(fc.integer({ min: 0, max: 5 }).map((n) => `10.0.0.${n}`)).map(newSet),
});

function newSet<T>(values: readonly T[]): Set<T> {
  return new Set(values);
}

const endpoint: fc.Arbitrary<EndpointFilter> = fc.constantFrom('x', 'y').map((name) => ({
  name,
  addresses: [],
  ingress: { tiers: [], profiles: [] },
  egress: { tiers: [], profiles: [`egress Profile ${name}`] },
}));

const host: fc.Arbitrary<HostFilter> = fc.constantFrom('Drop', 'Return').map((endpointToHost) => ({
  endpointToHost,
  failsafe: { ingress: [], egress: [] },
  hasFloatingAddresses: false,
  maySpoof: false,
  endpoints: [],
}));

const state: fc.Arbitrary<PolicyState> = fc.record({
  host,
  sets: some(set),
  lists: some(fc.constantFrom('p', 'q').map((name) => ({ name, rules: [] }))),
  endpoints: some(endpoint),
});

test('applied to the state before, a difference gives the state after', () => {
  fc.assert(
    fc.property(fc.array(state, { maxLength: 4 }), (states) => {
      const held = emptyPolicyState();
      let before: PolicyState = emptyPolicyState();
      for (const after of states) {
        applyChange(held, structuredClone(differenceOf(before, after, true)));
        expect(held).toEqual(after);
        before = after;
      }
      expect(isEmptyChange(differenceOf(before, held, true))).toBe(true);
    }),
  );
});

test('of a set that stays, a difference has the members that come and go, and no others', () => {
  const withMembers = (...members: string[]): PolicyState => ({
    ...emptyPolicyState(),
    sets: new Map([['s', { kind: 'addresses', members: new Set(members) }]]),
  });
  const { sets } = differenceOf(withMembers('a', 'b'), withMembers('b', 'c'), false);
  expect(sets.get('s')).toEqual({ kind: 'addresses', add: ['c'], remove: ['a'] });
});

test('members of a set that is not there are an error', () => {
  const sets = new Map([['s', { kind: 'nets', add: ['10.0.0.0/8'], remove: [] }]] as const);
  const change = { synced: true, sets, lists: new Map(), endpoints: new Map() };
  expect(() => applyChange(emptyPolicyState(), change)).toThrow('there is no set s');
});
