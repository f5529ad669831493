import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HashIndex } from './hash-index.ts';

/** Ids by hash and tag, as the index must find them. */
function found(index: HashIndex, hash: number, tag: number): number[] {
  const ids: number[] = [];
  let slot = index.first(hash, tag);
  while (slot >= 0) {
    ids.push(index.idAt(slot));
    slot = index.following(slot, hash, tag);
  }
  return ids.sort((a, b) => a - b);
}

test('finds exactly what was inserted and not removed, however hashes collide', () => {
  // Few different hashes, at both ends of the range too: long runs, and runs that wrap around.
  const hash = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(-1, 0, 2 ** 31 - 1, -(2 ** 31)),
    fc.integer(),
  );
  const operation = fc.record({ insert: fc.boolean(), hash, tag: fc.nat(2), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
      const index = new HashIndex();
      const entries: { id: number; hash: number; tag: number }[] = [];
      for (const [i, { insert, hash, tag, pick }] of operations.entries()) {
        if (insert || entries.length === 0) {
          entries.push({ id: i + 1, hash, tag });
          index.insert(i + 1, hash, tag);
        } else {
          const [gone] = entries.splice(pick % entries.length, 1);
          if (gone) index.remove(gone.id, gone.hash, gone.tag);
        }
      }
      for (const { hash, tag } of operations) {
        const ids = entries.filter((entry) => entry.hash === hash && entry.tag === tag);
        expect(found(index, hash, tag)).toEqual(ids.map(({ id }) => id).sort((a, b) => a - b));
      }
    }),
  );
});

test('an id that does not fit is an error, not another id', () => {
  expect(() => new HashIndex().insert(2 ** 26, 1, 0)).toThrow(RangeError);
});
