import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import { BOX, type DockerHost, dockerHost } from './support/docker-host.ts';
import { manifest } from './support/manifest.ts';
import { applyResources } from './support/run-overland.ts';
import { until } from './support/until.ts';
import { watchAnswers } from './support/watch-answers.ts';

const POLICY = 'projectcalico.org/v3';
const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('IPPool', 'storage', { cidr: '10.66.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];

/**
 * Docker 20.10 (Debian 12). Needs docker.io, busybox-static and iptables, which are not installed without being asked:
 * OVERLAND_RUNTIMES=1 says that they are there.
 */
describe.runIf(process.env.OVERLAND_RUNTIMES === '1')('docker', () => {
  let host: TestNamespace;
  let outside: TestNamespace;
  let agent: AgentHost;
  let engine: DockerHost;
  let driver: string;
  const cleanup = new AsyncDisposableStack();

  beforeAll(async () => {
    [host, outside] = [cleanup.use(await netns()), cleanup.use(await netns())];
    await cable(
      { namespace: host, device: 'eth1', addresses: ['10.1.0.0/31'] },
      { namespace: outside, device: 'eth1', addresses: ['10.1.0.1/31'] },
    );
    await outside.ip('route', 'add', '10.66.0.0/16', 'via', '10.1.0.0');
    await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
    const directory = await mkdtemp(join(tmpdir(), 'docker-test-'));
    cleanup.defer(() => rm(directory, { recursive: true, force: true }));
    // Docker looks for drivers in one place, which daemons of other tests share.
    driver = basename(directory).toLowerCase();
    const dockerPluginSocket = `/run/docker/plugins/${driver}.sock`;
    cleanup.defer(() => rm(dockerPluginSocket, { force: true }));
    engine = cleanup.use(await dockerHost(host, ['--live-restore']));
    const settings = {
      nodeName: 'host11',
      ipv4: '10.255.1.11',
      offerWaitSeconds: 0,
      logLevel: 'info',
      dockerPluginSocket,
      dockerApiSocket: engine.socket,
    };
    agent = cleanup.use(await agentHost(host, settings, MANIFESTS));
    agent.start();
    await engine.start();
    await engine.loadBox();
    await agent.client.waitUntilReady(40_000);
    await createNetwork('fabric');
  }, 120_000);
  afterAll(async () => {
    await removeAll().catch(() => undefined);
    await cleanup.disposeAsync();
  }, 60_000);

  const createNetwork = (name: string, ...options: readonly string[]): Promise<string> =>
    engine.docker('network', 'create', '-d', driver, '--ipam-driver', driver, ...options, name);

  /** Runs a container that sleeps. */
  const start = (name: string, ...options: readonly string[]): Promise<string> =>
    engine.docker('run', '-d', '--name', name, ...options, BOX, 'sleep', '600');

  const remove = (...names: readonly string[]): Promise<string> =>
    engine.docker('rm', '-f', ...names);

  async function removeAll(): Promise<void> {
    const ids = await engine.docker('ps', '-aq');
    if (ids !== '') await remove(...ids.split('\n'));
  }

  const addressOf = (name: string, network = 'fabric'): Promise<string> =>
    engine.docker(
      'inspect',
      '-f',
      `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
      name,
    );

  /** Whether `from` reaches an address, once it has come to be so. */
  const pings = (from: string, address: string): Promise<boolean> =>
    engine.docker('exec', from, 'ping', '-c', '1', '-W', '2', address).then(
      (output) => output.includes(' 0% packet loss'),
      () => false,
    );

  const apply = (...resources: readonly object[]): Promise<string> =>
    applyResources(host, resources, {
      OVERLAND_DATASTORE_TYPE: 'sqlite',
      OVERLAND_SQLITE_PATH: join(agent.stateDirectory, 'datastore.db'),
    });

  const policy = (name: string, spec: object): object => ({
    apiVersion: POLICY,
    kind: 'GlobalNetworkPolicy',
    metadata: { name },
    spec,
  });

  async function expectNothingLeft(): Promise<void> {
    await until('nothing is attached', async () => {
      const attached = await agent.client.workloads();
      return attached.length === 0;
    });
    expect(await host.ip('-o', 'link', 'show', 'type', 'veth')).not.toMatch(/cali|ovlc/);
    // A record goes when the address is free again.
    await until('nothing is remembered', async () => {
      const directories = ['addresses', 'endpoints'].map((name) =>
        readdir(join(agent.stateDirectory, 'docker', name)),
      );
      return (await Promise.all(directories)).flat().length === 0;
    });
  }

  test('two containers reach each other although FORWARD drops, and leave nothing', async () => {
    await start('web', '--network', 'fabric');
    await start('db', '--network', 'fabric');
    expect(await host.exec(['iptables', '-S', 'FORWARD'])).toContain('-P FORWARD DROP');
    const address = await addressOf('db');
    expect(address).toMatch(/^10\.6[56]\./);
    await until('web reaches db', () => pings('web', address));
    expect((await agent.client.workloads()).map(({ name }) => name).toSorted()).toEqual([
      'db',
      'web',
    ]);
    await remove('web', 'db');
    await expectNothingLeft();
  });

  test('labels of containers decide, from the first packet on', async () => {
    await apply(
      policy('clients', {
        selector: "role == 'server'",
        types: ['Ingress'],
        ingress: [{ action: 'Allow', source: { selector: "role == 'client'" } }],
      }),
    );
    await start('server', '--network', 'fabric', '--label', 'role=server');
    await start('client', '--network', 'fabric', '--label', 'role=client');
    const told = `name=fabric,driver-opt=overland.label.role=client`;
    await start('told', '--network', told);
    await start('other', '--network', 'fabric');
    const address = await addressOf('server');
    await until('the client reaches the server', () => pings('client', address));
    await until('so does the one that was told to be one', () => pings('told', address));
    await until('the other is on the network', async () => pings('other', await addressOf('told')));
    expect(await pings('other', address)).toBe(false);
    await removeAll();
    await expectNothingLeft();
  });

  test('an address and a MAC address that were asked for are given', async () => {
    await createNetwork('chosen', '--subnet', '10.66.0.0/16');
    const options = ['--network', 'chosen', '--ip', '10.66.7.9', '--mac-address'];
    const shown = await engine.docker(
      ...['run', '--rm', ...options, '02:00:00:00:07:09', BOX, 'ip', 'address', 'show', 'eth0'],
    );
    expect(shown).toContain('inet 10.66.7.9/32');
    expect(shown).toContain('02:00:00:00:07:09');
    await start('first', '--network', 'chosen', '--ip', '10.66.7.9');
    await expect(start('second', '--network', 'chosen', '--ip', '10.66.7.9')).rejects.toThrow(
      'the address 10.66.7.9 belongs to another container',
    );
    await removeAll();
    await engine.docker('network', 'rm', 'chosen');
    await expectNothingLeft();
  });

  test('a container is never reached as one without its labels would be', async () => {
    await createNetwork('watched', '--subnet', '10.66.0.0/16');
    await apply(
      policy('unlabelled', {
        selector: 'has(watched) && !has(role)',
        types: ['Ingress'],
        ingress: [{ action: 'Allow' }],
      }),
    );
    const address = '10.66.7.8';
    const options = ['--network', 'watched', '--ip', address];
    await using denied = watchAnswers(outside, [address]);
    for (const round of ['first', 'second', 'third']) {
      await start(round, ...options, '--label', 'role=closed');
      await until('it is on the network', async () =>
        (await agent.client.workloads()).some(({ name }) => name === round),
      );
      await denied.asked(20);
      await remove(round);
    }
    expect(await denied.answers()).toEqual([0]);
    // The watch sees what is answered: the same address, without a label.
    await using allowed = watchAnswers(outside, [address]);
    await start('open', ...options);
    await until('it answers', () =>
      outside.exec(['ping', '-c', '1', '-W', '1', address]).then(Boolean, () => false),
    );
    await allowed.asked(20);
    expect(Math.min(...(await allowed.answers()))).toBeGreaterThan(0);
    await removeAll();
    await engine.docker('network', 'rm', 'watched');
    await expectNothingLeft();
  });

  test('policy in iptables decides alone: nothing is accepted before it', async () => {
    const mode = (nftablesMode: string): object =>
      manifest('FelixConfiguration', 'default', { nftablesMode });
    const packetFilter = async (): Promise<unknown> =>
      (await agent.client.nodeStatus()).dataplane.policy?.packetFilter;
    await start('one', '--network', 'fabric');
    await start('two', '--network', 'fabric');
    const address = await addressOf('two');
    await until('one reaches two', () => pings('one', address));
    const dockerUser = (): Promise<string> => host.exec(['iptables', '-S', 'DOCKER-USER']);
    expect(await dockerUser()).toContain('-i cali+');
    await apply(mode('Disabled'));
    await until('policy is in iptables', async () => (await packetFilter()) === 'iptables-nft', 30);
    expect(await dockerUser()).not.toContain('cali+');
    await until('one still reaches two', () => pings('one', address));
    await apply(mode('Enabled'));
    await until('DOCKER-USER accepts', async () => (await dockerUser()).includes('-i cali+'), 40);
    expect(await packetFilter()).toBe('nftables');
    await until('one reaches two again', () => pings('one', address));
    await removeAll();
    await expectNothingLeft();
  }, 120_000);

  test('what cannot be is refused with words', async () => {
    await expect(createNetwork('odd', '--subnet', '10.99.0.0/16')).rejects.toThrow(
      'the subnet 10.99.0.0/16 is no IPPool: there are ipv4 (10.65.0.0/16), storage (10.66.0.0/16)',
    );
    await expect(createNetwork('odd', '-o', 'parent=eth0')).rejects.toThrow(
      '-o parent is not known',
    );
    await expect(engine.docker('network', 'create', '-d', driver, 'odd')).rejects.toThrow(
      'give --ipam-driver the name of this driver',
    );
  });

  test('a published port leads to the container, and a taken one is refused', async () => {
    const serve = ['sh', '-c', 'while true; do nc -l -p 80 -e echo hello; done'];
    const published = ['--network', 'fabric', '-p', '8080:80'];
    await engine.docker('run', '-d', '--name', 'served', ...published, BOX, ...serve);
    const ask = (): Promise<string> =>
      host.exec(['busybox', 'nc', '-w', '2', '10.255.1.11', '8080']).catch(() => '');
    await until('the port answers', async () => (await ask()).includes('hello'));
    await expect(start('again', ...published)).rejects.toThrow(
      'port 8080 (TCP) of the host leads to another container',
    );
    await removeAll();
    expect(await ask()).toBe('');
  });

  test('a further network leads to its own pool, and to no other', async () => {
    await createNetwork('front', '--subnet', '10.65.0.0/16');
    await createNetwork('back', '--subnet', '10.66.0.0/16');
    await start('both', '--network', 'front');
    await engine.docker('network', 'connect', 'back', 'both');
    await start('near', '--network', 'front');
    await start('far', '--network', 'back');
    await until('both reaches near', async () => pings('both', await addressOf('near', 'front')));
    await until('both reaches far', async () => pings('both', await addressOf('far', 'back')));
    expect(await pings('near', await addressOf('far', 'back'))).toBe(false);
    await removeAll();
    await engine.docker('network', 'rm', 'front', 'back');
    await expectNothingLeft();
  });

  test('the agent comes and goes while containers run, start and end', async () => {
    await start('one', '--network', 'fabric');
    await start('two', '--network', 'fabric');
    const address = await addressOf('two');
    await until('one reaches two', () => pings('one', address));
    await agent.kill('SIGKILL');
    expect(await pings('one', address)).toBe(true);
    // Docker asks again until there is an agent.
    const third = start('three', '--network', 'fabric');
    agent.start();
    await third;
    await until('three reaches two', () => pings('three', address));
    expect(await pings('one', address)).toBe(true);
    await removeAll();
    await expectNothingLeft();
  }, 120_000);

  test('the daemon comes and goes: containers live on, and what ends meanwhile is given back', async () => {
    await start('one', '--network', 'fabric');
    await start('two', '--network', 'fabric');
    const address = await addressOf('two');
    await until('one reaches two', () => pings('one', address));
    await engine.kill('SIGKILL');
    await engine.start();
    expect(await pings('one', address)).toBe(true);
    await start('three', '--network', 'fabric');
    expect(await addressOf('three')).not.toBe(address);
    await until('three reaches two', () => pings('three', address));
    await removeAll();
    await expectNothingLeft();
    await engine.docker('network', 'rm', 'fabric');
    await createNetwork('fabric');
  }, 120_000);
});
