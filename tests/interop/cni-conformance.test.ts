import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentHost, OVERLAND } from './support/agent.ts';
import { FAULTS } from './support/cni-faults.ts';
import { pluginDirectory } from './support/cni-plugin.ts';
import { manifest } from './support/manifest.ts';

const run = promisify(execFile);
const DOCUMENT = '../../docs/cni-conformance.md';
const DEBIAN = '/usr/lib/cni';

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('IPPool', 'ipv6', { cidr: 'fd00:65::/48', blockSize: 122 }),
  manifest('IPPool', 'few', { cidr: '10.66.0.0/30', blockSize: 30, nodeSelector: '!all()' }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];

interface Finding {
  readonly point: number;
  readonly title: string;
  readonly verdict: 'pass' | 'fail' | 'skip';
  readonly detail: string;
}

let host: TestNamespace;
let directory: string;
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  host = cleanup.use(await netns());
  await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
  directory = await mkdtemp(join(tmpdir(), 'cni-conformance-'));
  cleanup.defer(() => rm(directory, { recursive: true }));
});
afterAll(() => cleanup.disposeAsync());

/** `overland cni conformance` on the host. */
async function conformance(plugin: string, ...args: readonly string[]): Promise<Finding[]> {
  // A machine's worth of ADDs at once is for the benchmark.
  const argv = [
    ...OVERLAND,
    'cni',
    'conformance',
    plugin,
    '-o',
    'json',
    '--concurrency',
    '12',
    ...args,
  ];
  const enter = [`--net=/run/netns/${host.name}`, ...argv];
  const { stdout } = await run('nsenter', enter).catch((error) => error as { stdout: string });
  return JSON.parse(stdout) as Finding[];
}

/** A configuration file with addresses of host-local. */
async function hostLocal(name: string, subnet: string, more: object = {}): Promise<string> {
  const file = join(directory, `${name}.json`);
  const routes = [{ dst: '0.0.0.0/0' }];
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet }]],
    routes,
    dataDir: join(directory, 'ipam'),
  };
  await writeFile(file, JSON.stringify({ ...more, ipam }));
  return file;
}

async function reference(name: 'ptp' | 'bridge'): Promise<Finding[]> {
  const more = name === 'bridge' ? { bridge: 'cni9' } : {};
  const octet = name === 'bridge' ? 7 : 9;
  return await conformance(
    join(DEBIAN, name),
    '--config',
    await hostLocal(name, `10.${octet}.0.0/16`, more),
    '--small-config',
    await hostLocal(`${name}-small`, `10.${octet + 10}.0.0/29`, more),
    '--path',
    DEBIAN,
  );
}

async function ours(): Promise<Finding[]> {
  const settings = {
    nodeName: 'host11',
    ipv4: '10.255.1.11',
    offerWaitSeconds: 0,
    logLevel: 'error',
  };
  await using agent = await agentHost(host, settings, MANIFESTS);
  agent.start();
  await agent.client.waitUntilReady(40_000).catch((error: unknown) => {
    throw new Error(agent.log, { cause: error });
  });
  const bin = await pluginDirectory('auto');
  const config = join(directory, 'overland.json');
  await writeFile(config, JSON.stringify({ capabilities: { ips: true, mac: true, dns: true } }));
  const small = join(directory, 'overland-small.json');
  const ipam = { type: 'overland-ipam', assign_ipv6: false, ipv4_pools: ['few'] };
  await writeFile(small, JSON.stringify({ ipam }));
  const args = ['--config', config, '--small-config', small, '--path', bin, '--path', DEBIAN];
  const environment = [
    ...['-e', `OVERLAND_API_SOCKET=${agent.stateDirectory}/agent.sock`],
    ...['-e', `OVERLAND_STATE_DIRECTORY=${agent.stateDirectory}`],
    ...['--daemon-gone', 'OVERLAND_API_SOCKET=/nowhere'],
  ];
  return await conformance(
    join(bin, 'overland'),
    ...args,
    ...environment,
    '--ipam',
    'overland-ipam',
  );
}

test('Overland passes every point', async () => {
  const overland = await ours();
  expect(overland.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
  const documented = await readFile(join(import.meta.dirname, DOCUMENT), 'utf8');
  for (const { point, title } of overland) {
    expect(documented).toContain(`| ${point} | ${title} | pass |`);
  }
});

// Verdicts about other people's plugins are no business of every run.
test.runIf(process.env.OVERLAND_SOAK === '1')(
  'the docs say what the reference plugins do',
  async () => {
    const [overland, ptp, bridge] = [
      await ours(),
      await reference('ptp'),
      await reference('bridge'),
    ];
    const rows = overland.map(({ point, title }, at) => {
      const verdicts = [overland[at], ptp[at], bridge[at]].map((one) => one?.verdict ?? '');
      return `| ${[point, title, ...verdicts].join(' | ')} |`;
    });
    const table = [
      '# Conformance of CNI plugins',
      '',
      'Made by `tests/interop/cni-conformance.test.ts` (with `OVERLAND_SOAK=1`) from `overland cni conformance`. `ptp` and `bridge` are',
      'the reference plugins 1.1.1 of Debian 12, which know the specification up to 1.0.0; `skip`: the point says nothing about the plugin.',
      '',
      '| point | what | overland | ptp | bridge |',
      '|---|---|---|---|---|',
      ...rows,
      '',
    ].join('\n');
    await expect(table).toMatchFileSnapshot(DOCUMENT);
  },
);

describe('a planted fault', () => {
  let sound: Finding[];
  let config: string;
  let bin: string;

  beforeAll(async () => {
    bin = join(directory, 'faulty');
    await mkdir(bin);
    await copyFile(join(DEBIAN, 'host-local'), join(bin, 'host-local'));
    config = await hostLocal('faulty', '10.29.0.0/16');
    const points = FAULTS.flatMap(({ point }) => ['-p', String(point)]);
    sound = await conformance(join(DEBIAN, 'ptp'), '--config', config, '--path', DEBIAN, ...points);
  });

  test.each(FAULTS)('is found: $name (point $point)', async ({ point, script }) => {
    expect(sound.find((finding) => finding.point === point)).toMatchObject({ verdict: 'pass' });
    const plugin = join(bin, `ptp-${point}`);
    await writeFile(plugin, script(join(DEBIAN, 'ptp')), { mode: 0o700 });
    const args = ['--config', config, '--path', bin, '-p', String(point)];
    expect(await conformance(plugin, ...args)).toMatchObject([{ point, verdict: 'fail' }]);
  });
});
