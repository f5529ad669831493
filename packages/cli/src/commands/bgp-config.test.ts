import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatastore } from '@overland/datastore';
import { affinityKey } from '@overland/model';
import { parseYaml } from '@overland/model/yaml';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

const MANIFESTS = `
apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: host11}
spec: {bgp: {ipv4Address: 10.0.0.11/32, asNumber: 65101}}
---
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata: {name: default}
spec: {nodeToNodeMeshEnabled: false}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: leaf11}
spec: {peerIP: 10.1.0.0, asNumber: 65011, password: {value: secret}}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: leaf12}
spec: {peerIP: 10.1.0.2, asNumber: 65012, filters: [none]}
---
apiVersion: projectcalico.org/v3
kind: BlockAffinity
metadata: {name: host11-10-65-0-0-26}
spec: {node: host11, cidr: 10.65.0.0/26, state: confirmed}
---
apiVersion: projectcalico.org/v3
kind: BlockAffinity
metadata: {name: host12-10-65-0-64-26}
spec: {node: host12, cidr: 10.65.0.64/26, state: confirmed}
`;

const config = (args: readonly string[], stdin = MANIFESTS) =>
  captureRun(['bgp', 'config', '-f', '-', ...args], { stdin });

test('the configuration as data, without passwords', async () => {
  const { code, out } = await config(['--node', 'host11', '-o', 'json']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    node: 'host11',
    config: {
      asn: 65101,
      routerId: '10.0.0.11',
      role: 'host',
      peers: [{ name: 'leaf11', asn: 65011, password: { value: '(not shown)' } }],
      originate: ['10.0.0.11/32', '10.65.0.0/26'],
    },
    diagnostics: [{ resource: 'BGPPeer leaf12', reason: expect.stringContaining('no session') }],
  });
  expect(out).not.toContain('secret');
});

test('YAML says what JSON says', async () => {
  const { out: json } = await config(['--node', 'host11', '-o', 'json']);
  const { out: yaml } = await config(['--node', 'host11', '-o', 'yaml']);
  expect(parseYaml(yaml)).toMatchObject([{ value: JSON.parse(json) }]);
});

test('a table for people', async () => {
  const { out } = await config(['--node', 'host11']);
  expect(out).toContain('BGP router identifier 10.0.0.11, local AS 65101, role host\n');
  expect(out).toMatch(/^leaf11 +10\.1\.0\.0 +179 +65011 +ipv4 +90s +auto +all +- +-$/m);
  expect(out).toContain('offers 10.0.0.11/32, 10.65.0.0/26\n');
  expect(out).toMatch(/^BGPPeer leaf12: .*no session is made without$/m);
});

test.each([
  ['{mode: Disabled}', 'none'],
  ['{defaultRoute: Accept}', 'all but default route'],
  ['{}', 'all'],
])('the checks of what a peer sends: importSafety %s', async (importSafety, shown) => {
  const text = MANIFESTS.replace(
    'asNumber: 65011,',
    `asNumber: 65011, importSafety: ${importSafety},`,
  );
  const { out } = await config(['--node', 'host11'], text);
  expect(/^leaf11 .*?auto +(.*?) {2,}/m.exec(out)?.[1]).toBe(shown);
});

test('a node that is not there, and manifests that are not valid', async () => {
  expect(await config(['--node', 'host99'])).toEqual({
    code: 1,
    out: '',
    err: 'overland: Node host99: does not exist\n',
  });
  const broken = await config(
    ['--node', 'host11'],
    MANIFESTS.replace('peerIP: 10.1.0.0', 'peerIP: 10.1.0'),
  );
  expect(broken).toMatchObject({ code: 2, out: '' });
  expect(broken.err).toContain('-:15: document 3, BGPPeer(leaf11): spec.peerIP');
  expect(await config([])).toMatchObject({ code: 2, out: '' });
  expect(await config(['--node', 'host11', '--config', 'x'])).toMatchObject({ code: 2, out: '' });
});

test('from the datastore: what the manifests say, with the blocks that IPAM has claimed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'overland-bgp-config-'));
  try {
    const env = { OVERLAND_SQLITE_PATH: join(directory, 'overland.db') };
    const [resources = ''] = MANIFESTS.split('---\napiVersion: projectcalico.org/v3\nkind: Block');
    const applied = await captureRun(['apply', '-f', '-'], { env, stdin: resources });
    expect(applied).toMatchObject({ code: 0, err: '' });
    {
      await using datastore = await openDatastore({
        type: 'sqlite',
        path: env.OVERLAND_SQLITE_PATH,
      });
      const key = affinityKey({ type: 'host', name: 'host11' }, parsePrefix('10.65.0.0/26'));
      const value = '{"state":"confirmed"}';
      await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
    }
    const live = await captureRun(['bgp', 'config', '--node', 'host11', '-o', 'json'], { env });
    const offline = await config(['--node', 'host11', '-o', 'json']);
    expect(live).toEqual(offline);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
