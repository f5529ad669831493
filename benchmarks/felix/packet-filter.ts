/**
 * How fast is a packet filter written into the kernel, all of it and one change, compared with nft in the same run?
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/felix/packet-filter.ts [ROUNDS]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NftChange, NftElement } from '@overland/linux';
import { openNftables } from '@overland/linux/netfilter';
import { netns, type TestNamespace } from '@overland/linux/testing';

const ROUNDS = Number(process.argv[2] ?? 5);
const ENDPOINTS = 250;
const POLICIES = 50;
const POLICIES_OF_ENDPOINT = 20;
const RULES = 5;
const SETS = 100;
const MEMBERS = 1_000;
const LARGE_SET = 100_000;
const PREFIXES = 10_000;
const CHANGES = 200;
const CHANGES_BY_NFT = 10;

const table = 'inet overland';
const results = new Map<string, number[]>();

const record = (row: string, value: number): void => {
  results.set(row, [...(results.get(row) ?? []), value]);
};

async function timed(row: string, work: () => Promise<unknown> | unknown): Promise<void> {
  const start = performance.now();
  await work();
  record(row, performance.now() - start);
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const address = (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;

function chain(name: string, rules: readonly string[]): NftChange[] {
  return rules.map((rule) => ({ type: 'add-rule', table, chain: name, rule }));
}

/** Rules of a policy, as `calc/nftables` writes them; `port` makes them differ. */
function policyRules(policy: number, port: number): string[] {
  return times(RULES, (i) => {
    const set = `s-${(policy * RULES + i) % SETS}`;
    const match = `meta nfproto ipv4 meta l4proto 6 ip saddr @${set} th dport { ${port + i}, 8000-8010 }`;
    return `${match} meta mark set meta mark or 0x00010000 return`;
  });
}

function endpointRules(endpoint: number, direction: string): string[] {
  const asked = times(POLICIES_OF_ENDPOINT, (i) => (endpoint + i) % POLICIES);
  return [
    'ct state established,related return',
    'ct state invalid drop',
    'meta mark set meta mark and 0xfffcffff',
    ...asked.flatMap((policy) => [
      `meta mark and 0x00020000 == 0x00000000 jump ${direction}/GlobalNetworkPolicy/p${policy}`,
      'meta mark and 0x00010000 == 0x00010000 return',
    ]),
    'drop',
  ];
}

/** Everything that a full start writes. */
function ruleset(): NftChange[] {
  const directions = ['ingress', 'egress'] as const;
  const policies = directions.flatMap((direction) =>
    times(POLICIES, (i) => [`${direction}/GlobalNetworkPolicy/p${i}`, policyRules(i, 80)] as const),
  );
  const endpoints = directions.flatMap((direction) =>
    times(ENDPOINTS, (i) => [`${direction}-cali${i}`, endpointRules(i, direction)] as const),
  );
  const sets = times(
    SETS,
    (i) => [`s-${i}`, times(MEMBERS, (j) => address(i * 4096 + j))] as const,
  );
  const chains = [...policies, ...endpoints];
  return [
    { type: 'add-table', table },
    ...sets.map(([set]): NftChange => ({ type: 'add-set', table, set, key: ['ipv4_addr'] })),
    ...sets.map(
      ([set, members]): NftChange => ({
        type: 'add-elements',
        table,
        set,
        elements: members.map((key) => ({ key })),
      }),
    ),
    ...chains.map(([name]): NftChange => ({ type: 'add-chain', table, chain: name })),
    ...chains.flatMap(([name, rules]) => chain(name, rules)),
    ...directions.flatMap((direction): NftChange[] => [
      { type: 'add-set', table, set: `${direction}-known`, key: ['ifname'], verdicts: true },
      {
        type: 'add-elements',
        table,
        set: `${direction}-known`,
        elements: times(
          ENDPOINTS,
          (i): NftElement => ({ key: `cali${i}`, verdict: `goto ${direction}-cali${i}` }),
        ),
      },
    ]),
    {
      type: 'add-chain',
      table,
      chain: 'forward',
      hook: { type: 'filter', hook: 'forward', priority: 0, policy: 'accept' },
    },
    ...chain('forward', ['iifname vmap @egress-known', 'oifname vmap @ingress-known']),
  ];
}

const nft = (ns: TestNamespace, ...words: string[]) =>
  execFileSync('ip', ['netns', 'exec', ns.name, 'nft', ...words], { maxBuffer: 256 << 20 });

/** Runs `nft -f`. @returns CPU time of it and of the kernel for it. */
function loadByNft(ns: TestNamespace, file: string): number {
  const argv = ['netns', 'exec', ns.name, 'bash', '-c', 'nft -f "$1" && times', 'bash', file];
  // The shell's own times, and below them those of its children: `0m0.346s 0m0.219s`.
  const children = execFileSync('ip', argv).toString().split('\n')[1] ?? '';
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, m, s]) => Number(m) * 60 + Number(s),
  );
  return seconds.reduce((sum, one) => sum + one, 0) * 1000;
}

async function fullStart(file: string): Promise<void> {
  const changes = ruleset();
  for (let round = 0; round < ROUNDS; round++) {
    await using ours = await netns();
    await using theirs = await netns();
    using nftables = openNftables({ namespace: ours.path });
    const first = round === 0 ? ', first in the process' : '';
    const before = process.threadCpuUsage();
    await timed(`full start, ours${first}`, () => nftables.transact(changes));
    const { user, system } = process.threadCpuUsage(before);
    record(`full start, ours${first}: CPU`, (user + system) / 1000);
    await timed('read back, ours', () => nftables.read(table));
    writeFileSync(file, nft(ours, 'list', 'ruleset'));
    await timed('full start, nft -f', () =>
      record('full start, nft -f: CPU', loadByNft(theirs, file)),
    );
    if (!nft(theirs, '-s', 'list', 'ruleset').equals(nft(ours, '-s', 'list', 'ruleset'))) {
      throw new Error('the rulesets differ');
    }
  }
}

async function singleChanges(file: string): Promise<void> {
  await using ns = await netns();
  using nftables = openNftables({ namespace: ns.path });
  await nftables.transact([
    ...ruleset(),
    { type: 'add-set', table, set: 'large', key: ['ipv4_addr'] },
    { type: 'add-set', table, set: 'nets', key: ['ipv4_addr'], interval: true },
    {
      type: 'add-elements',
      table,
      set: 'large',
      elements: times(LARGE_SET, (i) => ({ key: address(i) })),
    },
    {
      type: 'add-elements',
      table,
      set: 'nets',
      elements: times(PREFIXES, (i) => ({ key: `${address(i * 512)}/24` })),
    },
  ]);
  const rows: readonly (readonly [row: string, make: (i: number) => NftChange[]])[] = [
    [
      `a policy of ${ENDPOINTS} endpoints changed`,
      (i) => [
        { type: 'flush-chain', table, chain: 'ingress/GlobalNetworkPolicy/p7' },
        ...chain('ingress/GlobalNetworkPolicy/p7', policyRules(7, 100 + i)),
      ],
    ],
    [`an address into a set of ${LARGE_SET}`, (i) => [add('large', `11.0.${i >> 8}.${i & 255}`)]],
    [`a prefix into a set of ${PREFIXES}`, (i) => [add('nets', `12.${i & 255}.0.0/16`)]],
  ];
  for (const [row, make] of rows) {
    for (let i = 0; i < CHANGES; i++) await timed(`${row}, ours`, () => nftables.transact(make(i)));
    for (let i = CHANGES; i < CHANGES + CHANGES_BY_NFT; i++) {
      writeFileSync(file, make(i).map(command).join('\n'));
      await timed(`${row}, nft -f`, () => nft(ns, '-f', file));
    }
  }
}

function add(set: string, key: string): NftChange {
  return { type: 'add-elements', table, set, elements: [{ key }] };
}

function command(change: NftChange): string {
  if (change.type === 'flush-chain') return `flush chain ${table} ${change.chain}`;
  if (change.type === 'add-rule') return `add rule ${table} ${change.chain} ${change.rule}`;
  if (change.type !== 'add-elements') throw new Error(change.type);
  return `add element ${table} ${change.set} { ${change.elements.map(({ key }) => key).join(', ')} }`;
}

const directory = mkdtempSync(join(tmpdir(), 'packet-filter-'));
try {
  await fullStart(join(directory, 'ruleset'));
  await singleChanges(join(directory, 'change'));
} finally {
  rmSync(directory, { recursive: true });
}
const rows = [...results].map(([row, values]) => ({
  row,
  n: values.length,
  p50: quantile(values, 0.5).toFixed(2),
  p99: quantile(values, 0.99).toFixed(2),
}));
console.table(rows);
