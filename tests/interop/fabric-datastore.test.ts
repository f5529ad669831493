import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { watchWith } from './fabric/command-log.ts';
import {
  allSessionsUp,
  type ConvergedLab,
  converged,
  killAgent,
  letPass,
  startAgents,
  startConvergedLab,
  typicalPairs,
} from './fabric/converged-lab.ts';
import { datastoreOf, type LabDatastore } from './fabric/datastore-of-lab.ts';
import { startPingStreams } from './fabric/ping-streams.ts';
import { eventually, ROOT, startLab } from './running-lab.ts';

/** Full length in `npm run soak`. */
const AROUND_RESTART_MS = process.env.OVERLAND_SOAK ? 300_000 : 3_000;
const OUTAGE_MS = process.env.OVERLAND_SOAK ? 30_000 : 4_000;

const OVERLAND = [process.execPath, `${ROOT}/packages/cli/dist/bin.js`] as const;
const ASSIGNMENTS = '/calico/ipam/v2/assignment/';
const HANDLES = '/calico/ipam/v2/handle/';
const ENDPOINTS = '/calico/resources/v3/projectcalico.org/workloadendpoints/';

describe.each(['sqlite', 'etcd'] as const)('a fabric whose %s is away', (kind) => {
  let lab: ConvergedLab;
  let datastore: LabDatastore;
  let giveBack: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    lab = await startConvergedLab(`away-${kind}`, kind);
    datastore = datastoreOf(lab, kind);
  }, 120_000);
  afterAll(() => lab?.[Symbol.asyncDispose]());
  beforeEach(() => converged(lab));
  afterEach(async () => {
    await giveBack?.();
    giveBack = undefined;
  });

  async function takeAway(): Promise<void> {
    giveBack = await datastore.takeAway();
  }

  async function bringBack(): Promise<void> {
    await giveBack?.();
    giveBack = undefined;
  }

  async function mentions(prefix: string, text: string): Promise<boolean> {
    const entries = Object.entries(await datastore.entries(prefix));
    return entries.some(([key, value]) => key.includes(text) || value.includes(text));
  }

  test('forwards as before, and a container can still be removed; its address is released later', async () => {
    const address = lab.workloads.get('db-22')?.addresses[0] ?? '';
    expect(await mentions(ENDPOINTS, address)).toBe(true);
    const stop = await startPingStreams(typicalPairs(lab));
    await takeAway();
    await lab.run('host22', ...OVERLAND, 'workload', 'rm', 'db-22');
    expect(await lab.run('host22', 'ip', 'route', 'show', address)).toBe('');
    expect(await lab.run('host22', 'ls', '/run/netns')).not.toContain('db-22');
    await letPass(OUTAGE_MS);
    await bringBack();
    await eventually('the endpoint is gone', 30_000, async () =>
      (await mentions(ENDPOINTS, address)) ? undefined : true,
    );
    await eventually('the address is released', 30_000, async () =>
      (await mentions(HANDLES, 'db-22')) || (await mentions(ASSIGNMENTS, 'db-22'))
        ? undefined
        : true,
    );
    expect((await stop()).filter(({ lost }) => lost > 0)).toEqual([]);
    await lab.run('host22', ...OVERLAND, 'workload', 'run', 'db-22');
  });

  test('an agent that restarts meanwhile loses no packet and writes nothing', async () => {
    const pid = (await lab.pids()).get('host11') ?? 0;
    const stop = await startPingStreams(typicalPairs(lab));
    const monitor = await watchWith(pid, ['ip', '-timestamp', 'monitor', 'route', 'nexthop']);
    await takeAway();
    await letPass(AROUND_RESTART_MS);
    await killAgent(lab, 'host11');
    await startAgents(lab);
    await allSessionsUp(lab);
    await letPass(AROUND_RESTART_MS);
    await bringBack();
    await letPass(3_000);
    const reports = await stop();
    expect(await monitor.stop()).toBe('');
    expect(reports.filter(({ lost }) => lost > 0)).toEqual([]);
  });

  test('a host that reboots meanwhile comes back with its sessions, block and routes', async () => {
    const blocks = await lab.run('host12', 'ip', 'route', 'show', 'type', 'blackhole');
    const [block = ''] = /\d+\.\d+\.\d+\.\d+\/26/.exec(blocks) ?? [];
    expect(block).not.toBe('');
    await takeAway();
    const pid = (await lab.pids()).get('host12') ?? 0;
    process.kill(pid, 'SIGKILL');
    await eventually('the host is gone', 5_000, async () =>
      (await lab.pids()).has('host12') ? undefined : true,
    );
    // Its containers are gone with it; those that `up` makes anew wait for the datastore.
    const up = startLab(lab.topology);
    await allSessionsUp(lab);
    for (const leaf of ['leaf11', 'leaf12']) {
      await eventually(`${leaf} has the block again`, 10_000, async () => {
        const route = await lab.inNetwork(leaf, 'ip', 'route', 'show', block);
        return route.includes('10.254.1') ? true : undefined;
      });
    }
    await eventually('routes to the other hosts', 10_000, async () => {
      const routes = await lab.inNetwork('host12', 'ip', 'route', 'show', 'proto', '86');
      return (routes.match(/10\.65\.\d+\.\d+\/26/g) ?? []).length === 3 ? true : undefined;
    });
    await bringBack();
    await up;
    expect((await startLab(lab.topology)).failures).toEqual([]);
    await converged(lab);
  });
});
