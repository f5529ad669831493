import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NftChange, NftElement } from '../nftables.ts';
import { describeNftables } from '../testing/describe-nftables.ts';
import { netns } from '../testing/netns.ts';
import { openNftables } from './open-nftables.ts';

const table = 'inet sample';

async function made() {
  const ns = await netns();
  const nftables = openNftables({ namespace: ns.path });
  return {
    ns,
    nftables,
    async [Symbol.asyncDispose]() {
      nftables[Symbol.dispose]();
      await ns[Symbol.asyncDispose]();
    },
  };
}

describeNftables('nfnetlink', made);

const hex = (value: number) => value.toString(16);
const ip4 = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
const ip6 = (n: number) =>
  n === 0
    ? '::'
    : n === 15
      ? Array(8).fill('ffff').join(':')
      : `${hex(n)}fff:${hex(n)}:1:1:1:1:1:1`;
const KINDS = {
  v4: { key: 'ipv4_addr', text: (n: number) => ip4((n * 0x1111_1111) >>> 0) },
  v6: { key: 'ipv6_addr', text: ip6 },
  ports: { key: 'inet_service', text: (n: number) => String(n * 0x1111) },
} as const;

/** Ranges that do not overlap: between every other of the bounds; some are of one value, some touch the next. */
function rangesOf(bounds: readonly number[], text: (n: number) => string): string[] {
  const sorted = [...new Set(bounds)].toSorted((a, b) => a - b);
  return sorted.flatMap((bound, i) => {
    const next = sorted[i + 1];
    if (i % 2 !== 0) return [];
    if (next === undefined) return [text(bound)];
    // All addresses are a prefix.
    const isAll = bound === 0 && next === 15 && text(0) !== '0';
    return isAll ? [`${text(0)}/0`] : [`${text(bound)}-${text(next)}`];
  });
}

test('random intervals are listed by nft as they were written, and read back', async () => {
  await using here = await made();
  const { ns, nftables } = here;
  const bounds = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 8 });
  for (const some of fc.sample(bounds, { numRuns: 12, seed: 3 })) {
    for (const [set, { key, text }] of Object.entries(KINDS)) {
      const ranges = rangesOf(some, text);
      const add = (name: string, types: readonly (typeof key)[], elements: NftElement[]) =>
        [
          { type: 'add-set', table, set: name, key: types, interval: true },
          { type: 'add-elements', table, set: name, elements },
        ] as NftChange[];
      await nftables.transact([
        { type: 'add-table', table },
        { type: 'delete-table', table },
        { type: 'add-table', table },
        ...add(
          set,
          [key],
          ranges.map((range) => ({ key: range })),
        ),
        ...add(
          'double',
          [key, key],
          ranges.map((range) => ({ key: `${range} . ${range}` })),
        ),
      ]);
      const content = await nftables.read(table);
      expect([...(content?.sets.get(set)?.elements.keys() ?? [])].toSorted()).toEqual(
        ranges.toSorted(),
      );
      expect([...(content?.sets.get('double')?.elements.keys() ?? [])].toSorted()).toEqual(
        ranges.map((range) => `${range} . ${range}`).toSorted(),
      );
      for (const name of [set, 'double']) {
        const listed = await ns.exec(['nft', '-n', 'list', 'set', ...table.split(' '), name]);
        for (const range of ranges) expect(listed).toContain(range);
      }
      const elements = ranges.map((range) => ({ key: range }));
      await nftables.transact([{ type: 'remove-elements', table, set, elements }]);
      expect((await nftables.read(table))?.sets.get(set)?.elements.size).toBe(0);
    }
  }
});

test('a large set goes in and comes back', async () => {
  await using here = await made();
  const { nftables } = here;
  const elements = Array.from({ length: 20_000 }, (_, i) => ({ key: ip4(0x0a00_0000 + i) }));
  await nftables.transact([
    { type: 'add-table', table },
    { type: 'add-set', table, set: 'many', key: ['ipv4_addr'] },
    { type: 'add-elements', table, set: 'many', elements },
  ]);
  const keys = (await nftables.read(table))?.sets.get('many')?.elements;
  expect(keys?.size).toBe(20_000);
  for (const { key } of elements) expect(keys?.has(key)).toBe(true);
});

test('refusals without number, more than there is room for, are one error, and the next transaction goes on', async () => {
  await using here = await made();
  const { nftables } = here;
  const rule: NftChange = { type: 'add-rule', table, chain: 'gone', rule: 'drop' };
  const changes: NftChange[] = [{ type: 'add-table', table }, ...Array(30_000).fill(rule)];
  await expect(nftables.transact(changes)).rejects.toMatchObject({ name: 'NftError' });
  expect(await nftables.read(table)).toBeUndefined();
  await nftables.transact([{ type: 'add-table', table }]);
  expect(await nftables.read(table)).toBeDefined();
});

test('a hand in our table is seen when it is read', async () => {
  await using here = await made();
  const { ns, nftables } = here;
  const rule: NftChange = { type: 'add-rule', table, chain: 'c', rule: 'drop comment "ours"' };
  await nftables.transact([
    { type: 'add-table', table },
    { type: 'add-chain', table, chain: 'c' },
    rule,
  ]);
  const nft = (...words: string[]) => ns.exec(['nft', ...words]);
  const rules = async () => (await nftables.read(table))?.chains.get('c')?.rules;
  const ours = nftables.fingerprint(rule.rule);
  expect(await rules()).toEqual([ours]);
  await nft('insert', 'rule', ...table.split(' '), 'c', 'accept');
  expect(await rules()).toEqual([undefined, ours]);
  const listing = await nft('-a', 'list', 'chain', ...table.split(' '), 'c');
  const handle = /comment "ours" # handle (\d+)/.exec(listing)?.[1] ?? '';
  await nft('replace', 'rule', ...table.split(' '), 'c', 'handle', handle, 'drop comment "ours"');
  expect(await rules()).toEqual([undefined, undefined]);
  await nft('add', 'table', ...table.split(' '), '{ flags dormant; }');
  expect((await nftables.read(table))?.dormant).toBe(true);
  await nftables.transact([{ type: 'add-table', table }]);
  expect((await nftables.read(table))?.dormant).toBe(false);
});

test('changes of others are told with their table, and own ones are not', async () => {
  await using here = await made();
  const { ns, nftables } = here;
  const stop = new AbortController();
  const changes = nftables.foreignChanges(stop.signal)[Symbol.asyncIterator]();
  await nftables.transact([{ type: 'add-table', table }]);
  await ns.exec(['nft', 'add table ip other; add chain ip other c; add chain ip other d']);
  await nftables.transact([{ type: 'add-chain', table, chain: 'c' }]);
  await ns.exec(['nft', 'add', 'rule', ...table.split(' '), 'c', 'drop']);
  await ns.exec(['nft', 'flush', 'ruleset']);
  const told = [];
  for (let i = 0; i < 4; i++) told.push((await changes.next()).value);
  expect(told.slice(0, 2)).toEqual(['ip other', table]);
  expect(told.slice(2).toSorted()).toEqual([table, 'ip other']);
  stop.abort();
  expect(await changes.next()).toEqual({ done: true, value: undefined });
});

test('a table that is read while it changes is of one moment', async () => {
  await using here = await made();
  const { nftables } = here;
  const set = (to: 'add-elements' | 'remove-elements', name: string): NftChange => ({
    type: to,
    table,
    set: name,
    elements: [{ key: '10.0.0.1' }],
  });
  await nftables.transact([
    { type: 'add-table', table },
    { type: 'add-set', table, set: 'a', key: ['ipv4_addr'] },
    { type: 'add-set', table, set: 'b', key: ['ipv4_addr'] },
    set('add-elements', 'a'),
  ]);
  const reads = Array.from({ length: 5 }, () => nftables.read(table));
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    await nftables.transact([set('remove-elements', from), set('add-elements', to)]);
    reads.push(nftables.read(table));
  }
  for (const content of await Promise.all(reads)) {
    const sizes = [...(content?.sets.values() ?? [])].map(({ elements }) => elements.size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1);
  }
});

test.each<[reason: string, change: NftChange]>([
  ['not a family', { type: 'add-table', table: 'net x' }],
  [
    'element "x": not an IPv4 address, or a prefix',
    { type: 'add-elements', table, set: 'nets', elements: [{ key: 'x' }] },
  ],
  [
    'not a port',
    { type: 'add-elements', table, set: 'ports', elements: [{ key: '10.0.0.1 . 6 . 70000' }] },
  ],
  ['2 parts, not 3', { type: 'add-elements', table, set: 'ports', elements: [{ key: '1 . 2' }] }],
  ['there is none', { type: 'add-elements', table, set: 'gone', elements: [{ key: '10.0.0.1' }] }],
  [
    'no verdicts',
    { type: 'add-elements', table, set: 'nets', elements: [{ key: '1.1.1.1', verdict: 'drop' }] },
  ],
  ['ENOENT', { type: 'delete-chain', table, chain: 'gone' }],
])('what is wrong is named, with its change: %s', async (reason, change) => {
  await using here = await made();
  const { nftables } = here;
  await nftables.transact([
    { type: 'add-table', table },
    { type: 'add-set', table, set: 'nets', key: ['ipv4_addr'], interval: true },
    { type: 'add-set', table, set: 'ports', key: ['ipv4_addr', 'inet_proto', 'inet_service'] },
  ]);
  const changes: NftChange[] = [{ type: 'add-chain', table, chain: 'c' }, change];
  const error: unknown = await nftables.transact(changes).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ name: 'NftError', change });
  expect(String(error)).toContain(reason);
  expect((await nftables.read(table))?.chains.size).toBe(0);
});
