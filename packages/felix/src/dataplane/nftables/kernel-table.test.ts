import { NftError } from '@overland/linux';
import { fakeNftables } from '@overland/linux/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KernelTable, type PlanScope } from './kernel-table.ts';

const TABLE = 'inet test';
const ALL: PlanScope = { mayRemove: true };

/** Chains of a model: rules of each, which may jump to the chains before it. */
interface Wanted {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>;
  readonly verdicts: ReadonlyMap<string, string>;
}

const NAMES = ['a', 'b', 'c', 'd'] as const;

const wanted: fc.Arbitrary<Wanted> = fc
  .record({
    names: fc.subarray([...NAMES]),
    rules: fc.array(fc.constantFrom('accept', 'drop', 'return'), { maxLength: 3 }),
    sets: fc.subarray(['s', 't']),
    members: fc.subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3']),
    leads: fc.subarray([...NAMES]),
  })
  .map(({ names, rules, sets, members, leads }) => ({
    chains: new Map(
      names.map((name, i) => [
        name,
        [
          ...rules.map((rule) => `counter ${rule}`),
          ...names.slice(0, i).map((before) => `jump ${before}`),
          ...sets.map((set) => `ip saddr @${set} drop`),
        ],
      ]),
    ),
    sets: new Map(sets.map((set) => [set, new Set(members)])),
    verdicts: new Map(
      leads.filter((name) => names.includes(name)).map((name) => [`if${name}`, `goto ${name}`]),
    ),
  }));

function want(table: KernelTable, { chains, sets, verdicts }: Wanted): void {
  for (const name of NAMES) {
    const rules = chains.get(name);
    table.setChain(name, rules && { rules });
  }
  for (const name of ['s', 't']) {
    const members = sets.get(name);
    table.setSet(
      name,
      members && {
        key: ['ipv4_addr'],
        elements: [...members].map((key) => ({ key })),
      },
    );
  }
  table.setSet('map', {
    key: ['ifname'],
    verdicts: true,
    elements: Array.from(verdicts, ([key, verdict]) => ({ key, verdict })),
  });
}

function kernel() {
  const nftables = fakeNftables();
  return {
    nftables,
    /** Chains, sets and elements, in order. */
    held: () => {
      const found = nftables.content.get(TABLE);
      const chains = [...(found?.chains ?? [])].map(
        ([name, { rules }]) => `${name}: ${rules.join('; ')}`,
      );
      const sets = [...(found?.sets ?? [])].map(
        ([name, { elements }]) =>
          `${name}: ${[...elements]
            .map(([key, to]) => `${key} ${to}`)
            .toSorted()
            .join('; ')}`,
      );
      return [...chains, ...sets].toSorted();
    },
    async read(table: KernelTable): Promise<number> {
      return table.read(await nftables.read(TABLE), nftables.fingerprint);
    },
    async write(table: KernelTable, scope = ALL): Promise<number> {
      const { changes } = table.plan(scope);
      if (changes.length > 0) await nftables.transact(changes);
      return changes.length;
    },
  };
}

/** What a kernel holds that was told to hold this from the beginning. */
async function fresh(target: Wanted): Promise<string[]> {
  const { read, write, held } = kernel();
  const table = new KernelTable(TABLE);
  want(table, target);
  await read(table);
  await write(table);
  return held();
}

test('from any state to any other, also after a restart or somebody else’s hand; and twice is the same as once', async () => {
  const step = fc.record({
    target: wanted,
    before: fc.constantFrom('nothing', 'restart', 'flushed', 'chain lost', 'deleted', 'dormant'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      const { nftables, read, write, held } = kernel();
      let table = new KernelTable(TABLE);
      for (const { target, before } of steps) {
        const found = nftables.content.get(TABLE);
        if (before === 'restart') table = new KernelTable(TABLE);
        if (before === 'flushed')
          for (const { rules } of found?.chains.values() ?? []) rules.length = 0;
        if (before === 'chain lost') {
          found?.sets.get('map')?.elements.clear();
          found?.chains.delete([...(found?.chains.keys() ?? [])].at(-1) ?? '');
        }
        if (before === 'deleted') nftables.content.delete(TABLE);
        if (before === 'dormant' && found) found.dormant = true;
        if (before !== 'nothing') table.doubt();
        want(table, target);
        if (table.isInDoubt) await read(table);
        await write(table);
        expect(held()).toEqual(await fresh(target));
        expect(await write(table)).toBe(0);
        expect(await read(table)).toBe(0);
        expect(await write(table)).toBe(0);
      }
    }),
    { numRuns: Number(process.env.FC_RUNS ?? 150) },
  );
});

const one = (rule: string, members: readonly string[] = []): Wanted => ({
  chains: new Map([['a', [rule]]]),
  sets: new Map([['s', new Set(members)]]),
  verdicts: new Map([['ifa', 'goto a']]),
});

test('what was not written is written the next time, with what was wanted meanwhile', async () => {
  const { read, write, held } = kernel();
  const table = new KernelTable(TABLE);
  want(table, one('drop', ['10.0.0.1']));
  await read(table);
  await write(table);
  want(table, one('accept', ['10.0.0.2']));
  const plan = table.plan(ALL);
  want(table, one('accept', ['10.0.0.2', '10.0.0.3']));
  plan.undo();
  expect(await write(table)).toBeGreaterThan(0);
  expect(held()).toEqual(await fresh(one('accept', ['10.0.0.2', '10.0.0.3'])));
});

test('without the right to remove everything stays that is not wanted, and is removed later', async () => {
  const { read, write, held } = kernel();
  const table = new KernelTable(TABLE);
  want(table, one('drop', ['10.0.0.1']));
  await read(table);
  await write(table);
  const after = new KernelTable(TABLE);
  const other: Wanted = { chains: new Map([['b', []]]), sets: new Map(), verdicts: new Map() };
  want(after, other);
  await read(after);
  await write(after, { mayRemove: false });
  expect(held()).toEqual(['a: drop', 'b: ', 'map: ifa goto a', 's: 10.0.0.1 undefined']);
  await write(after);
  expect(held()).toEqual(await fresh(other));
});

test('of a set one member is written, not all', async () => {
  const { nftables, read, write } = kernel();
  const table = new KernelTable(TABLE);
  want(table, one('drop', ['10.0.0.1', '10.0.0.2']));
  await read(table);
  await write(table);
  want(table, one('drop', ['10.0.0.2', '10.0.0.3']));
  const { changes } = table.plan(ALL);
  expect(changes).toEqual([
    { type: 'remove-elements', table: TABLE, set: 's', elements: [{ key: '10.0.0.1' }] },
    { type: 'add-elements', table: TABLE, set: 's', elements: [{ key: '10.0.0.3' }] },
  ]);
  await nftables.transact(changes);
});

test('a plan of some names is of those only; a table of another shape is made anew', async () => {
  const { nftables, read, held } = kernel();
  await nftables.transact([
    { type: 'add-table', table: TABLE },
    { type: 'add-set', table: TABLE, set: 's', key: ['ipv6_addr'] },
  ]);
  const table = new KernelTable(TABLE);
  want(table, one('drop', ['10.0.0.1']));
  await read(table);
  const some = table.plan({ mayRemove: false, only: new Set(['s']) });
  await nftables.transact(some.changes);
  expect(held()).toEqual(['s: 10.0.0.1 undefined']);
  await nftables.transact(table.plan(ALL).changes);
  expect(held()).toEqual(await fresh(one('drop', ['10.0.0.1'])));
  expect(() => new KernelTable(TABLE).plan(ALL)).toThrow('has not been read');
  await expect(nftables.transact([{ type: 'delete-set', table: TABLE, set: 'x' }])).rejects.toThrow(
    NftError,
  );
});
