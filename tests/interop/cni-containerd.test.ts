import { join } from 'node:path';
import { openDatastore } from '@overland/datastore';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { HANDLE_PREFIX, resourcePrefix } from '@overland/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import { pluginDirectory } from './support/cni-plugin.ts';
import { type Containerd, IMAGE, startContainerd } from './support/containerd.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';
import { watchAnswers } from './support/watch-answers.ts';

const PLUGINS = '/usr/lib/cni';
const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('IPPool', 'ipv6', { cidr: 'fd00:65::/48', blockSize: 122 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
  // Pods of the namespace `closed` are reached from pods of the namespace `trusted` alone.
  manifest('GlobalNetworkPolicy', 'closed', {
    selector: "projectcalico.org/namespace == 'closed'",
    ingress: [
      { action: 'Allow', source: { selector: "projectcalico.org/namespace == 'trusted'" } },
    ],
  }),
];
const SETTINGS = {
  nodeName: 'host11',
  ipv4: '10.255.1.11',
  ipv6: 'fd00:255:1::11',
  offerWaitSeconds: 0,
  logLevel: 'info',
};
const NETWORK = {
  cniVersion: '0.4.0',
  name: 'fabric',
  plugins: [
    { type: 'overland', capabilities: { 'io.kubernetes.cri.pod-annotations': true } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};
const ONE_PING = ['ping', '-c', '1', '-W', '5'];

/** containerd 1.6 (Debian 12), as the kubelet drives it and as `ctr` does. Needs what cni-podman.test.ts needs, and containerd. */
describe.runIf(process.env.OVERLAND_RUNTIMES === '1')('containerd', () => {
  let host: TestNamespace;
  let outside: TestNamespace;
  let agent: AgentHost;
  let containerd: Containerd;
  const cleanup = new AsyncDisposableStack();

  beforeAll(async () => {
    [host, outside] = [cleanup.use(await netns()), cleanup.use(await netns())];
    await cable(
      { namespace: host, device: 'eth1', addresses: ['10.1.0.0/31', 'fd00:1::/127'] },
      { namespace: outside, device: 'eth1', addresses: ['10.1.0.1/31', 'fd00:1::1/127'] },
    );
    await outside.ip('route', 'add', '10.65.0.0/16', 'via', '10.1.0.0');
    await outside.ip('route', 'add', 'fd00:65::/48', 'via', 'fd00:1::');
    await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
    await host.ip('address', 'add', 'fd00:255:1::11/128', 'dev', 'lo');
    agent = cleanup.use(await agentHost(host, SETTINGS, MANIFESTS));
    agent.start();
    const plugins = [PLUGINS, await pluginDirectory('auto', agent.stateDirectory)];
    containerd = cleanup.use(await startContainerd(host, { plugins, network: NETWORK }));
    await agent.client.waitUntilReady(40_000);
  });
  afterAll(() => cleanup.disposeAsync());

  async function workloads(): Promise<string[]> {
    const found = await agent.client.workloads();
    return found.map(({ namespace, name }) => `${namespace}/${name}`).toSorted();
  }

  /** Interfaces of the host, and what the datastore holds of containers. */
  async function remains(): Promise<string[]> {
    const path = join(agent.stateDirectory, 'datastore.db');
    await using datastore = await openDatastore({ type: 'sqlite', path });
    const links = (await host.ip('-o', 'link', 'show')).match(/cali[0-9a-f]+/g) ?? [];
    const prefixes = [HANDLE_PREFIX, resourcePrefix('WorkloadEndpoint')];
    const lists = await Promise.all(prefixes.map((prefix) => datastore.list(prefix)));
    return [...links, ...lists.flatMap(({ entries }) => entries.map(({ key }) => key))];
  }

  const nothingRemains = (): Promise<unknown> =>
    until('nothing remains', async () => (await remains()).length === 0);

  test('the network is ready as soon as the agent is', async () => {
    const { status } = await containerd.cri.call('Status', {});
    const ready = status?.conditions.map(({ type, status: is }) => [type, is]);
    expect(ready).toEqual([
      ['RuntimeReady', true],
      ['NetworkReady', true],
    ]);
  });

  test('pods have the names and addresses that policies know, reach each other, and leave nothing', async () => {
    const { cri } = containerd;
    const [web, db] = [
      await cri.runPod({ name: 'web' }),
      await cri.runPod({ name: 'db', namespace: 'store' }),
    ];
    expect(await workloads()).toEqual(['default/web', 'store/db']);
    const known = await agent.client.workloads();
    expect(known.find(({ name }) => name === 'db')?.addresses).toEqual(db.addresses);
    expect(db.addresses).toHaveLength(2);
    for (const address of db.addresses) {
      expect(await cri.exec(web, [...ONE_PING, address])).toContain(' 0% packet loss');
    }
    await cri.call('StopContainer', { container_id: web.container, timeout: '0' });
    await cri.call('RemoveContainer', { container_id: web.container });
    for (const { sandbox } of [web, db]) await cri.removePod(sandbox);
    expect(await remains()).toEqual([]);
  });

  test('a pod that asks for an address has it, and is never reached by whom its policy denies', async () => {
    const { cri } = containerd;
    const addresses = ['10.65.7.9', 'fd00:65::7:9'];
    await using denied = watchAnswers(outside, addresses);
    const annotations = { 'cni.projectcalico.org/ipAddrs': JSON.stringify(addresses) };
    await denied.asked(20);
    for (const round of ['first', 'second', 'third']) {
      const pod = await cri.runPod({ name: round, namespace: 'closed', annotations });
      expect(pod.addresses).toEqual(addresses);
      const trusted = await cri.runPod({ name: `ask-${round}`, namespace: 'trusted' });
      for (const address of addresses) {
        expect(await cri.exec(trusted, [...ONE_PING, address])).toContain(' 0% packet loss');
      }
      await denied.asked(20);
      for (const { sandbox } of [pod, trusted]) await cri.removePod(sandbox);
    }
    expect(await denied.answers()).toEqual([0, 0]);
    // The watch sees what is answered: the same address, without that policy.
    await using allowed = watchAnswers(outside, addresses);
    const open = await cri.runPod({ name: 'open', namespace: 'trusted', annotations });
    await allowed.asked(20);
    await cri.removePod(open.sandbox);
    expect(Math.min(...(await allowed.answers()))).toBeGreaterThan(0);
    expect(await remains()).toEqual([]);
  });

  test('containers of `ctr run --cni` are attached while they run', async () => {
    const [command, name] = [['sh', '-c', 'ip -o address show eth0'], 'by-ctr'];
    const shown = await containerd.ctr('run', '--rm', '--cni', IMAGE, name, ...command);
    expect(shown).toMatch(/inet 10\.65\.\d+\.\d+\/32/);
    expect(shown).toMatch(/inet6 fd00:65:.*\/128/);
    expect(await remains()).toEqual([]);
  });

  test('what `ctr` ends without a DEL is given back by the next agent', async () => {
    await containerd.ctr('run', '--detach', '--cni', IMAGE, 'left');
    expect(await workloads()).toEqual(['default/default-left']);
    await containerd.ctr('task', 'kill', '--signal', 'SIGKILL', 'left');
    const isEnded = async () => (await containerd.ctr('task', 'ls')).includes('STOPPED');
    await until('the task has ended', isEnded);
    await containerd.ctr('container', 'rm', 'left');
    await agent.kill('SIGKILL');
    agent.start();
    await agent.client.waitUntilReady(40_000);
    await nothingRemains();
  });

  test('containerd killed: pods go on; started again, it takes them off the network', async () => {
    const { cri } = containerd;
    const [web, db] = [await cri.runPod({ name: 'web' }), await cri.runPod({ name: 'db' })];
    await containerd.kill('SIGKILL');
    for (const address of web.addresses) {
      expect(await host.exec(['ping', '-c', '1', '-W', '5', address])).toContain(' 0% packet loss');
    }
    await containerd.start();
    for (const address of db.addresses) {
      expect(await cri.exec(web, [...ONE_PING, address])).toContain(' 0% packet loss');
    }
    for (const { sandbox } of [web, db]) await cri.removePod(sandbox);
    expect(await remains()).toEqual([]);
  });

  test('without an agent pods are refused and can be stopped; what they had is given back when it is there', async () => {
    const { cri } = containerd;
    const web = await cri.runPod({ name: 'web' });
    await agent.kill('SIGKILL');
    try {
      await expect(cri.runPod({ name: 'db' })).rejects.toThrow(
        'the agent of Overland does not answer',
      );
      await cri.removePod(web.sandbox);
    } finally {
      agent.start();
      await agent.client.waitUntilReady(40_000);
    }
    await nothingRemains();
  });
});
