import type { AnyResource } from '@overland/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOf, OWN_NODE, policyInputsOf, randomResource } from '../../../test/random-resources.ts';
import { PolicyView } from '../policy/policy-view.ts';
import { withStaged } from '../policy/staged.ts';
import { applyChange, emptyPolicyState } from '../policy-change.ts';
import { type EndpointPolicyRef, listsOfRef, type PolicyState, setsOf } from '../policy-state.ts';
import { policyStateOf } from '../policy-state-of.ts';
import { PolicyCalculation } from './policy-calculation.ts';

const soak = process.env.OVERLAND_SOAK === '1';
const RUNS = soak ? 5000 : 150;
const TIMEOUT_MS = soak ? 900_000 : 60_000;

interface Deed {
  readonly type: 'put' | 'delete' | 'flush';
  readonly resource: AnyResource;
}

/** Half of the policies are staged. */
const resource = fc
  .tuple(
    randomResource,
    fc.constantFrom(undefined, undefined, 'Set', 'Set', 'Delete', 'Ignore', 'Learn'),
  )
  .map(([given, stagedAction]): AnyResource => {
    const isPolicy = given.kind === 'NetworkPolicy' || given.kind === 'GlobalNetworkPolicy';
    if (!isPolicy || stagedAction === undefined) return given;
    const { tier } = given.spec;
    const spec = stagedAction === 'Delete' ? { tier } : given.spec;
    return {
      ...given,
      kind: `Staged${given.kind}`,
      spec: { ...spec, stagedAction },
    } as AnyResource;
  });
const deeds = fc.array(
  fc.record({
    type: fc.constantFrom('put', 'put', 'put', 'delete', 'flush'),
    resource,
  }) as fc.Arbitrary<Deed>,
  { minLength: 10, maxLength: 60, size: 'max' },
);

const enforcedName = (id: string): string => id.replace(' Staged', ' ');

/** The rules that a place comes to, by the names that they would have. */
function spelledOut(ref: EndpointPolicyRef, { lists, sets }: PolicyState): object {
  const rules = listsOfRef(ref).map((id) => {
    const { rules, missing } = lists.get(id) ?? { rules: 'absent', missing: undefined };
    return { id: enforcedName(id), rules, missing };
  });
  const members = listsOfRef(ref)
    .flatMap((id) => setsOf(lists.get(id) ?? { name: id, rules: [] }))
    .map((id) => [id, sets.get(id)]);
  const tiers = ref.tiers.map((tier) => ({ ...tier, lists: tier.lists.map(enforcedName) }));
  return { tiers, profiles: ref.profiles, rules, members };
}

function expectRight(state: PolicyState, resources: ReadonlyMap<string, AnyResource>): void {
  const inputs = policyInputsOf(resources.values());
  const enforced = policyStateOf(new PolicyView(inputs), OWN_NODE);
  const would = policyStateOf(new PolicyView(withStaged(inputs)), OWN_NODE);
  const withoutStaged = [...state.endpoints].map(([name, { staged: _, ...filter }]) => [
    name,
    filter,
  ]);
  expect(new Map(withoutStaged as [])).toEqual(enforced.endpoints);
  expect(state.host).toEqual(enforced.host);
  for (const [name, filter] of state.endpoints) {
    for (const direction of ['ingress', 'egress'] as const) {
      const actual = (filter.staged ?? filter)[direction];
      const expected = would.endpoints.get(name)?.[direction] ?? { tiers: [], profiles: [] };
      expect(spelledOut(actual, state)).toEqual(spelledOut(expected, would));
    }
  }
}

test('what is staged changes nothing that is enforced, and says what would be, after any changes', {
  timeout: TIMEOUT_MS,
}, () => {
  fc.assert(
    fc.property(deeds, (given) => {
      const calculation = new PolicyCalculation(OWN_NODE);
      const state = emptyPolicyState();
      const resources = new Map<string, AnyResource>();
      const flush = () => applyChange(state, calculation.flush({ synced: true }));
      for (const { type, resource: each } of given) {
        if (type === 'flush') {
          flush();
          expectRight(state, resources);
          continue;
        }
        if (type === 'put') resources.set(keyOf(each), each);
        else resources.delete(keyOf(each));
        calculation.update(each.kind, each.metadata, type === 'put' ? each : undefined);
      }
      flush();
      expectRight(state, resources);
      for (const each of resources.values()) {
        if (each.kind.startsWith('Staged')) calculation.update(each.kind, each.metadata, undefined);
      }
      flush();
      // Nothing is left of them.
      expect(state).toEqual(
        policyStateOf(new PolicyView(policyInputsOf(resources.values())), OWN_NODE),
      );
    }),
    { numRuns: RUNS, ...(soak ? {} : { seed: 6 }) },
  );
});
