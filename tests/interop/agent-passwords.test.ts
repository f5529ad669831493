import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cable, netns } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { agentHost } from './support/agent.ts';
import { startBird } from './support/bird.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

/** BIRD as another node of the mesh (IPv4), and as a leaf (IPv6). */
const BIRD = `
router id 10.254.11.10;
protocol device {}
template bgp protected { hold time 9; connect delay time 1; connect retry time 1; error wait time 1, 2; password "s3cret"; }
protocol bgp mesh from protected { local 10.254.11.10 as 64512; neighbor 10.254.11.11 as 64512; ipv4 { import all; export none; }; }
protocol bgp leaf from protected { local as 65011; neighbor fd00:254:11::11 as 64512; ipv6 { import all; export none; }; }
`;

const REF = { secretKeyRef: { name: 'bgp-secrets', key: 'fabric' } };

test('passwords from a secret: no session before it is there, the mesh and BGPPeers with it, none once it is gone', async () => {
  await using leaf = await netns();
  await using host = await netns();
  await cable(
    { namespace: leaf, device: 'eth1', addresses: ['10.254.11.10/31', 'fd00:254:11::10/127'] },
    { namespace: host, device: 'eth1', addresses: ['10.254.11.11/31', 'fd00:254:11::11/127'] },
  );
  const secretsDirectory = await mkdtemp(join(tmpdir(), 'secrets-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(secretsDirectory, { recursive: true }));
  const file = join(secretsDirectory, 'bgp-secrets/fabric');
  const settings = {
    nodeName: 'host11',
    ipv4: '10.254.11.11/31',
    ipv6: 'none',
    logLevel: 'info',
    secretsDirectory,
  };
  await using agent = await agentHost(host, settings, [
    manifest('BGPConfiguration', 'default', { nodeMeshPassword: REF }),
    manifest('Node', 'bird', { bgp: { ipv4Address: '10.254.11.10/31' } }),
    manifest('BGPPeer', 'leaf', {
      node: 'host11',
      peerIP: 'fd00:254:11::10',
      asNumber: 65011,
      sourceAddress: 'None',
      password: REF,
    }),
  ]);
  await using bird = await startBird(leaf, BIRD);
  const established = async () =>
    ((await bird.birdc('show protocols')).match(/Established/g) ?? []).length;
  const peers = async () =>
    (await agent.client.nodeStatus().catch(() => undefined))?.bgp?.peers ?? [];

  agent.start();
  await until(
    'both sessions wait for their password',
    async () => {
      const all = await peers();
      return all.length === 2 && all.every(({ lastError }) => lastError?.includes(file));
    },
    40,
  );
  expect(await established()).toBe(0);

  await mkdir(dirname(file));
  await writeFile(file, 's3cret\n');
  await until('both sessions are up', async () => (await established()) === 2, 30);

  await rename(file, `${file}.gone`);
  await until('no session is up', async () => (await established()) === 0, 30);
  expect(agent.log).not.toContain('s3cret');
});
