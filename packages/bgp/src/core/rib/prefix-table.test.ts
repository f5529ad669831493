import { type Prefix, prefixBytes, prefixFromBytes } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NlriList } from '../wire/nlri.ts';
import { PrefixTable } from './prefix-table.ts';

const WIDTH = { ipv4: 4, ipv6: 16 } as const;

function list(family: 'ipv4' | 'ipv6', prefixes: readonly Prefix[]): NlriList {
  const field = prefixes.flatMap((prefix) => {
    const { octets, length } = prefixBytes(prefix);
    return [length, ...octets.subarray(0, Math.ceil(length / 8))];
  });
  const result = new NlriList(field.length);
  result.read(family, Uint8Array.from(field), 0, field.length);
  return result;
}

test.each(['ipv4', 'ipv6'] as const)(
  '%s: a prefix has one id while it is held, and reads as it was written',
  (family) => {
    const octets = fc.oneof(
      fc.uint8Array({ minLength: WIDTH[family], maxLength: WIDTH[family] }),
      // Near each other: the same address at several lengths, addresses that differ in the last bits only.
      fc.nat(3).map((last) => Uint8Array.of(...new Array(WIDTH[family] - 1).fill(10), last)),
    );
    const prefix = fc
      .record({ octets, length: fc.nat(WIDTH[family] * 8) })
      .map(({ octets, length }) => prefixFromBytes(octets, length));
    fc.assert(
      fc.property(
        fc.array(fc.record({ prefix, release: fc.boolean() }), { maxLength: 200 }),
        (steps) => {
          const table = new PrefixTable(family);
          const held = new Map<Prefix, number>();
          const ids = new Int32Array(1);
          for (const { prefix, release } of steps) {
            const known = held.get(prefix);
            table.findAll(list(family, [prefix]), ids);
            expect(ids[0]).toBe(known ?? 0);
            if (known !== undefined && release) {
              table.release(known);
              held.delete(prefix);
              continue;
            }
            table.internAll(list(family, [prefix]), ids);
            const id = ids[0] ?? 0;
            if (known === undefined) table.hold(id);
            else expect(id).toBe(known);
            held.set(prefix, id);
            expect(table.prefix(id)).toBe(prefix);
          }
          expect(table.size).toBe(held.size);
          for (const [prefix, id] of held) {
            const target = new Uint8Array(20).fill(0xee);
            const end = table.writeNlri(id, target, 1);
            expect(list(family, [prefix]).count).toBe(1);
            const { octets, length } = prefixBytes(prefix);
            expect([...target.subarray(1, end)]).toEqual([
              length,
              ...octets.subarray(0, Math.ceil(length / 8)),
            ]);
            expect(target[end]).toBe(0xee);
          }
        },
      ),
    );
  },
);

test.each(['ipv4', 'ipv6'] as const)(
  '%s: what is let go of together is forgotten with its last holder, also if it is named twice',
  (family) => {
    const octets = fc.nat(0xff).map((last) => {
      return Uint8Array.of(...new Array(WIDTH[family] - 1).fill(10), last);
    });
    const prefixes = fc.uniqueArray(
      octets.map((each) => prefixFromBytes(each, WIDTH[family] * 8)),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(prefixes, fc.array(fc.nat(59), { maxLength: 120 }), (known, holders) => {
        const table = new PrefixTable(family);
        const ids = new Int32Array(known.length);
        table.internAll(list(family, known), ids);
        const left = [...ids];
        for (const id of ids) table.hold(id);
        for (const at of holders) {
          table.hold(left[at % left.length] ?? 0);
        }
        const released = Int32Array.from([...holders, ...ids.keys()], (at) => {
          return left[at % left.length] ?? 0;
        });
        const kept = released.at(-1) ?? 0;
        table.hold(kept);
        table.releaseAll(released, released.length);
        expect(table.size).toBe(1);
        table.findAll(list(family, known), ids);
        expect([...ids]).toEqual(left.map((id) => (id === kept ? id : 0)));
      }),
    );
  },
);
