import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { FailedNeighbours } from './failed-neighbours.ts';
import type { KernelEvent, Link, Neighbour } from './ports.ts';

const address = parseAddress('10.0.1.1');

function neighbour(state: string, removed = false): KernelEvent {
  return {
    type: 'neighbour',
    neighbour: { device: 'eth1', address, mac: undefined, state },
    removed,
  };
}

function link(change: Partial<Link>): KernelEvent {
  const eth1 = { index: 2, name: 'eth1', up: true, carrier: true };
  return { type: 'link', link: { ...eth1, ...change } as Link };
}

/** After each event: whether something changed, and whether the neighbour has failed. */
function follow(
  ...events: readonly KernelEvent[]
): (readonly [changed: boolean, failed: boolean])[] {
  const failed = new FailedNeighbours();
  return events.map((event) => [failed.observe(event), failed.on('eth1').includes(address)]);
}

test('who has failed is looked for anew in vain until he answers', () => {
  expect(
    follow(
      neighbour('incomplete'),
      neighbour('failed'),
      neighbour('incomplete'),
      neighbour('failed'),
      neighbour('reachable'),
      neighbour('stale'),
    ),
  ).toEqual([
    [false, false],
    [true, true],
    [false, true],
    [false, true],
    [true, false],
    [false, false],
  ]);
});

test.each([
  ['is forgotten by the kernel', neighbour('failed', true)],
  ['loses the carrier of its link', link({ carrier: false })],
  ['loses its link', { type: 'link-removed', index: 2, name: 'eth1' } satisfies KernelEvent],
])('one that %s has not failed', (_how, event) => {
  expect(follow(neighbour('failed'), link({}), event)).toEqual([
    [true, true],
    [false, true],
    [true, false],
  ]);
});

test('a read-back forgets what was known', async () => {
  const failed = new FailedNeighbours();
  failed.observe(neighbour('failed'));
  const other: Neighbour = { device: 'eth2', address, mac: undefined, state: 'failed' };
  await failed.readBack({ list: async () => [other] } as never);
  expect([failed.on('eth1'), failed.on('eth2')]).toEqual([[], [address]]);
});
