import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from './running-lab.ts';

const OVERLAND = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  `${ROOT}/packages/cli/dist/bin.js`,
];

/** The compiled command, as a user runs it. */
function overland(...args: readonly string[]) {
  return run([...OVERLAND, ...args]);
}

/** Nobody may read the files, because the checkout may lie in a directory of root's. */
function overlandAsNobody(...args: readonly string[]) {
  const mayRead = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', ...mayRead];
  return run(['setpriv', ...asNobody, ...OVERLAND, ...args]);
}

function run([program = '', ...args]: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: directory });
  return { status, stdout, stderr };
}

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-cli-'));
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  write(
    'pair.clab.yml',
    `name: pair
topology:
  defaults: { kind: linux, image: alpine }
  nodes:
    a: { exec: ['ip address replace 10.0.0.0/31 dev lo', 'ip address replace 10.9.0.0/31 dev eth1'] }
    b: { exec: ['ip address replace 10.9.0.1/31 dev eth1'] }
  links: [{ endpoints: ['a:eth1', 'b:eth1'] }]
`,
  );
  write('broken.clab.yml', 'name: broken\ntopology:\n  nodes: [\n');
  write(
    'wrong.clab.yml',
    `name: wrong
topology:
  nodes:
    a: { kind: cisco, image: x }
    b: { kind: linux, image: alpine, exec: ['ip addr add 10.0.0.1/24 dev eth1', 'ip addr add 10.0.0.1/24 dev eth2'] }
  links:
    - endpoints: ['b:eth1', 'c:eth1']
`,
  );
  write(
    'other.clab.yml',
    'name: pair\ntopology: { nodes: { c: { kind: linux, image: alpine } } }\n',
  );
});
afterAll(() => {
  overland('lab', 'down', '--name', 'pair');
  rmSync(directory, { recursive: true });
});

test.each([
  [
    'a missing file',
    ['no.clab.yml'],
    'overland: .*no.clab.yml cannot be read: there is no such file',
  ],
  [
    'broken YAML',
    ['broken.clab.yml'],
    'overland: broken.clab.yml:3:10: broken YAML: .*|overland: broken.clab.yml:4:1: broken YAML: .*',
  ],
  [
    'every fault in a file',
    ['wrong.clab.yml'],
    [
      "overland: wrong.clab.yml:4:10: node a: kind 'cisco' cannot be run: only linux and bridge run as namespaces",
      'overland: wrong.clab.yml:5:81: address 10.0.0.1 of b:eth2 is already that of b:eth1 .*',
      "overland: wrong.clab.yml:7:29: link to node 'c', which does not exist",
    ].join('\n'),
  ],
  [
    "a lab that Overland's speaker cannot run",
    ['--routers', 'overlnd', 'pair.clab.yml'],
    "overland: option '--routers <kind>' argument 'overlnd' is invalid. Allowed choices are default, overland.",
  ],
])('%s: one clear line each, exit code 2, nothing left behind', (_name, args, message) => {
  const { status, stdout, stderr } = overland('lab', 'up', ...args);
  expect(stderr.trimEnd()).toMatch(new RegExp(`^(?:${message})$`));
  expect(stdout).toBe('');
  expect(status).toBe(2);
  for (const lab of ['broken', 'wrong', 'pair', 'leaf-spine']) {
    expect(existsSync(`/run/overland/lab/${lab}`)).toBe(false);
  }
});

test.each([
  [
    'frrouting/frr',
    '/etc/frr/frr.conf',
    'router bgp 4294967296',
    /^overland: node a: frr.conf line 1: % Unknown command\[4\]: router bgp 4294967296$/,
  ],
  [
    'overland/bird',
    '/etc/bird/bird.conf',
    'protocol bgp { local as 4294967296; }',
    /^overland: node a: bird: \/etc\/bird\/bird.conf:1:25 Number out of range$/,
  ],
  [
    'overland/node',
    '/etc/overland/agent.yaml',
    'asNumber: 4294967296',
    /^overland: node a: .*asNumber: .*4294967296/,
  ],
  [
    'overland/node',
    '/etc/overland/bootstrap.yaml',
    `apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: { name: a }
spec: { node: a, peerIP: 10.0.0.1, asNumber: 4294967296 }`,
    /^overland: node a: \/etc\/overland\/bootstrap.yaml: BGPPeer\(a\): spec.asNumber must be .*, not 4294967296$/,
  ],
])('%s with an AS number out of range in %s', (image, target, text, message) => {
  writeFileSync(join(directory, 'config'), `${text}\n`);
  writeFileSync(
    join(directory, 'as.clab.yml'),
    `name: as\ntopology: { nodes: { a: { kind: linux, image: ${image}, binds: ['config:${target}'] } } }\n`,
  );
  const { status, stderr } = overland('lab', 'up', 'as.clab.yml');
  const lines = stderr.split('\n').filter((line) => line.startsWith('overland: '));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(message);
  expect(status).toBe(2);
  expect(existsSync('/run/overland/lab/as')).toBe(false);
});

test.each([
  [['lab', 'up'], 'lab up needs root (sudo): it makes network namespaces'],
  [['agent'], "agent needs root (sudo): it keeps the kernel's routes"],
])('%s without root: one clear line, exit code 2', (args, message) => {
  const { status, stderr } = overlandAsNobody(...args);
  expect(stderr).toBe(`overland: ${message}\n`);
  expect(status).toBe(2);
});

test('the version, as most people ask for it', () => {
  expect(overland('--version')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^overland \d+\.\d+\.\d+ /),
  });
});

/** Other tests have labs of their own at the same time. */
function onPair(verb: string, ...args: readonly string[]) {
  return overland('lab', verb, '--name', 'pair', ...args);
}

test('up, status, exec, ping, fail, heal, graph, down', () => {
  const up = overland('lab', 'up', 'pair.clab.yml');
  expect(up.stderr).toContain('making nodes');
  expect(up).toMatchObject({ status: 0, stdout: expect.stringContaining('converged') });

  const taken = overland('lab', 'up', 'other.clab.yml');
  expect(taken.stderr).toMatch(
    /overland: lab 'pair' runs already, from .*pair\.clab\.yml; take it down first/,
  );
  expect(taken.status).toBe(2);

  expect(onPair('exec', 'b', '--', 'hostname')).toMatchObject({
    status: 0,
    stdout: 'b\n',
  });
  expect(onPair('exec', 'b', '--', 'sh', '-c', 'exit 7').status).toBe(7);
  expect(onPair('exec', 'nobody', '--', 'true').status).toBe(2);

  expect(onPair('fail', 'link', 'a:eth1').stdout).toBe('link a:eth1 is down (1 link)\n');
  const broken = onPair('status');
  expect(broken.stdout).toContain('missing: link a:eth1 – b:eth1 is down');
  expect(broken.status).toBe(1);
  expect(onPair('fail', 'node', 'a', '--silent', '--for', '50ms').status).toBe(0);
  expect(onPair('heal').status).toBe(0);
  expect(onPair('status')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/\nconverged\n$/),
  });
  expect(onPair('exec', 'b', '--', 'ping', '-c1', '-W2', '10.9.0.0').status).toBe(0);

  expect(onPair('graph', '--out', '/nowhere/x.svg')).toMatchObject({
    status: 2,
    stderr: 'overland: cannot write /nowhere/x.svg: ENOENT\n',
  });
  expect(onPair('graph').stdout).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  expect(JSON.parse(onPair('status', '-o', 'json').stdout)).toMatchObject({
    name: 'pair',
    links: [{ condition: 'up' }],
    missing: [],
  });

  expect(onPair('down').stdout).toBe("lab 'pair' is down\n");
  expect(onPair('down')).toMatchObject({ status: 0, stdout: "lab 'pair' does not run\n" });
  expect(existsSync('/run/overland/lab/pair')).toBe(false);
});
