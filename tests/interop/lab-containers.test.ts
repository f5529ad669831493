import { loadTopology, type PingEndpoint, waitForConvergence } from '@overland/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, ROOT, type RunningLab, startLab } from './running-lab.ts';

/** Needs podman, containerd, runc and busybox-static: OVERLAND_RUNTIMES=1 says that they are there. */
describe.runIf(process.env.OVERLAND_RUNTIMES === '1')('the lab with containers of podman', () => {
  let lab: RunningLab;
  let containers: ReadonlyMap<string, PingEndpoint>;

  beforeAll(async () => {
    lab = await startLab(loadTopology(`${ROOT}/lab/containers.clab.yml`, process.env));
    const { convergence } = await waitForConvergence(() => lab.observe(), {
      deadlineMs: 90_000,
      signal: new AbortController().signal,
      progress: () => {},
    });
    expect([...lab.failures, ...convergence.missing]).toEqual([]);
    containers = new Map(convergence.endpoints.map((one) => [one.name, one]));
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  test('they are known by the names that podman gave, and each reaches each', () => {
    expect([...containers.keys()].toSorted()).toEqual(['db-1', 'db-2', 'web-1', 'web-2']);
  });

  test('a database answers containers of the network `web`, over both families, and no others', async () => {
    const addresses = containers.get('db-2')?.addresses ?? [];
    expect(addresses).toHaveLength(2);
    const ask = (from: string, address: string, seconds: string): Promise<string> => {
      const argv = ['nc', '-w', seconds, address, '5432'];
      return lab.run('host1', 'podman', 'exec', from, ...argv).catch(() => '');
    };
    for (const address of addresses) {
      await eventually(`web-1 is answered by ${address}`, 20_000, async () =>
        (await ask('web-1', address, '5')) === '' ? undefined : true,
      );
      expect(await ask('db-1', address, '1')).toBe('');
    }
  });
});
