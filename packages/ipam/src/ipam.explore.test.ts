import type { Transaction } from '@overland/datastore';
import { describe, expect, test, vi } from 'vitest';
import { type Exploration, explore } from '../test/explore.ts';
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

function run(scenario: Scenario, limits: typeof RACE, fault?: Fault): Promise<Exploration> {
  return explore(() => IpamWorld.start(scenario, fault), limits);
}

describe.each(Object.entries(SCENARIOS))('%s', (name, scenario) => {
  test.each([
    ['interleaved', RACE],
    ['dying or losing answers anywhere', CRASH],
  ])('%s', async (how, limits) => {
    const { schedules, steps, violation } = await run(scenario, limits);

    process.stdout.write(`explored: ${name}, ${how}: ${schedules} schedules, ${steps} steps\n`);
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
