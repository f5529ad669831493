import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatastore } from '@overland/datastore';
import { resourceKey } from '@overland/model';
import { expect, onTestFinished, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

const WORKLOAD = (name: string, address: string) => `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {namespace: prod, labels: {app: ${name}}}
spec: {orchestrator: cni, node: h1, containerID: ${name}, endpoint: eth0, workload: ${name}, interfaceName: cali${name}, ipNetworks: [${address}/32], profiles: [projectcalico-default-allow]}
`;
const POLICY = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { name: 'p', namespace: 'prod' },
  spec: { selector: "app == 'b'", types: ['Ingress'], ingress: [{ action: 'Audit' }] },
};

test('a stored policy that cannot be read is closed for the explainer as for the kernel', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'overland-unreadable-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'datastore.db');
  const env = { OVERLAND_DATASTORE_TYPE: 'sqlite', OVERLAND_SQLITE_PATH: path };
  const stdin = [WORKLOAD('a', '10.65.0.1'), WORKLOAD('b', '10.65.0.2')].join('---');
  expect(await captureRun(['apply', '-f', '-'], { env, stdin })).toMatchObject({
    code: 0,
    err: '',
  });
  {
    await using datastore = await openDatastore({ type: 'sqlite', path });
    const key = resourceKey('NetworkPolicy', { namespace: 'prod', name: 'p' });
    const value = JSON.stringify(POLICY);
    await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
  }
  const explain = (from: string, to: string) =>
    captureRun(['policy', 'explain', '--from', from, '--to', to, '--port', '80/tcp'], { env });
  const { code, out, err } = await explain('a', 'b');
  expect([code, err]).toEqual([7, expect.stringContaining('NetworkPolicy p')]);
  expect(out).toContain('it cannot be read');
  expect((await explain('b', 'a')).code).toBe(0);
});
