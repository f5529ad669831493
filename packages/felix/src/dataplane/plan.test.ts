import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plan } from './plan.ts';

interface Item {
  readonly value: number;
  readonly ours: boolean;
}

const item = fc.record({ value: fc.integer({ min: 0, max: 2 }), ours: fc.boolean() });
const state = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), item)
  .map((record) => new Map(Object.entries(record)));
const wanted = state.map((map) => new Map([...map].map(([k, v]) => [k, { ...v, ours: true }])));

const rules = {
  equal: (a: Item, b: Item) => a.value === b.value,
  owned: (actual: Item) => actual.ours,
};

function apply(desired: Map<string, Item>, actual: Map<string, Item>): Map<string, Item> {
  const { create, replace, remove } = plan(desired, actual, rules);
  const next = new Map(actual);
  for (const [key] of remove) next.delete(key);
  for (const [key, value] of [...create, ...replace]) next.set(key, value);
  return next;
}

test('from any state to any state, and twice is the same as once', () => {
  fc.assert(
    fc.property(wanted, state, (desired, actual) => {
      const after = apply(desired, actual);
      for (const [key, value] of desired) {
        const foreign = actual.get(key)?.ours === false;
        expect(after.get(key)).toEqual(foreign ? actual.get(key) : value);
      }
      const again = plan(desired, after, rules);
      expect([again.create, again.replace, again.remove]).toEqual([[], [], []]);
    }),
  );
});

test('what is not ours is neither replaced nor removed', () => {
  fc.assert(
    fc.property(wanted, state, (desired, actual) => {
      const after = apply(desired, actual);
      for (const [key, value] of actual) if (!value.ours) expect(after.get(key)).toEqual(value);
    }),
  );
});

test('a wanted key that is held by somebody else is reported', () => {
  const desired = new Map([['a', { value: 1, ours: true }]]);
  const actual = new Map([['a', { value: 1, ours: false }]]);
  expect(plan(desired, actual, rules).blocked).toEqual(['a']);
});
