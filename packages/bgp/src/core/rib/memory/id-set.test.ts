import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdSet } from './id-set.ts';

const id = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 40_000 }));

test('holds what a Set holds', () => {
  const operation = fc.record({ kind: fc.constantFrom('add', 'delete', 'has'), id });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const [actual, expected] = [new IdSet(), new Set<number>()];
      for (const { kind, id } of operations) {
        if (kind === 'add') expect(actual.add(id)).toBe(!expected.has(id));
        if (kind === 'add') expected.add(id);
        if (kind === 'delete') expect(actual.delete(id)).toBe(expected.delete(id));
        expect(actual.has(id)).toBe(expected.has(id));
        expect(actual.size).toBe(expected.size);
      }
      const taken = new Int32Array(expected.size + 5);
      expect(actual.takeMany(taken, taken.length)).toBe(expected.size);
      expect(new Set(taken.subarray(0, expected.size))).toEqual(expected);
      expect(actual.take()).toBe(0);
    }),
  );
});

test('an id that comes back all the time does not hold up the others', () => {
  const set = new IdSet();
  for (const id of [3, 4, 5000]) set.add(id);
  const taken = Array.from({ length: 6 }, () => {
    const id = set.take();
    set.add(3);
    return id;
  });
  expect(taken).toEqual([3, 4, 5000, 3, 3, 3]);
});
