import { expect, test } from 'vitest';
import { TopologyError } from './fault.ts';
import { parseTopology } from './parse-topology.ts';
import type { Topology } from './topology.ts';

const FILES: Readonly<Record<string, string>> = {
  '/labs/frr/daemons': 'bgpd=yes',
  '/labs/common.env': '# comment\nFROM_FILE=1\nCOLOUR=blue\n',
};

function parse(text: string, variables: Record<string, string> = {}): Topology {
  return parseTopology({
    file: '/labs/test.clab.yml',
    text,
    variables,
    files: { exists: (path) => path in FILES, read: (path) => FILES[path] },
    labDirectory: (name) => `/state/${name}/files`,
    macOf: (_lab, node, name) => `mac of ${node}:${name}`,
  });
}

function faultsOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof TopologyError) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('levels are merged: defaults, then kind, then group, then node', () => {
  const { nodes } = parse(`
name: merge
topology:
  defaults: { kind: linux, env: { A: defaults, B: defaults, C: defaults, D: defaults } }
  kinds:
    linux: { image: alpine, env: { B: kind, C: kind, D: kind }, exec: [from kind] }
  groups:
    leafs: { image: frrouting/frr:8.4.4, env: { C: group, D: group }, sysctls: { net.ipv4.ip_forward: 1 } }
  nodes:
    leaf1: { group: leafs, env: { D: node }, exec: [from node] }
    host1:
`);
  expect(nodes).toMatchObject([
    {
      name: 'leaf1',
      recipe: 'frr',
      environment: { A: 'defaults', B: 'kind', C: 'group', D: 'node' },
      sysctls: { 'net.ipv4.ip_forward': '1' },
      exec: [['from', 'node']],
    },
    { name: 'host1', recipe: 'userland', exec: [['from', 'kind']] },
  ]);
});

test('binds are relative to the file, merged by destination, with magic names replaced', () => {
  const { nodes } = parse(`
name: binds
topology:
  defaults: { kind: linux, image: frrouting/frr, binds: ['frr/daemons:/etc/frr/daemons:ro', '__clabNodeDir__/x:/x'] }
  nodes:
    a: {}
    b: { binds: ['/labs/common.env:/etc/frr/daemons'] }
`);
  expect(nodes[0]?.binds).toEqual([
    { source: '/labs/frr/daemons', target: '/etc/frr/daemons', mode: 'ro' },
    { source: '/state/binds/files/a/x', target: '/x', mode: 'rw' },
  ]);
  expect(nodes[1]?.binds.find(({ target }) => target === '/etc/frr/daemons')).toEqual({
    source: '/labs/common.env',
    target: '/etc/frr/daemons',
    mode: 'rw',
  });
});

test('the environment: files first, then env', () => {
  const { nodes } = parse(`
name: env
topology:
  nodes:
    a: { kind: linux, image: alpine, env-files: [common.env], env: { COLOUR: red, EMPTY: , WHO: __clabNodeName__ } }
`);
  expect(nodes[0]?.environment).toEqual({ FROM_FILE: '1', COLOUR: 'red', EMPTY: '', WHO: 'a' });
});

test('anchors and merge keys; a group without settings is a label', () => {
  const { nodes, warnings } = parse(`
name: anchors
topology:
  nodes:
    a: &base { kind: linux, image: alpine, group: routers }
    b: { <<: *base, image: docker.io/frrouting/frr:v8.4.1 }
`);
  expect(nodes.map(({ recipe }) => recipe)).toEqual(['userland', 'frr']);
  expect(warnings).toEqual([]);
});

test('links in both forms, with their defaults', () => {
  const { links } = parse(`
name: links
topology:
  defaults: { kind: linux, image: alpine }
  nodes: { a: , b: }
  links:
    - endpoints: ['a:eth1', 'b:eth1']
    - type: veth
      mtu: 1500
      endpoints:
        - { node: a, interface: eth2, mac: AA:C1:AB:00:00:01 }
        - { node: b, interface: eth2 }
`);
  expect(links).toEqual([
    {
      mtu: 9500,
      endpoints: [
        { node: 'a', interface: 'eth1', mac: 'mac of a:eth1' },
        { node: 'b', interface: 'eth1', mac: 'mac of b:eth1' },
      ],
    },
    {
      mtu: 1500,
      endpoints: [
        { node: 'a', interface: 'eth2', mac: 'aa:c1:ab:00:00:01' },
        { node: 'b', interface: 'eth2', mac: 'mac of b:eth2' },
      ],
    },
  ]);
});

test('management addresses: those asked for, and the next free ones; old spellings too', () => {
  const { management, nodes } = parse(`
name: mgmt
mgmt: { ipv4_subnet: 10.0.0.0/24 }
topology:
  defaults: { kind: linux, image: alpine }
  nodes:
    a: {}
    b: { mgmt_ipv4: 10.0.0.2 }
    c: { network-mode: none }
    d: { network-mode: 'container:a' }
    e: {}
`);
  expect(management).toMatchObject({ ipv4Gateway: '10.0.0.1', ipv6Gateway: '3fff:172:20:20::1' });
  expect(nodes.map(({ managementAddresses }) => managementAddresses?.ipv4.address)).toEqual([
    '10.0.0.3',
    '10.0.0.2',
    undefined,
    undefined,
    '10.0.0.4',
  ]);
  expect(nodes[3]?.sharesNetworkOf).toBe('a');
});

test('variables, with defaults, and $$', () => {
  const { name, nodes } = parse(
    `
name: \${LAB:-plain}
topology:
  nodes:
    a: { kind: linux, image: "\${IMAGE}", exec: ["echo $$HOME \${UNSET:-x y}"] }
`,
    { LAB: 'fancy', IMAGE: 'alpine' },
  );
  expect(name).toBe('fancy');
  expect(nodes[0]?.exec).toEqual([['echo', '$HOME', 'x', 'y']]);
});

test('keys without meaning here are left out with a warning that names the line', () => {
  const { warnings } = parse(`
name: warn
topology:
  nodes:
    a: { kind: linux, image: alpine, ports: ['80:80'], memory: 1GB }
`);
  expect(warnings).toEqual([
    "test.clab.yml:5: 'ports' is left out: nothing of a lab is in the root network namespace",
    "test.clab.yml:5: 'memory' is left out: nodes are not limited",
  ]);
});

test('every fault at once, each with line and column, in the order of the file', () => {
  expect(
    faultsOf(`name: bad
topology:
  nodes:
    a: { kind: linux, image: alpine }
    b: { kind: srl, image: ghcr.io/nokia/srlinux }
    c: { kind: linux, image: vendor/os:1 }
    d: { kind: linux, image: alpine, colour: red, startup-config: x }
    e: { kind: linux, image: alpine, exec: ["echo 'x"] }
  links:
    - endpoints: ['a:eth1', 'nobody:eth1']
    - endpoints: ['a:eth2', 'a:eth2']
    - endpoints: ['a:eth0', 'host:veth1']
    - endpoints: ['a:eth3']
`),
  ).toEqual([
    "test.clab.yml:5:10: node b: kind 'srl' cannot be run: only linux and bridge run as namespaces",
    "test.clab.yml:6:23: node c: no recipe for image 'vendor/os:1'; there are recipes for overland/node, frrouting/frr, overland/bird, alpine, busybox, debian, network-multitool",
    "test.clab.yml:7:38: unknown key 'colour'",
    "test.clab.yml:7:51: 'startup-config' is not supported: it is for network operating systems; use binds",
    "test.clab.yml:8:45: command 'echo 'x': ' is not closed",
    "test.clab.yml:10:29: link to node 'nobody', which does not exist",
    'test.clab.yml:11:29: interface a:eth2 is already used by link 2',
    'test.clab.yml:12:19: a:eth0 is taken: the management interface',
    "test.clab.yml:12:29: link to 'host' is not supported: only links between nodes are",
    'test.clab.yml:13:7: a link has two endpoints, not 1',
  ]);
});

test.each([
  ['broken YAML', 'name: x\ntopology: [', /^test\.clab\.yml:2:12: broken YAML: /],
  [
    'a key twice',
    'name: x\nname: y\n',
    /^test\.clab\.yml:2:1: broken YAML: Map keys must be unique/,
  ],
  [
    'a name that is too long',
    `name: ${'x'.repeat(64)}\ntopology: {}`,
    /is not a lab name; .*, at most 63$/,
  ],
  ['not a map', '- a\n', /^test\.clab\.yml:1:1: a topology must be a map$/],
  ['empty', '', /^test\.clab\.yml:1:1: a topology is missing$/],
  ['no name', 'topology: { nodes: { a: { kind: linux, image: alpine } } }', /'name' is missing/],
  ['no nodes', 'name: x\ntopology: {}\n', /^test\.clab\.yml:2:1: there are no nodes$/],
  [
    'a variable that must be set, behind another',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax under test
    'name: ${A:-a long default}\nx: ${B} ${C:?give me a C}\n',
    /^test\.clab\.yml:2:9: variable C: give me a C$/,
  ],
])('%s', (_name, text, expected) => {
  expect(faultsOf(text)[0]).toMatch(expected);
});

test('what all nodes have from one place is one fault', () => {
  expect(
    faultsOf(`name: x
topology:
  defaults: { kind: srl }
  groups: { leafs: { kind: linux, image: vendor/os } }
  nodes: { a: , b: , c: { group: leafs }, d: { group: leafs } }
`),
  ).toEqual([
    "test.clab.yml:3:15: kind 'srl' cannot be run: only linux and bridge run as namespaces",
    expect.stringMatching(/^test.clab.yml:4:35: no recipe for image 'vendor\/os'/),
  ]);
});

test('of a file that is no map nothing more is said', () => {
  expect(faultsOf('just a word')).toEqual(['test.clab.yml:1:1: a topology must be a map']);
});

test('a column after a substituted variable is the one in the file', () => {
  const text =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax under test
    'name: x\ntopology:\n  nodes: { "${A:-node1}": { kind: linux, image: vendor/os } }\n';
  expect(faultsOf(text)[0]).toMatch(/^test\.clab\.yml:3:42: node node1: no recipe/);
});

test('an address that two nodes give themselves is a fault, unless it is labelled as anycast', () => {
  const text = (label: string): string => `name: x
topology:
  defaults: { kind: linux, image: alpine ${label} }
  nodes:
    a: { exec: ['ip addr add 10.0.0.0/31 dev eth1', 'ip -6 address replace fd00::1/127 dev eth1 nodad'] }
    b: { exec: ['ip addr add 10.0.0.0/31 dev eth1', 'ip addr add fd00:0::1/127 dev eth1', 'ip addr'] }
`;
  expect(faultsOf(text(''))).toEqual([
    "test.clab.yml:6:17: address 10.0.0.0 of b:eth1 is already that of a:eth1 (if that is meant: label 'overland.anycast')",
    "test.clab.yml:6:53: address fd00::1 of b:eth1 is already that of a:eth1 (if that is meant: label 'overland.anycast')",
  ]);
  expect(faultsOf(text(", labels: { overland.anycast: '10.0.0.0, fd00::1' }"))).toEqual([]);
});

test('a duplicate management address is a fault', () => {
  expect(
    faultsOf(`name: x
topology:
  defaults: { kind: linux, image: alpine }
  nodes:
    a: { mgmt-ipv4: 172.20.20.9 }
    b: { mgmt-ipv4: 172.20.20.9 }
    c: { mgmt-ipv4: 10.0.0.1 }
`),
  ).toEqual([
    'test.clab.yml:6:10: address 172.20.20.9 of b is already that of a',
    'test.clab.yml:7:10: 10.0.0.1 is not in the management subnet 172.20.20.0/24',
  ]);
});

test('a topology survives JSON', () => {
  const topology = parse('name: x\ntopology: { nodes: { a: { kind: linux, image: alpine } } }');
  expect(JSON.parse(JSON.stringify(topology))).toEqual(topology);
});
