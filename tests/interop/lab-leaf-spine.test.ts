import {
  checkConvergence,
  loadTopology,
  readMemory,
  runningNodes,
  waitForConvergence,
  withEtcd,
  withOverlandRouters,
} from '@overland/lab';
import { describe, expect, test } from 'vitest';
import { ROOT, startLab } from './running-lab.ts';

const load = (name: string) => loadTopology(`${ROOT}/lab/leaf-spine.clab.yml`, process.env, name);

const VARIANTS = [
  { name: 'sqlite', topology: load('sqlite'), agentHosts: 4 },
  { name: 'etcd', topology: withEtcd(load('etcd')), agentHosts: 4 },
  { name: 'ours', topology: withOverlandRouters(load('ours')), agentHosts: 4 },
] as const;

const MIB = 2 ** 20;

describe.each(VARIANTS)('leaf-spine, $name', ({ name, topology }) => {
  test('every container reaches every other one, in both families, within the time and memory promised', async () => {
    const started = performance.now();
    await using lab = await startLab(topology);
    expect(lab.failures).toEqual([]);
    const { convergence, state } = await waitForConvergence(lab.observe, {
      deadlineMs: 60_000,
      signal: new AbortController().signal,
      progress: () => {},
    });
    const seconds = (performance.now() - started) / 1000;
    expect(convergence.missing).toEqual([]);
    expect(convergence.endpoints).toHaveLength(12);
    expect(convergence.pings).toHaveLength(12 * 11 * 2);
    expect(state.sessions).toHaveLength(64);

    const memory = await readMemory(await runningNodes(topology.name));
    const total = memory
      .flatMap(({ processes }) => processes)
      .reduce((sum, one) => sum + one.pssBytes, 0);
    const agents = memory
      .filter(({ node }) => node.startsWith('host'))
      .map(({ processes }) => Math.max(...processes.map(({ pssBytes }) => pssBytes)) / MIB);
    const shown = agents.map((mib) => mib.toFixed(0)).join(', ');
    console.log(
      `${name}: converged in ${seconds.toFixed(1)} s; PSS ${(total / MIB).toFixed(0)} MiB in all, agents ${shown} MiB`,
    );
    expect(seconds).toBeLessThan(45);
    expect(total / MIB).toBeLessThan(1600);
    for (const agent of agents) expect(agent).toBeLessThan(130);

    // And once more, from nothing but what is there: nothing was a lucky moment.
    expect((await checkConvergence(await lab.observe())).missing).toEqual([]);
  });
});
