import type { Transaction } from '@overland/datastore';
import { describe, expect, test, vi } from 'vitest';
import { type Exploration, explore, type Limits } from '../test/explore.ts';
import { IpamWorld, type Scenario } from '../test/ipam-world.ts';
import type { Fault } from '../test/simulation.ts';

vi.setConfig({ testTimeout: 600_000 }); // all computing: how long depends on the machine alone

/**
 * Every schedule of small scenarios, up to a number of preemptions, deaths and lost answers, on a view as
 * stale as can be. OVERLAND_SOAK=1 goes deeper.
 */
const soak = process.env.OVERLAND_SOAK === '1';
const RACE = soak ? { preemptions: 4, faults: 0 } : { preemptions: 3, faults: 0 };
const CRASH = soak ? { preemptions: 2, faults: 2 } : { preemptions: 1, faults: 1 };

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'two hosts reach for the only block': {
    pools: { '10.65.0.0/31': 31 },
    hosts: { host11: [{ assign: 'a1' }, { release: 'a1' }], host12: [{ assign: 'b1' }] },
  },
  'two hosts share two blocks, in both families': {
    pools: { '10.65.0.0/30': 31, 'fd00:65::/126': 127 },
    hosts: {
      host11: [{ assign: 'a1', families: ['ipv4', 'ipv6'] }, { release: 'a1' }],
      host12: [{ assign: 'b1', families: ['ipv4', 'ipv6'] }],
    },
  },
  'a host assigns while its containers come and go': {
    pools: { '10.65.0.0/30': 30 },
    before: [{ assign: 'a0' }],
    hosts: {
      host11: [{ assign: 'a1' }, { release: 'a0' }, { assign: 'a2' }, { release: 'a1' }],
    },
  },
  'an operator releases the handle that a host assigns to': {
    pools: { '10.65.0.0/30': 30, 'fd00:65::/126': 126 },
    before: [{ assign: 'a0' }],
    hosts: {
      host11: [{ assign: 'a1' }, { assign: 'a0', families: ['ipv4', 'ipv6'] }],
      operator: [{ release: 'a0' }],
    },
    shared: ['a0'],
  },
};

/** Longer ones, with what operators and collectors do: all schedules with OVERLAND_SOAK=1, else a sample. */
const MANAGED: Readonly<Record<string, Scenario>> = {
  'one host uses every call': {
    pools: { '10.65.0.0/29': 30 },
    config: { auto_allocate_blocks: true, ipCooldownSeconds: 0 },
    hosts: {
      host11: [
        { call: 'ensureBlock' },
        { assign: 'a1', count: 3 },
        { call: 'spareBlock' },
        { releaseSingly: 'a1' },
        { call: 'giveUpBlocks' },
        { assign: 'a2' },
        { collect: true },
        { release: 'a2' },
        { giveUpHost: 'host11' },
      ],
    },
  },
  'a host borrows from a block that its owner gives up': {
    pools: { '10.65.0.0/30': 30 },
    before: [{ assign: 'a0' }],
    hosts: {
      host11: [{ release: 'a0' }, { call: 'giveUpBlocks' }],
      host12: [{ assign: 'b1' }, { release: 'b1' }],
    },
  },
  'an operator gives up the blocks of a host that assigns': {
    pools: { '10.65.0.0/30': 31 },
    before: [{ assign: 'a0' }],
    hosts: { host11: [{ assign: 'a1' }, { assign: 'a2' }], operator: [{ giveUpHost: 'host11' }] },
  },
  'a pool is given up while a host assigns from it': {
    pools: { '10.65.0.0/30': 31 },
    before: [{ assign: 'a0' }],
    hosts: {
      host11: [{ assign: 'a1' }, { release: 'a0' }],
      operator: [{ giveUpPool: '10.65.0.0/30' }],
    },
  },
  'garbage is collected while a host assigns and releases': {
    pools: { '10.65.0.0/30': 31 },
    before: [{ assign: 'a0' }],
    hosts: { host11: [{ assign: 'a1' }, { release: 'a0' }], collector: [{ collect: true }] },
  },
  'addresses cool down while two hosts share a block': {
    pools: { '10.65.0.0/31': 31 },
    config: { auto_allocate_blocks: true, ipCooldownSeconds: 1 },
    hosts: {
      host11: [{ assign: 'a1' }, { release: 'a1' }],
      host12: [{ assign: 'b1' }, { release: 'b1' }],
    },
  },
};

function run(scenario: Scenario, limits: Limits, fault?: Fault): Promise<Exploration> {
  return explore(() => IpamWorld.start(scenario, fault), limits);
}

const SAMPLE = soak ? {} : { sample: { schedules: 40, seed: 20261127 } };
const MANAGED_RACE = { preemptions: 3, faults: 0, ...SAMPLE };
const MANAGED_CRASH = { preemptions: 1, faults: 1, ...SAMPLE };

describe.each([
  ...Object.entries(SCENARIOS).map((each) => [...each, RACE, CRASH] as const),
  ...Object.entries(MANAGED).map((each) => [...each, MANAGED_RACE, MANAGED_CRASH] as const),
])('%s', (name, scenario, race, crash) => {
  test.each([
    ['interleaved', race],
    ['dying or losing answers anywhere', crash],
  ])('%s', async (how, limits) => {
    const { schedules, steps, left, violation } = await run(scenario, limits);

    const more = left > 0 ? ` (of ${schedules + left} and more)` : '';
    process.stdout.write(
      `explored: ${name}, ${how}: ${schedules} schedules${more}, ${steps} steps\n`,
    );
    expect(violation).toBeUndefined();
    expect(steps).toBeGreaterThan(3);
  });
});

describe('the explorer catches', () => {
  const isBlock = (key: string): boolean => key.includes('/assignment/');
  const isHandle = (key: string): boolean => key.includes('/handle/');
  const without =
    (dropped: (condition: Transaction['conditions'][number]) => boolean): Fault =>
    (transaction) => [
      {
        ...transaction,
        conditions: transaction.conditions.filter((condition) => !dropped(condition)),
      },
    ];
  /** Several transactions where there should be one: the conditions guard only the first. */
  const inOrder =
    (first: (key: string) => boolean): Fault =>
    ({ conditions, operations }) => {
      const sorted = operations.toSorted((a, b) => Number(first(b.key)) - Number(first(a.key)));
      return sorted.map((operation, i) => ({
        conditions: i === 0 ? conditions : [],
        operations: [operation],
      }));
    };

  const FAULTS: Readonly<Record<string, Fault>> = {
    'a block written over without looking at its revision': without(
      ({ type, key }) => type === 'revision' && isBlock(key),
    ),
    'a block created without looking whether it exists': without(
      ({ type, key }) => type === 'absent' && isBlock(key),
    ),
    'a block written before its handle or claim': inOrder(isBlock),
    'a handle written before its block': inOrder(isHandle),
    'a handle that is never written': ({ conditions, operations }) => [
      { conditions, operations: operations.filter(({ key }) => !isHandle(key)) },
    ],
    'a claim that is never confirmed': ({ conditions, operations }) => [
      { conditions, operations: operations.filter(({ key }) => !key.includes('/host/')) },
    ],
    'a handle written over without looking at it': without(({ key }) => isHandle(key)),
  };

  test.each(Object.entries(FAULTS))('%s', async (_, fault) => {
    expect(await firstViolation(fault)).toBeDefined();
  });

  async function firstViolation(fault: Fault): Promise<string | undefined> {
    for (const scenario of Object.values(SCENARIOS)) {
      for (const limits of [RACE, CRASH]) {
        const { violation } = await run(scenario, limits, fault);
        if (violation) return violation;
      }
    }
    return undefined;
  }
});
