import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import { pluginDirectory } from './support/cni-plugin.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

const run = promisify(execFile);

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];
const SETTINGS = {
  nodeName: 'host11',
  ipv4: '10.255.1.11',
  offerWaitSeconds: 0,
  logLevel: 'info',
};
const APPLETS = ['sh', 'ping', 'sleep', 'ip', 'nc', 'echo'];

/**
 * podman 4.3 with its CNI backend (Debian 12). Needs podman, runc, busybox-static and gcc, which are not installed
 * without being asked: OVERLAND_RUNTIMES=1 says that they are there.
 */
describe.runIf(process.env.OVERLAND_RUNTIMES === '1')('podman', () => {
  let host: TestNamespace;
  let agent: AgentHost;
  let directory: string;
  let environment: Record<string, string>;
  const cleanup = new AsyncDisposableStack();

  beforeAll(async () => {
    host = cleanup.use(await netns());
    await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
    agent = cleanup.use(await agentHost(host, SETTINGS, MANIFESTS));
    agent.start();
    directory = await mkdtemp(join(tmpdir(), 'cni-podman-'));
    cleanup.defer(() => rm(directory, { recursive: true, force: true }));
    environment = await configure();
    await podman('import', await imageOf(), 'localhost/box');
    await agent.client.waitUntilReady(40_000);
  });
  afterAll(async () => {
    await podman('rm', '-af', '-t', '0').catch(() => undefined);
    await cleanup.disposeAsync();
  });

  async function configure(): Promise<Record<string, string>> {
    const bin = await pluginDirectory('auto', agent.stateDirectory);
    const networks = join(directory, 'net.d');
    await mkdir(networks);
    const plugins = [
      {
        type: 'overland',
        args: { cni: { labels: [{ key: 'by', value: 'podman' }] } },
        capabilities: { portMappings: true },
      },
      { type: 'tuning', sysctl: { 'net.core.somaxconn': '500' } },
    ];
    const list = { cniVersion: '0.4.0', name: 'fabric', plugins };
    await writeFile(join(networks, '10-fabric.conflist'), JSON.stringify(list));
    const file = join(directory, 'containers.conf');
    await writeFile(
      file,
      `[network]
network_backend="cni"
network_config_dir="${networks}"
cni_plugin_dirs=["${bin}", "/usr/lib/cni"]
default_network="fabric"
[engine]
cgroup_manager="cgroupfs"
events_logger="file"
runtime="runc"
[containers]
default_ulimits=["nofile=8192:8192","nproc=8192:8192"]
`,
    );
    return {
      ...(process.env as Record<string, string>),
      CONTAINERS_CONF: file,
    };
  }

  /** The static busybox, a link for each applet, as a tar. */
  async function imageOf(): Promise<string> {
    const root = join(directory, 'image');
    await mkdir(join(root, 'bin'), { recursive: true });
    await copyFile('/bin/busybox', join(root, 'bin/busybox'));
    for (const applet of APPLETS) await symlink('busybox', join(root, 'bin', applet));
    const tar = join(directory, 'image.tar');
    await run('tar', ['-C', root, '-cf', tar, '.']);
    return tar;
  }

  async function podman(...args: readonly string[]): Promise<string> {
    const storage = ['--root', 'root', '--runroot', 'runroot', '--tmpdir', 'tmp'].map((word, at) =>
      at % 2 === 0 ? word : join(directory, word),
    );
    const argv = [`--net=/run/netns/${host.name}`, 'podman', ...storage];
    const all = [...argv, '--storage-driver', 'vfs', ...args];
    return (await run('nsenter', all, { env: environment })).stdout.trim();
  }

  async function addressOf(name: string): Promise<string> {
    const found = (await agent.client.workloads()).find((workload) => workload.name === name);
    return found?.addresses[0] ?? '';
  }

  test('containers reach each other, by names that policies know, and leave nothing', async () => {
    await podman('run', '-d', '--name', 'web', 'localhost/box', 'sleep', '600');
    await podman('run', '-d', '--name', 'My_db', 'localhost/box', 'sleep', '600');
    expect(await podman('exec', 'web', 'ip', '-4', '-o', 'address')).toContain(
      await addressOf('web'),
    );
    const ping = ['ping', '-c', '1', '-W', '5', await addressOf('my-db')];
    expect(await podman('exec', 'web', ...ping)).toContain(' 0% packet loss');

    await podman('stop', '-t', '0', 'web');
    await until(
      'the stopped container is off the network',
      async () => (await addressOf('web')) === '',
    );
    await podman('start', 'web');
    expect(await podman('exec', 'web', ...ping)).toContain(' 0% packet loss');
    await podman('rm', '-f', '-t', '0', 'web', 'My_db');
    expect(await agent.client.workloads()).toEqual([]);
    expect(await host.ip('-o', 'link', 'show', 'type', 'veth')).toBe('');
  });

  test('an address and a MAC address that were asked for are given', async () => {
    const network = 'fabric:ip=10.65.7.9,mac=02:00:00:00:07:09';
    const args = ['--rm', '--network', network, 'localhost/box', 'ip', 'address', 'show', 'eth0'];
    const output = await podman('run', ...args);
    expect(output).toContain('inet 10.65.7.9/32');
    expect(output).toContain('02:00:00:00:07:09');
  });

  test('a published port leads to the container, and no more once it has gone', async () => {
    const serve = ['nc', '-l', '-p', '80', '-e', 'echo', 'hello'];
    await podman('run', '-d', '--name', 'served', '-p', '8080:80', 'localhost/box', ...serve);
    const ask = (): Promise<string> =>
      host.exec(['busybox', 'nc', '-w', '2', '10.255.1.11', '8080']).catch(() => '');
    await until('the port answers', async () => (await ask()).includes('hello'));
    await podman('rm', '-f', '-t', '0', 'served');
    const rules = () => host.exec(['nft', 'list', 'ruleset']);
    await until('the port is closed', async () => !(await rules()).includes('8080'));
  });

  test('a container that ends while no agent runs leaves the network when there is one again', async () => {
    await podman('run', '-d', '--name', 'short', 'localhost/box', 'sleep', '600');
    await agent.kill('SIGKILL');
    await podman('rm', '-f', '-t', '0', 'short');
    await expect(podman('run', '--rm', 'localhost/box', 'ip', 'link')).rejects.toThrow(
      'the agent of Overland does not answer',
    );
    agent.start();
    await agent.client.waitUntilReady(40_000);
    await until(
      'the container is off the network',
      async () => (await agent.client.workloads()).length === 0,
    );
    expect(await host.ip('-o', 'link', 'show', 'type', 'veth')).toBe('');
  });
});
