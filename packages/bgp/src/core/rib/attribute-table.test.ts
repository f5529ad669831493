import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AttributeTable } from './attribute-table.ts';

function octetsOf(table: AttributeTable, id: number): number[] {
  const from = table.offset(id);
  return [...table.bytes(id).subarray(from, from + table.length(id))];
}

test('equal sets are one id, and every set reads as it was written, whatever came and went', () => {
  const set = fc.oneof(
    fc.array(fc.nat(255), { maxLength: 8 }),
    fc
      .record({ octet: fc.nat(255), length: fc.integer({ min: 100, max: 4000 }) })
      .map(({ octet, length }) => Array.from({ length }, (_, i) => (octet + i * 7) & 255)),
  );
  const operation = fc.record({ add: fc.boolean(), set, pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 150 }), (operations) => {
      const table = new AttributeTable();
      const held: { id: number; set: number[] }[] = [];
      for (const { add, set, pick } of operations) {
        if (add || held.length === 0) {
          const id = table.intern(Uint8Array.from(set), set.length);
          for (const other of held) {
            expect(other.id === id).toBe(other.set.join() === set.join());
          }
          held.push({ id, set });
        } else {
          const [gone] = held.splice(pick % held.length, 1);
          if (gone) table.release(gone.id);
        }
      }
      for (const { id, set } of held) expect(octetsOf(table, id)).toEqual(set);
      expect(table.size).toBe(new Set(held.map(({ id }) => id)).size);
    }),
  );
});

test('memory follows what is alive, even if one set in each segment lives on', () => {
  const table = new AttributeTable();
  const survivors: number[] = [];
  const octets = new Uint8Array(1000);
  const view = new DataView(octets.buffer);
  for (let i = 0; i < 20_000; i += 1) {
    view.setUint32(0, i);
    const id = table.intern(octets, octets.length);
    if (i % 60 === 0) survivors.push(id);
    else table.release(id);
  }
  const alive = survivors.length * octets.length;
  expect(survivors).toHaveLength(334);
  expect(table.capacity).toBeLessThan(4 * alive + 3 * 65_536);
  for (const [i, id] of survivors.entries()) {
    expect(octetsOf(table, id).slice(0, 4)).toEqual([0, 0, (i * 60) >> 8, (i * 60) & 255]);
  }
});

test('a small table takes a few kilobytes', () => {
  const table = new AttributeTable();
  for (let i = 0; i < 10; i += 1) table.intern(Uint8Array.of(i, 1, 2), 3);
  expect(table.capacity).toBeLessThanOrEqual(4096);
});
