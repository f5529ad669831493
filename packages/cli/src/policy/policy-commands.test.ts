import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

const MANIFESTS = `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {namespace: prod, labels: {app: web}}
spec: {orchestrator: cni, node: h1, containerID: c1, endpoint: eth0, workload: web-1, interfaceName: cali1, ipNetworks: [10.65.0.1/32], profiles: [open]}
---
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {namespace: prod, labels: {app: db}}
spec: {orchestrator: cni, node: h2, containerID: c2, endpoint: eth0, workload: db-1, ipNetworks: [10.65.1.7/32], ports: [{name: psql, protocol: TCP, port: 5432}]}
---
apiVersion: projectcalico.org/v3
kind: Profile
metadata: {name: open}
spec: {egress: [{action: Allow}], ingress: [{action: Allow}]}
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: db, namespace: prod}
spec:
  selector: app == 'db'
  ingress:
  - {action: Allow, protocol: TCP, source: {selector: "app == 'web'"}, destination: {ports: [psql]}}
---
apiVersion: projectcalico.org/v3
kind: StagedNetworkPolicy
metadata: {name: db, namespace: prod}
spec: {selector: app == 'db', ingress: [{action: Deny}]}
`;

const policy = (args: readonly string[], directory = '/') =>
  captureRun(['policy', ...args, '-f', '-'], { stdin: MANIFESTS, workingDirectory: directory });

test('explain: the rule that decides, and what the staged policies would make of it', async () => {
  const { code, out } = await policy([
    'explain',
    '--from',
    'web-1',
    '--to',
    'db-1',
    '--port',
    '5432',
  ]);
  expect(code).toBe(0);
  expect(out).toBe(`\
prod/web-1 (10.65.0.1) to prod/db-1 (10.65.1.7), TCP 5432: allowed

egress of workload prod/web-1: allowed
  profiles
    Profile open
      1. Allow matches

ingress of workload prod/db-1: allowed
  tier default
    NetworkPolicy prod/db
      1. Allow matches

with the staged policies enforced it would be denied
`);
});

test('explain: a flow that is denied has exit code 7, and says what would allow it', async () => {
  const { code, out } = await policy([
    'explain',
    '--from',
    'web-1',
    '--to',
    'db-1',
    '--port',
    '80/tcp',
  ]);
  expect(code).toBe(7);
  expect(out).toContain(
    'to allow it: rule 1 of NetworkPolicy prod/db would allow it, but destination port 80 is not psql\n',
  );
  const json = await policy([
    'explain',
    '--from',
    '192.0.2.1',
    '--to',
    'db-1',
    '--port',
    '53/udp',
    '-o',
    'json',
  ]);
  expect(JSON.parse(json.out)).toMatchObject({
    from: '192.0.2.1',
    to: 'prod/db-1',
    packet: { source: '192.0.2.1', destination: '10.65.1.7', protocol: 17, destinationPort: 53 },
    action: 'deny',
    steps: [{ direction: 'ingress', judgement: { decision: { action: 'deny', tier: 'default' } } }],
    withStaged: 'deny',
  });
});

test.each([
  [['--from', 'nobody', '--to', 'db-1', '--port', '1'], 3, 'nobody is no address, and no endpoint'],
  [['--from', 'web-1', '--to', 'db-1', '--port', 'x'], 2, '--port "x": must be 443'],
  [['--from', 'web-1', '--to', 'db-1', '--port', '70000'], 2, '--port "70000": must be 443'],
  [['--from', 'web-1', '--to', 'db-1', '--port', '80/icmp'], 2, '--port "80/icmp": must be 443'],
  [['--from', 'web-1', '--to', 'db-1'], 2, 'needs a flow'],
  [
    ['--from', 'web-1', '--to', 'db-1', '--port', '1', '--ip-version', '6'],
    2,
    'have no ipv6 addresses both',
  ],
])('explain %j: exit code %i', async (args, expected, message) => {
  const { code, err } = await policy(['explain', ...args]);
  expect(code).toBe(expected);
  expect(err).toContain(message);
});

test('show: tiers, policies and rules of an endpoint, with the sizes of what they select', async () => {
  const { code, out } = await policy(['show', '10.65.1.7']);
  expect(code).toBe(0);
  expect(out).toBe(`\
prod/h2-cni-c2-eth0 on h2, 10.65.1.7
labels: app=db, projectcalico.org/namespace=prod, projectcalico.org/orchestrator=cni

ingress
  tier default
    NetworkPolicy prod/db
      1. Allow TCP from (projectcalico.org/namespace == "prod" && app == "web") (1) to ports psql (1)
    at its end: Deny
  at the end: Deny

egress
  at the end: Deny
`);
  expect((await policy(['show', '192.0.2.1'])).err).toContain(
    '192.0.2.1 is the address of no endpoint',
  );
});

test('show -o nft: the rules that enforce it', async () => {
  const { code, out } = await policy(['show', 'web-1', '-o', 'nft']);
  expect(code).toBe(0);
  expect(out).toContain('elements = { "cali1" : goto to-cali1 }');
  expect(out).toContain('chain ingress/Profile/open {');
  const without = await policy(['show', 'db-1', '-o', 'nft']);
  expect([without.code, without.err]).toEqual([1, expect.stringContaining('with an interface')]);
});

test('test: expectations that hold and that do not, for people and as JUnit', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'policy-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(
    join(directory, 'flows.yaml'),
    `tests:
- {from: web-1, to: db-1, port: 5432, expect: allow}
- {name: 'open <to all>', from: 192.0.2.1, to: web-1, port: icmp/8, ipVersion: 4, expect: deny}
- {from: db-1, to: gone, port: 80, expect: deny}
`,
  );
  const { code, out } = await policy(
    ['test', '--expect', 'flows.yaml', '--junit', 'out.xml'],
    directory,
  );
  expect(code).toBe(1);
  expect(out).toBe(`\
failed open <to all>: expected deny, but it is allowed: ingress of workload prod/web-1: rule 1 of Profile open
failed db-1 to gone, 80: gone is no address, and no endpoint, workload or node has that name
3 expectations, 2 failed
`);
  const xml = await readFile(join(directory, 'out.xml'), 'utf8');
  expect(xml).toContain('<testsuite name="flows.yaml" tests="3" failures="2">');
  expect(xml).toContain('name="open &lt;to all&gt;"');
});

test.each([
  ['tests: [{from: a, to: b, port: 1}]', 'tests[0].expect: missing'],
  ['tests: [{from: a, to: b, port: 1, expect: yes}]', 'tests[0].expect'],
  ['tests: [{from: a, to: b, port: 1/x, expect: deny}]', 'tests[0].port "1/x": must be'],
  [
    'tests: [{from: a, to: b, port: 1, expect: deny, ipVersion: 5}]',
    'tests[0].ipVersion: 5: must be 4 or 6',
  ],
  ['tests: [{from: a, to: b, port: 1, expect: deny, x: 1}]', 'tests[0].x: unknown field'],
  ['[]', 'tests: must be a list'],
  ['a: 1\n---\nb: 2', 'must be one document'],
])('test: a faulty file, %s', async (text, message) => {
  const directory = await mkdtemp(join(tmpdir(), 'policy-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'flows.yaml'), text);
  const { code, err } = await policy(['test', '--expect', 'flows.yaml'], directory);
  expect([code, err]).toEqual([2, expect.stringContaining(`flows.yaml: ${message}`)]);
});
