import { describe, expect, test } from 'vitest';
import type { Nftables, NftChange, NftContent, NftHook } from '../nftables.ts';
import { NftError } from '../nftables.ts';

const table = 'inet sample';
const FORWARD: NftHook = { type: 'filter', hook: 'forward', priority: -1, policy: 'accept' };

const chain = (name: string, ...rules: string[]): NftChange[] => [
  { type: 'add-chain', table, chain: name },
  ...rules.map((rule): NftChange => ({ type: 'add-rule', table, chain: name, rule })),
];
const add = (set: string, ...keys: string[]): NftChange => elements('add-elements', set, keys);
const remove = (set: string, ...keys: string[]): NftChange =>
  elements('remove-elements', set, keys);
const elements = (
  type: 'add-elements' | 'remove-elements',
  set: string,
  keys: readonly string[],
): NftChange => ({ type, table, set, elements: keys.map((key) => ({ key })) });
const lead = (key: string, verdict: string): NftChange => ({
  type: 'add-elements',
  table,
  set: 'known',
  elements: [{ key, verdict }],
});

const ACCEPT = 'ip saddr @friends tcp dport 80 accept comment "web"';
const SAMPLE: readonly NftChange[] = [
  { type: 'add-table', table },
  { type: 'add-set', table, set: 'friends', key: ['ipv4_addr'] },
  { type: 'add-set', table, set: 'nets-v6', key: ['ipv6_addr'], interval: true },
  { type: 'add-set', table, set: 'ports', key: ['ipv4_addr', 'inet_proto', 'inet_service'] },
  { type: 'add-set', table, set: 'known', key: ['ifname'], verdicts: true },
  ...chain('to/cali1', ACCEPT, 'drop'),
  ...chain('to/cali2'),
  { type: 'add-chain', table, chain: 'forward', hook: FORWARD },
  { type: 'add-rule', table, chain: 'forward', rule: 'oifname vmap @known' },
  lead('cali1', 'goto to/cali1'),
  lead('cali2', 'return'),
  add('friends', '10.65.0.1', '10.65.0.2'),
  add('nets-v6', 'fd00::/8', '2001:db8::1', '2001:db8::5-2001:db8::9'),
  add('ports', '10.65.0.1 . 6 . 80', '10.65.0.1 . 17 . 53'),
];

/** What a set of the table holds, in order. */
function elementsOf(content: NftContent | undefined, set: string): [string, string | undefined][] {
  return [...(content?.sets.get(set)?.elements ?? [])].toSorted();
}

/**
 * What every {@link Nftables} must do: run on the fake and on the kernel, so that a test on the fake means something.
 *
 * @param make Makes an empty one, that nothing else uses.
 */
export function describeNftables(
  name: string,
  make: () => Promise<AsyncDisposable & { readonly nftables: Nftables }>,
): void {
  describe(name, () => {
    test('what is written is read back', async () => {
      await using made = await make();
      const { nftables } = made;
      expect(await nftables.read(table)).toBeUndefined();
      await nftables.transact(SAMPLE);
      const content = await nftables.read(table);
      expect(content?.dormant).toBe(false);
      const prints = (...rules: string[]) => rules.map((rule) => nftables.fingerprint(rule));
      expect(Object.fromEntries(content?.chains ?? [])).toEqual({
        'to/cali1': { hook: undefined, rules: prints(ACCEPT, 'drop') },
        'to/cali2': { hook: undefined, rules: [] },
        forward: { hook: FORWARD, rules: prints('oifname vmap @known') },
      });
      const sets = [...(content?.sets ?? [])].map(([set, { elements, ...spec }]) => [set, spec]);
      expect(Object.fromEntries(sets)).toEqual({
        friends: { key: ['ipv4_addr'], verdicts: false, interval: false },
        'nets-v6': { key: ['ipv6_addr'], verdicts: false, interval: true },
        ports: {
          key: ['ipv4_addr', 'inet_proto', 'inet_service'],
          verdicts: false,
          interval: false,
        },
        known: { key: ['ifname'], verdicts: true, interval: false },
      });
      const keys = (set: string) => elementsOf(content, set).map(([key]) => key);
      expect(keys('friends')).toEqual(['10.65.0.1', '10.65.0.2']);
      expect(keys('nets-v6')).toEqual(['2001:db8::1', '2001:db8::5-2001:db8::9', 'fd00::/8']);
      expect(keys('ports')).toEqual(['10.65.0.1 . 17 . 53', '10.65.0.1 . 6 . 80']);
      expect(elementsOf(content, 'known')).toEqual([
        ['cali1', 'goto to/cali1'],
        ['cali2', 'return'],
      ]);
    });

    test('writing the same again changes nothing but appends rules', async () => {
      await using made = await make();
      const { nftables } = made;
      await nftables.transact(SAMPLE);
      const before = await nftables.read(table);
      await nftables.transact(SAMPLE.filter(({ type }) => type !== 'add-rule'));
      expect(await nftables.read(table)).toEqual(before);
    });

    test('one transaction makes a table anew', async () => {
      await using made = await make();
      const { nftables } = made;
      await nftables.transact(SAMPLE);
      const before = await nftables.read(table);
      await nftables.transact([
        { type: 'add-table', table },
        { type: 'delete-table', table },
        ...SAMPLE,
      ]);
      expect(await nftables.read(table)).toEqual(before);
    });

    test('elements come and go, and change their verdict by being removed and added', async () => {
      await using made = await make();
      const { nftables } = made;
      await nftables.transact(SAMPLE);
      await nftables.transact([
        remove('friends', '10.65.0.1'),
        add('friends', '10.65.0.2', '10.65.0.3'),
        remove('nets-v6', 'fd00::/8', '2001:db8::5-2001:db8::9'),
        add('nets-v6', 'fd00::/9'),
        remove('ports', '10.65.0.1 . 6 . 80'),
        remove('known', 'cali2'),
        lead('cali2', 'goto to/cali2'),
        lead('cali3', 'drop'),
        add('friends'),
      ]);
      const content = await nftables.read(table);
      const keys = (set: string) => elementsOf(content, set).map(([key]) => key);
      expect(keys('friends')).toEqual(['10.65.0.2', '10.65.0.3']);
      expect(keys('nets-v6')).toEqual(['2001:db8::1', 'fd00::/9']);
      expect(keys('ports')).toEqual(['10.65.0.1 . 17 . 53']);
      expect(elementsOf(content, 'known')).toEqual([
        ['cali1', 'goto to/cali1'],
        ['cali2', 'goto to/cali2'],
        ['cali3', 'drop'],
      ]);
    });

    test('chains and sets are flushed and deleted', async () => {
      await using made = await make();
      const { nftables } = made;
      await nftables.transact(SAMPLE);
      await nftables.transact([
        { type: 'flush-chain', table, chain: 'to/cali1' },
        { type: 'delete-set', table, set: 'friends' },
        { type: 'flush-set', table, set: 'known' },
        { type: 'flush-set', table, set: 'nets-v6' },
        { type: 'delete-chain', table, chain: 'to/cali2' },
        { type: 'delete-chain', table, chain: 'forward' },
        { type: 'delete-set', table, set: 'known' },
      ]);
      const content = await nftables.read(table);
      expect([...(content?.chains ?? [])]).toEqual([['to/cali1', { hook: undefined, rules: [] }]]);
      expect([...(content?.sets.keys() ?? [])].toSorted()).toEqual(['nets-v6', 'ports']);
      expect(elementsOf(content, 'nets-v6')).toEqual([]);
      await nftables.transact([{ type: 'delete-table', table }]);
      expect(await nftables.read(table)).toBeUndefined();
    });

    test('the policy of a base chain can change, its hook cannot', async () => {
      await using made = await make();
      const { nftables } = made;
      await nftables.transact(SAMPLE);
      const hook = { ...FORWARD, policy: 'drop' } as const;
      await nftables.transact([{ type: 'add-chain', table, chain: 'forward', hook }]);
      expect((await nftables.read(table))?.chains.get('forward')?.hook).toEqual(hook);
      const other = { ...FORWARD, hook: 'input' } as const;
      const change: NftChange = { type: 'add-chain', table, chain: 'forward', hook: other };
      await expect(nftables.transact([change])).rejects.toThrow(NftError);
    });

    describeRefusals(make);
  });
}

function describeRefusals(make: Parameters<typeof describeNftables>[1]): void {
  test.each<[name: string, ...changes: NftChange[]]>([
    ['a chain of a table that is not there', { ...chain('x')[0], table: 'inet no' } as NftChange],
    ['a rule of a chain that is not there', ...chain('x', 'drop').slice(1)],
    ['a jump to a chain that is not there', ...chain('x', 'jump nowhere')],
    ['a rule with a set that is not there', ...chain('x', 'ip saddr @nobody drop')],
    [
      'a chain that a rule leads to',
      ...chain('x', 'jump to/cali2'),
      {
        type: 'delete-chain',
        table,
        chain: 'to/cali2',
      },
    ],
    ['a chain that an element leads to', { type: 'delete-chain', table, chain: 'to/cali1' }],
    ['a set that a rule uses', { type: 'delete-set', table, set: 'friends' }],
    [
      'a set that is there and takes something else',
      {
        type: 'add-set',
        table,
        set: 'friends',
        key: ['ipv6_addr'],
      },
    ],
    ['an element with another verdict', lead('cali1', 'drop')],
    ['an element that leads to a chain that is not there', lead('cali9', 'goto nowhere')],
    ['an element that is absent', remove('friends', '10.65.0.9')],
    ['a net that is absent', remove('nets-v6', 'fd80::/9')],
    ['an element of a set that is not there', add('nobody', '10.65.0.9')],
  ])('refused, and nothing is changed: %s', async (_name, ...changes) => {
    await using made = await make();
    const { nftables } = made;
    await nftables.transact(SAMPLE);
    const before = await nftables.read(table);
    const transaction = nftables.transact([add('friends', '10.65.0.8'), ...changes]);
    await expect(transaction).rejects.toThrow(NftError);
    expect(await nftables.read(table)).toEqual(before);
  });
}
