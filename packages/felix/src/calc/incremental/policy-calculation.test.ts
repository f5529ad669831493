import type { AnyResource } from '@overland/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOf, OWN_NODE, policyInputsOf, randomResource } from '../../../test/random-resources.ts';
import { PolicyView } from '../policy/policy-view.ts';
import {
  applyChange,
  emptyPolicyState,
  isEmptyChange,
  type PolicyChange,
} from '../policy-change.ts';
import { listsOf, listsOfRef, type PolicyState, setsOf } from '../policy-state.ts';
import { policyStateOf } from '../policy-state-of.ts';
import { PolicyCalculation } from './policy-calculation.ts';

const soak = process.env.OVERLAND_SOAK === '1';
const RUNS = soak ? 10_000 : 200;
const TIMEOUT_MS = soak ? 900_000 : 60_000;

/** What may be done to a calculation. */
type Deed =
  | { readonly type: 'put'; readonly resource: AnyResource }
  | { readonly type: 'delete'; readonly resource: AnyResource }
  | { readonly type: 'step'; readonly units: number }
  | { readonly type: 'flush'; readonly members: number };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 12, arbitrary: randomResource.map((each): Deed => ({ type: 'put', resource: each })) },
  {
    weight: 4,
    arbitrary: randomResource.map((each): Deed => ({ type: 'delete', resource: each })),
  },
  { weight: 2, arbitrary: fc.nat(20).map((units): Deed => ({ type: 'step', units })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 3, 1e6).map((members): Deed => ({ type: 'flush', members })),
  },
);

/** A calculation, the state that its changes lead to, and the resources that there are. */
class Subject {
  readonly calculation = new PolicyCalculation(OWN_NODE);
  readonly state = emptyPolicyState();
  readonly resources = new Map<string, AnyResource>();
  #isSynced = false;

  do(deed: Deed): void {
    if (deed.type === 'step') this.calculation.step(deed.units);
    else if (deed.type === 'flush') this.flush(deed.members);
    else this.#update(deed);
  }

  #update({ type, resource: each }: Extract<Deed, { resource: AnyResource }>): void {
    const { kind, metadata } = each;
    // Older versions of Calico have stored policies of the default tier under another name.
    const name = kind === 'NetworkPolicy' && metadata.name === 'q' ? 'default.q' : metadata.name;
    if (type === 'put') this.resources.set(keyOf(each), each);
    else this.resources.delete(keyOf(each));
    this.calculation.update(kind, { ...metadata, name }, type === 'put' ? each : undefined);
  }

  flush(members = Number.POSITIVE_INFINITY): PolicyChange[] {
    const changes: PolicyChange[] = [];
    do {
      const change = this.calculation.flush({ synced: true, members });
      changes.push(change);
      applyChange(this.state, change);
      expectWhole(this.state);
      this.#isSynced ||= !this.calculation.hasMore;
      expect(change.synced).toBe(this.#isSynced);
    } while (this.calculation.hasMore);
    return changes;
  }
}

/** Whatever an endpoint or a list refers to is there. */
function expectWhole({ endpoints, lists, sets, host }: PolicyState): void {
  const places = (host?.endpoints ?? []).flatMap((endpoint) => endpoint.places);
  const asked = [
    ...[...endpoints.values()].flatMap(listsOf),
    ...places.flatMap(({ policy }) => listsOfRef(policy)),
  ];
  const missingLists = asked.filter((id) => !lists.has(id));
  const missingSets = [...lists.values()].flatMap(setsOf).filter((id) => !sets.has(id));
  expect([...missingLists, ...missingSets]).toEqual([]);
}

function fromScratch(resources: ReadonlyMap<string, AnyResource>): PolicyState {
  return policyStateOf(new PolicyView(policyInputsOf(resources.values())), OWN_NODE);
}

const parameters = { numRuns: RUNS, ...(soak ? {} : { seed: 6 }) };
const deeds = fc.array(deed, { minLength: 10, maxLength: 80, size: 'max' });

test('after any changes the state is the one that is worked out from scratch', {
  timeout: TIMEOUT_MS,
}, () => {
  fc.assert(
    fc.property(deeds, (given) => {
      const subject = new Subject();
      for (const each of given) {
        subject.do(each);
        if (each.type === 'flush') {
          expect(subject.state).toEqual(fromScratch(subject.resources));
        }
      }
      subject.flush();
      expect(subject.state).toEqual(fromScratch(subject.resources));
      expect(subject.calculation.state).toEqual(subject.state);
    }),
    parameters,
  );
});

test('the way to a state does not matter: reordered, split, squashed, repeated, there and back, restarted', {
  timeout: TIMEOUT_MS,
}, () => {
  fc.assert(
    fc.property(
      deeds,
      fc.array(randomResource, { maxLength: 8 }),
      fc.infiniteStream(fc.nat()),
      (given, others, numbers) => {
        const subject = new Subject();
        for (const each of given) subject.do(each);
        subject.flush();
        const resources = [...subject.resources.values()];
        const put = (each: AnyResource): Deed => ({ type: 'put', resource: each });
        const remove = (each: AnyResource): Deed => ({ type: 'delete', resource: each });
        const draw = () => numbers.next().value;
        const shuffled = resources
          .map((each) => ({ each, at: draw() }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ each }) => each);
        const flush: Deed = { type: 'flush', members: 1 };
        const ways: Deed[][] = [
          shuffled.map(put),
          shuffled.flatMap((each) => [put(each), { type: 'step', units: draw() % 5 }, flush]),
          shuffled.flatMap((each) => [put(each), put(each), remove(each), put(each)]),
          [...others.map(put), flush, ...others.map(remove), ...shuffled.map(put)],
          [
            ...shuffled.map(put),
            flush,
            ...others.map(put),
            ...others.map(remove),
            ...resources.map(put),
          ],
        ];
        for (const way of ways) {
          const restarted = new Subject();
          for (const each of way) restarted.do(each);
          restarted.flush();
          expect(restarted.state).toEqual(subject.state);
        }
      },
    ),
    { ...parameters, numRuns: Math.ceil(RUNS / 3) },
  );
});

test('what changes nothing tells nothing', { timeout: TIMEOUT_MS }, () => {
  fc.assert(
    fc.property(deeds, randomResource, (given, other) => {
      const subject = new Subject();
      for (const each of given) subject.do(each);
      subject.flush();
      const kept = subject.resources.get(keyOf(other));
      subject.do({ type: 'put', resource: other });
      subject.do(kept ? { type: 'put', resource: kept } : { type: 'delete', resource: other });
      for (const each of subject.resources.values()) subject.do({ type: 'put', resource: each });
      expect(subject.flush().filter((change) => !isEmptyChange(change))).toEqual([]);
    }),
    { ...parameters, numRuns: Math.ceil(RUNS / 3) },
  );
});
