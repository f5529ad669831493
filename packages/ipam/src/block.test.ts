import { encodeBlock, parseJson, sameJson } from '@overland/model';
import { parseAddress, parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignAddress, assignFree } from './assign-in-block.ts';
import { allocationsOf, freeOrdinals, isEmpty, newBlock, readableBlock } from './block.ts';
import { collectCooled, coolingOrdinals } from './cooldown.ts';
import { releaseAddresses, releaseHandle } from './release-in-block.ts';

const at = new Date('2026-11-24T06:00:00Z');
const HOST11 = { type: 'host', name: 'host11' } as const;
const block = newBlock(parsePrefix('10.65.0.0/26'), HOST11, at);
const AT_ONCE = { now: at, seconds: 0 };
const web = { handle: 'web', attributes: { node: 'host11' } };
const db = { handle: 'db', attributes: { node: 'host11' } };

/** As Calico 3.30 writes one: addresses 0 and 2 held by a workload, 1 by a tunnel. */
const STORED = `{"cidr":"10.65.0.0/29","affinity":"host:host11","affinity_claim_time":"2026-01-05T10:00:00Z",
  "allocations":[0,1,0,null,null,null,null,null],"unallocated":[3,4,5,6,7],
  "attributes":[{"handle_id":"k8s-pod-network.abc\\r\\neth0","secondary":{"pod":"web"}},
                {"handle_id":"ipip-tunnel-addr-host11","secondary":null}],
  "sequenceNumber":1800000000000000007,
  "sequenceNumberForAllocation":{"0":1800000000000000001,"2":1800000000000000003},
  "deleted":false,"fromTheFuture":{"kept":[9007199254740993]}}`;

describe('assigning', () => {
  test('starts with the first address and goes on in order', () => {
    const first = assignFree(block, 2, web);
    const second = assignFree(first.block, 1, db);

    expect([...first.addresses, ...second.addresses]).toEqual([
      '10.65.0.0',
      '10.65.0.1',
      '10.65.0.2',
    ]);
  });

  test('gives what there is when more is asked for', () => {
    const { addresses, block: full } = assignFree(block, 100, web);
    expect(addresses).toHaveLength(64);
    expect(assignFree(full, 1, db).addresses).toEqual([]);
  });

  test('keeps one attribute per holder', () => {
    let { block: after } = assignFree(block, 3, web);
    ({ block: after } = assignFree(after, 2, web));
    ({ block: after } = assignFree(after, 1, { ...web, attributes: { node: 'host12' } }));

    expect(after.attributes.map(({ secondary }) => secondary)).toEqual([
      { node: 'host11' },
      { node: 'host12' },
    ]);
  });

  test('refuses an address in use and takes a free one out of turn', () => {
    const { block: after } = assignFree(block, 1, web);
    const named = assignAddress(after, parseAddress('10.65.0.9'), db);

    expect(assignAddress(after, parseAddress('10.65.0.0'), db)).toBeUndefined();
    expect(named?.addresses).toEqual(['10.65.0.9']);
    expect(named && freeOrdinals(named.block)).not.toContain(9);
  });

  test('never hands out an ordinal that is listed as free although it is held', () => {
    const drifted = readableBlock(STORED.replace('[3,4,5,6,7]', '[0,3,4,5,6,7]'));
    expect(assignFree(drifted, 1, web).addresses).toEqual(['10.65.0.3']);
  });
});

describe('releasing', () => {
  test('by handle frees to the tail, drops unused attributes and renumbers the others', () => {
    const held = assignFree(assignFree(block, 2, web).block, 1, db).block;
    const { block: after, released } = releaseHandle(held, 'web', AT_ONCE);

    expect(released.map(({ address }) => address)).toEqual(['10.65.0.0', '10.65.0.1']);
    expect(after.unallocated.slice(-2)).toEqual([0, 1]);
    expect(allocationsOf(after)).toMatchObject([{ address: '10.65.0.2', handle: 'db' }]);
    expect(assignFree(after, 1, web).addresses).toEqual(['10.65.0.3']);
  });

  test('finds a handle that was written with trailing text', () => {
    const { released } = releaseHandle(readableBlock(STORED), 'k8s-pod-network.abc', AT_ONCE);
    expect(released.map(({ ordinal }) => ordinal)).toEqual([0, 2]);
  });

  test('by address is refused as a whole when one precondition fails', () => {
    const { block: held } = assignFree(block, 2, web);
    const first = { address: parseAddress('10.65.0.0') };
    const second = parseAddress('10.65.0.1');

    expect(() =>
      releaseAddresses(held, [first, { address: second, handle: 'db' }], AT_ONCE),
    ).toThrow('10.65.0.1 is not released: its handle is web, not db');
    expect(() =>
      releaseAddresses(held, [first, { address: second, sequence: 1n }], AT_ONCE),
    ).toThrow('its sequence is');
  });

  test('a sequence number protects the next holder of the address', () => {
    const small = newBlock(parsePrefix('10.65.0.0/32'), HOST11, at);
    const first = assignFree(small, 1, web).block;
    const [{ address, sequence } = expect.fail()] = allocationsOf(first);
    const second = assignFree(releaseHandle(first, 'web', AT_ONCE).block, 1, web).block;

    expect(releaseAddresses(first, [{ address, sequence }], AT_ONCE).released).toHaveLength(1);
    expect(() => releaseAddresses(second, [{ address, sequence }], AT_ONCE)).toThrow(
      'its sequence is',
    );
  });

  test('skips what is not in use', () => {
    expect(releaseAddresses(block, [{ address: parseAddress('10.65.0.5') }], AT_ONCE)).toEqual({
      block,
      released: [],
    });
  });
});

describe('cooling down', () => {
  const after = (seconds: number) => new Date(at.getTime() + seconds * 1000);
  const { block: held } = assignFree(block, 2, web);
  const { block: cooling, released } = releaseHandle(held, 'web', { now: at, seconds: 30 });

  test('a released address is held by nobody and not handed out', () => {
    expect(released).toHaveLength(2);
    expect(allocationsOf(cooling)).toEqual([]);
    expect(isEmpty(cooling)).toBe(false);
    expect(coolingOrdinals(cooling)).toEqual([0, 1]);
    expect(assignFree(cooling, 64, db).addresses).toHaveLength(62);
    expect(assignAddress(cooling, parseAddress('10.65.0.1'), db)).toBeUndefined();
    expect(releaseHandle(cooling, 'web', AT_ONCE).released).toEqual([]);
  });

  test('is stored as Calico does: a mark with the time and nothing else, and the sequence of the release', () => {
    expect(JSON.parse(encodeBlock(cooling)).attributes).toEqual([
      { handle_id: null, secondary: null, releasedAt: '2026-11-24T06:00:00.000Z' },
    ]);
    expect(cooling.sequenceNumberForAllocation).toEqual({
      0: held.sequenceNumber,
      1: held.sequenceNumber,
    });
  });

  test('it is freed to the tail when it has rested, and no sooner', () => {
    expect(collectCooled(cooling, { now: after(29.999), seconds: 30 })).toBe(cooling);
    const freed = collectCooled(cooling, { now: after(30), seconds: 30 });
    expect(freed.unallocated.slice(-2)).toEqual([0, 1]);
    expect(freed).toMatchObject({ attributes: [], sequenceNumberForAllocation: {} });
    expect(isEmpty(freed)).toBe(true);
  });

  test('a cooldown that was turned off, or a time that nobody can read, keeps nothing back', () => {
    expect(isEmpty(collectCooled(cooling, { now: at, seconds: 0 }))).toBe(true);
    const odd = readableBlock(
      encodeBlock(cooling).replace(/"releasedAt":"[^"]+"/, '"releasedAt":"soon"'),
    );
    expect(isEmpty(collectCooled(odd, { now: at, seconds: 1200 }))).toBe(true);
  });
});

test('addresses kept free at the ends are never handed out, and the block is empty all the same', () => {
  const kept = newBlock(parsePrefix('10.65.0.0/29'), HOST11, at, { first: 3, last: 1 });
  expect(assignFree(kept, 8, web).addresses).toEqual([
    '10.65.0.3',
    '10.65.0.4',
    '10.65.0.5',
    '10.65.0.6',
  ]);
  expect(isEmpty(kept)).toBe(true);
  expect(readableBlock(encodeBlock(kept))).toEqual(kept);
  const all = { first: 3, last: 1 };
  expect(() => newBlock(parsePrefix('10.65.0.0/30'), HOST11, at, all)).toThrow('4 are kept free');
});

describe('the stored form', () => {
  test('comes back as it was, integers past 2^53 and unknown fields included', () => {
    expect(sameJson(parseJson(encodeBlock(readableBlock(STORED))), parseJson(STORED))).toBe(true);
  });

  test('of a new block is what Calico writes', () => {
    const small = newBlock(parsePrefix('fd00:65::/127'), HOST11, at);
    expect(parseJson(encodeBlock(small))).toEqual({
      cidr: 'fd00:65::/127',
      affinity: 'host:host11',
      affinity_claim_time: '2026-11-24T06:00:00.000Z',
      allocations: [null, null],
      unallocated: [0, 1],
      attributes: [],
      sequenceNumber: 1795500000000000000n,
      sequenceNumberForAllocation: {},
      deleted: false,
    });
  });

  test.each([
    ['an allocation without attribute', STORED.replace('[0,1,0,null', '[0,7,0,null')],
    ['a free ordinal listed twice', STORED.replace('[3,4,5,6,7]', '[3,3,5,6,7]')],
    ['a free ordinal past the end', STORED.replace('[3,4,5,6,7]', '[3,4,5,6,8]')],
  ])('is refused with %s', (_, text) => {
    expect(() => readableBlock(text)).toThrow('contradicts itself');
  });
});

test('whatever is assigned and released: every address is either free or held, once', () => {
  const step = fc.oneof(
    fc.record({ assign: fc.integer({ min: 0, max: 5 }), to: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ release: fc.integer({ min: 0, max: 3 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let current = newBlock(parsePrefix('10.65.0.0/28'), HOST11, at);
      for (const action of steps) {
        const before = current.sequenceNumber;
        const next =
          'assign' in action
            ? assignFree(current, action.assign, { handle: `h${action.to}`, attributes: {} }).block
            : releaseHandle(current, `h${action.release}`, AT_ONCE).block;
        expect(next === current || next.sequenceNumber > before).toBe(true);
        current = next;
        const held = allocationsOf(current).map(({ ordinal }) => ordinal);
        expect([...held, ...current.unallocated].toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 16 }, (_, ordinal) => ordinal),
        );
        expect(Object.keys(current.sequenceNumberForAllocation).map(Number)).toEqual(held);
        expect(new Set(current.allocations.filter((index) => index !== null)).size).toBe(
          current.attributes.length,
        );
        expect(isEmpty(current)).toBe(held.length === 0);
        expect(readableBlock(encodeBlock(current))).toEqual(current);
      }
    }),
  );
});
