import { spawnSync } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openDatastore } from '@overland/datastore';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { HANDLE_PREFIX, resourcePrefix } from '@overland/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import {
  type PluginCall,
  type PluginOutcome,
  pluginDirectory,
  pluginRunner,
} from './support/cni-plugin.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('IPPool', 'ipv6', { cidr: 'fd00:65::/48', blockSize: 122 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];
const SETTINGS = {
  nodeName: 'host11',
  asNumber: 65101,
  ipv4: '10.255.1.11',
  offerWaitSeconds: 0,
  logLevel: 'info',
};
/** The first needs a C compiler. */
const FORMS = ['compiled', 'script'] as const;
const NETWORK = { cniVersion: '1.1.0', name: 'fabric', type: 'overland' };

let host: TestNamespace;
let agent: AgentHost;
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  host = cleanup.use(await netns());
  await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
  agent = cleanup.use(await agentHost(host, SETTINGS, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
});
afterAll(() => cleanup.disposeAsync());

async function container(): Promise<TestNamespace> {
  return cleanup.use(await netns());
}

async function hostLinks(): Promise<string[]> {
  return (await host.ip('-o', 'link', 'show', 'type', 'veth')).match(/cali[0-9a-f]+/g) ?? [];
}

const forms = spawnSync('cc', ['--version']).status === 0 ? FORMS : FORMS.slice(1);

describe.each(forms)('the %s executable', (form) => {
  let run: (plugin: string, call: PluginCall, config: object | string) => Promise<PluginOutcome>;

  beforeAll(async () => {
    run = pluginRunner(await pluginDirectory(form), {
      OVERLAND_API_SOCKET: join(agent.stateDirectory, 'agent.sock'),
      OVERLAND_STATE_DIRECTORY: agent.stateDirectory,
    });
  });

  test('ADD, CHECK and DEL of a container', async () => {
    const web = await container();
    const call = { containerId: `${form}-web`, netns: web.path };
    const added = await run('overland', { command: 'ADD', ...call }, NETWORK);
    expect(added).toMatchObject({
      code: 0,
      answer: {
        cniVersion: '1.1.0',
        interfaces: [
          { name: expect.stringMatching(/^cali/), mac: 'ee:ee:ee:ee:ee:ee' },
          { name: 'eth0', sandbox: web.path, mtu: 1500 },
        ],
        ips: [
          {
            address: expect.stringMatching(/^10\.65\..*\/32$/),
            gateway: '169.254.1.1',
            interface: 1,
          },
          { address: expect.stringMatching(/^fd00:65:.*\/128$/), gateway: 'fe80::1', interface: 1 },
        ],
        routes: [
          { dst: '0.0.0.0/0', gw: '169.254.1.1' },
          { dst: '::/0', gw: 'fe80::1' },
        ],
      },
    });
    for (const { address } of added.answer.ips) {
      const [bare] = address.split('/');
      expect(await host.exec(['ping', '-c', '1', '-W', '2', bare])).toContain(' 0% packet loss');
    }
    // The same again is the same, not another address.
    expect(await run('overland', { command: 'ADD', ...call }, NETWORK)).toEqual(added);
    const checked = { ...NETWORK, prevResult: added.answer };
    expect(await run('overland', { command: 'CHECK', ...call }, checked)).toEqual({ code: 0 });

    const gone = { code: 0, answer: undefined };
    expect(await run('overland', { command: 'DEL', ...call }, checked)).toEqual(gone);
    expect(await run('overland', { command: 'DEL', ...call }, NETWORK)).toEqual(gone);
    expect(await hostLinks()).toEqual([]);
    expect(await run('overland', { command: 'CHECK', ...call }, checked)).toMatchObject({
      code: 1,
      answer: { code: 100, msg: `${form}-web is not attached by eth0` },
    });
  });

  test('without an agent: VERSION answers, ADD is to be tried again, DEL is done later', async () => {
    const web = await container();
    const call = { containerId: `${form}-left`, netns: web.path };
    expect((await run('overland', { command: 'ADD', ...call }, NETWORK)).code).toBe(0);
    await agent.kill('SIGKILL');
    try {
      expect(await run('overland', { command: 'VERSION' }, NETWORK)).toMatchObject({
        code: 0,
        answer: { supportedVersions: expect.arrayContaining(['0.1.0', '1.1.0']) },
      });
      expect(await run('overland', { command: 'STATUS' }, NETWORK)).toMatchObject({
        code: 1,
        answer: { code: 50 },
      });
      const other = { command: 'ADD', containerId: `${form}-new`, netns: web.path, ifname: 'eth1' };
      expect(await run('overland', other, NETWORK)).toMatchObject({
        code: 1,
        answer: { code: 11 },
      });
      expect(await run('overland', { command: 'DEL', ...call }, NETWORK)).toEqual({ code: 0 });
      const spool = join(agent.stateDirectory, 'cni');
      const [file = '', ...more] = await readdir(spool);
      expect(more).toEqual([]);
      expect((await stat(join(spool, file))).mode & 0o777).toBe(0o600);
    } finally {
      agent.start();
      await agent.client.waitUntilReady(40_000);
    }
    await until('the DEL is done', async () => (await agent.client.workloads()).length === 0);
    const spooled = () => readdir(join(agent.stateDirectory, 'cni'));
    await until('its file is gone', async () => (await spooled()).length === 0);
    expect(await hostLinks()).toEqual([]);
    expect(await run('overland', { command: 'STATUS' }, NETWORK)).toEqual({ code: 0 });
  });
});

/** What the datastore holds of containers. */
async function held(): Promise<string[]> {
  const path = join(agent.stateDirectory, 'datastore.db');
  await using datastore = await openDatastore({ type: 'sqlite', path });
  const keys: string[] = [];
  for (const prefix of [HANDLE_PREFIX, resourcePrefix('WorkloadEndpoint')]) {
    keys.push(...(await datastore.list(prefix)).entries.map(({ key }) => key));
  }
  return keys;
}

test('an agent killed during ADDs leaves nothing after GC', async () => {
  const run = pluginRunner(await pluginDirectory('script', agent.stateDirectory), {});
  for (const [plugin, killAfterMs] of [
    ['overland', 30],
    ['overland-ipam', 20],
  ] as const) {
    const containers = [await container(), await container(), await container()];
    const adds = containers.map(({ name, path }) =>
      run(plugin, { command: 'ADD', containerId: name, netns: path }, NETWORK),
    );
    // Not waited for anything: the moment of death.
    await delay(killAfterMs);
    await agent.kill('SIGKILL');
    await Promise.all(adds);
    agent.start();
    await agent.client.waitUntilReady(40_000);
    const none = { ...NETWORK, 'cni.dev/valid-attachments': [] };
    expect(await run(plugin, { command: 'GC' }, none)).toEqual({ code: 0 });
    expect(await held()).toEqual([]);
    expect(await hostLinks()).toEqual([]);
  }
});
