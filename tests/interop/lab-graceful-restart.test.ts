import { failLinks, healLinks, linksOf, loadTopology } from '@overland/lab';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, ROOT, type RunningLab, startLab } from './running-lab.ts';

/**
 * What the leaves do when a host is lost, by how it is lost. The lab's promises rest on it: a dead process keeps its routes
 * (RFC 4724), a silent one loses them after the hold time, a pulled cable at once. FRR 8.4 would retain them on hold time
 * expiry too (RFC 8538), unless told otherwise.
 */
const topology = loadTopology(
  `${ROOT}/tests/interop/topologies/graceful-restart.clab.yml`,
  process.env,
);
const LEAVES = ['bird-leaf', 'frr-leaf'] as const;
const BLOCKS = ['10.65.0.0/26', 'fd00:65::/122'] as const;
const HOST = { type: 'node', node: 'host' } as const;
const HOLD_MS = 3000;

let lab: RunningLab;
beforeAll(async () => {
  lab = await startLab(topology);
});
afterAll(() => lab[Symbol.asyncDispose]());

/** How many of the four routes (two leaves, two families) there are. */
async function countRoutes(): Promise<number> {
  const shown = LEAVES.flatMap((leaf) =>
    BLOCKS.map((block) =>
      lab.inNetwork(leaf, 'ip', block.includes(':') ? '-6' : '-4', 'route', 'show', block),
    ),
  );
  return (await Promise.all(shown)).filter((text) => text !== '').length;
}

beforeEach(async () => {
  await healLinks(linksOf(topology, HOST), await lab.pids());
  await eventually('sessions are up and routes there', 30_000, async () => {
    const { sessions } = await lab.observe();
    const up = sessions.filter(({ state }) => state === 'Established').length;
    return up === 8 && (await countRoutes()) === 4 ? true : undefined;
  });
});

test('a link that goes down loses its routes at once', async () => {
  const started = performance.now();
  await failLinks(linksOf(topology, HOST), { target: HOST, mode: 'down', pids: await lab.pids() });
  await eventually('routes are gone', 1000, async () =>
    (await countRoutes()) === 0 ? true : undefined,
  );
  console.log(`routes gone ${Math.round(performance.now() - started)} ms after the link`);
});

test('a host that falls silent loses its routes after the hold time, and not before', async () => {
  const started = performance.now();
  await failLinks(linksOf(topology, HOST), {
    target: HOST,
    mode: 'silent',
    pids: await lab.pids(),
  });
  await eventually('routes are gone', HOLD_MS + 1500, async () =>
    (await countRoutes()) === 0 ? true : undefined,
  );
  const elapsed = performance.now() - started;
  console.log(`routes gone ${Math.round(elapsed)} ms after the silence`);
  expect(elapsed).toBeGreaterThan(HOLD_MS - 1000);
});

test('a host whose speaker is killed keeps its routes, as stale, well past the hold time', async () => {
  await lab.run('host', 'pkill', '-KILL', '-x', 'bird');
  const end = performance.now() + 2 * HOLD_MS;
  while (performance.now() < end) expect(await countRoutes()).toBe(4);
  const bird = await lab.run('bird-leaf', 'birdc', 'show', 'protocols', 'all');
  expect(bird.match(/Neighbor graceful restart active/g)).toHaveLength(2);
  const frr = await lab.run('frr-leaf', 'vtysh', '-c', `show bgp ipv4 unicast ${BLOCKS[0]}`);
  expect(frr).toContain('(stale)');
  // For the tests after this one; also: the programs of a node come back when the lab is brought up again.
  await startLab(topology);
});
