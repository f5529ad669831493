import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

const workload = (name: string, address: string) => `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {namespace: prod, labels: {app: ${name}}}
spec: {orchestrator: cni, node: h1, containerID: ${name}, endpoint: eth0, workload: ${name}, interfaceName: cali${name}, ipNetworks: [${address}/32], profiles: [open]}
---`;

const CLUSTER = `${workload('web', '10.65.0.1')}${workload('db', '10.65.0.2')}
apiVersion: projectcalico.org/v3
kind: Profile
metadata: {name: open}
spec: {egress: [{action: Allow}], ingress: [{action: Allow}]}
`;

const CHANGE = `
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: db, namespace: prod}
spec: {selector: app == 'db', ingress: [{action: Allow, protocol: TCP, destination: {ports: [5432]}}]}
`;

const flow = (port: number) =>
  JSON.stringify({
    source: { address: '10.65.0.1', kind: 'workload', name: 'prod/web' },
    destination: { address: '10.65.0.2', kind: 'workload', name: 'prod/db', port },
    protocol: 'TCP',
  });

async function preview(flows: readonly string[], ...args: readonly string[]) {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'preview-'));
  const workingDirectory = directory.path;
  const staged = CHANGE.replace('NetworkPolicy', 'StagedNetworkPolicy');
  const files = {
    'cluster.yaml': CLUSTER,
    'staged.yaml': staged,
    'change.yaml': CHANGE,
    flows: flows.join('\n'),
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(workingDirectory, name), text);
  }
  const fixed = ['--base', 'cluster.yaml', '--flows', 'flows'];
  const change = args.includes('--staged') ? [] : ['-f', 'change.yaml'];
  const argv = ['policy', 'preview', ...change, ...fixed, ...args];
  return await captureRun(argv, { workingDirectory });
}

test('the flows that a change would cut off, each once, and why', async () => {
  const { code, out } = await preview([flow(5432), flow(22), flow(22)]);
  expect(out).toBe(`\
FROM      TO       PORT    NOW    THEN  SEEN  BECAUSE
prod/web  prod/db  22/tcp  allow  deny     2  ingress of workload prod/db: no rule matches, and tier default denies what its policies do not decide
2 flows seen, 1 would change verdict
`);
  expect(code).toBe(7);
});

test('what a staged policy would have denied', async () => {
  const { code, out } = await preview([flow(5432), flow(22)], '--staged', '--base', 'staged.yaml');
  expect(out).toContain(
    'prod/web  prod/db  22/tcp  allow  deny     1  ingress of workload prod/db',
  );
  expect(out).toContain('2 flows seen, 1 would change verdict');
  expect(code).toBe(7);
});

test('without staged policies nothing would change', async () => {
  const { code, out } = await preview([flow(22)], '--staged', '-o', 'json');
  expect(JSON.parse(out)).toEqual({ flows: 1, changed: [] });
  expect(code).toBe(0);
});

test('nothing changes for flows that stay as they are', async () => {
  const { code, out } = await preview([flow(5432)], '-o', 'json');
  expect(JSON.parse(out)).toEqual({ flows: 1, changed: [] });
  expect(code).toBe(0);
});

test.each([
  ['no JSON', '{', 'flows line 1 is not JSON'],
  [
    'another document',
    '{"source":{"address":"10.65.0.300"}}',
    'flows line 1 is no flow record: source.address: must be an address',
  ],
])('a file of flows that is %s is refused with its line', async (_name, line, message) => {
  const { code, err } = await preview([line]);
  expect(err).toContain(message);
  expect(code).toBe(2);
});
