import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryDatastore } from '@overland/datastore';
import { createIpam, IpamView } from '@overland/ipam';
import { type Kernel, namespaceIdentity, openKernel, PROTOCOL } from '@overland/linux';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { resourceKey, resourcePrefix } from '@overland/model';
import { hostPrefix, type IpAddress, WORKLOAD_LINK } from '@overland/net';
import pino from 'pino';
import { expect, test } from 'vitest';
import {
  createWorkloads,
  datastoreEndpoints,
  fileJournal,
  parseAttachRequest,
  vethNetwork,
  type WorkloadDataplane,
  type Workloads,
} from './index.ts';

/** The host's side, which felix programs in production. */
function hostSide(kernel: Kernel): WorkloadDataplane {
  return {
    async endpointReady(interfaceName, addresses) {
      await kernel.sysctls.set('net.ipv4.ip_forward', '1');
      await kernel.sysctls.set('net.ipv6.conf.all.forwarding', '1');
      const { ipv4, ipv6 } = WORKLOAD_LINK.gateway;
      const probe = { probe: false };
      await kernel.links.addAddress(interfaceName, { address: ipv4, length: 32 }, probe);
      await kernel.links.addAddress(interfaceName, { address: ipv6, length: 64 }, probe);
      await kernel.links.set(interfaceName, { up: true });
      const routes = addresses.map((address) => ({
        destination: hostPrefix(address),
        metric: 512,
        protocol: PROTOCOL.local,
        target: { type: 'device', device: interfaceName } as const,
      }));
      expect(await kernel.routes.replace(routes)).toEqual([undefined, undefined]);
    },
  };
}

async function storePools(datastore: MemoryDatastore): Promise<void> {
  for (const [name, cidr] of Object.entries({ v4: '10.65.0.0/24', v6: 'fd00:65::/116' })) {
    const metadata = { name };
    const pool = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata, spec: { cidr } };
    const key = resourceKey('IPPool', metadata);
    const value = JSON.stringify(pool);
    await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
  }
}

interface TestHost extends AsyncDisposable {
  readonly workloads: Workloads;
  readonly datastore: MemoryDatastore;
  readonly namespace: TestNamespace;
  readonly journal: string;
}

async function startHost(): Promise<TestHost> {
  const namespace = await netns();
  const kernel = openKernel({ namespace: namespace.path });
  const datastore = new MemoryDatastore();
  await storePools(datastore);
  const stop = new AbortController();
  const view = new IpamView('host11');
  void view.follow((prefix) => datastore.watch(prefix, stop.signal));
  await view.synced;
  const now = (): Date => new Date();
  const journal = await mkdtemp(join(tmpdir(), 'overland-journal-'));
  const workloads = await createWorkloads({
    node: 'host11',
    ipam: createIpam({ datastore, node: 'host11', view, now }),
    network: vethNetwork({
      kernel,
      openNamespace: (path) => openKernel({ namespace: path }),
      identityOf: namespaceIdentity,
    }),
    endpoints: datastoreEndpoints(datastore, 'host11', now),
    dataplane: hostSide(kernel),
    journal: fileJournal(journal),
    log: pino({ level: 'silent' }),
    mtu: () => 1400,
    families: () => view.families(),
  });
  await workloads.recover();
  return {
    workloads,
    datastore,
    namespace,
    journal,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await kernel[Symbol.asyncDispose]();
      await namespace[Symbol.asyncDispose]();
    },
  };
}

async function attach(
  { workloads }: TestHost,
  container: TestNamespace,
  name: string,
): Promise<readonly IpAddress[]> {
  const { addresses } = await workloads.attach(
    parseAttachRequest({
      containerId: name,
      interface: 'eth0',
      namespacePath: container.path,
      name,
    }),
  );
  return addresses;
}

test('two containers of a host reach each other at once, in both families', async () => {
  await using host = await startHost();
  await using web = await netns();
  await using db = await netns();
  await attach(host, web, 'web');
  for (const address of await attach(host, db, 'db')) {
    // One try: ADD returned, so nothing may still be settling.
    const output = await web.exec(['ping', '-c', '1', '-W', '2', address]);
    expect(output).toContain(' 0% packet loss');
  }
  const link = await web.ip('-d', 'link', 'show', 'dev', 'eth0');
  expect(link).toContain('mtu 1400');
  expect(await host.namespace.ip('-o', 'link', 'show', 'type', 'veth')).toContain(
    'ee:ee:ee:ee:ee:ee',
  );
});

test('detach leaves no interface, no address, no endpoint and no journal', async () => {
  await using host = await startHost();
  await using web = await netns();
  await attach(host, web, 'web');
  expect(await readdir(host.journal)).toHaveLength(1);

  expect(await host.workloads.detach({ containerId: 'web', interface: 'eth0' })).toEqual({
    released: true,
  });
  expect(await host.namespace.ip('-o', 'link', 'show', 'type', 'veth')).toBe('');
  expect(await web.ip('-o', 'link', 'show', 'type', 'veth')).toBe('');
  expect(await readdir(host.journal)).toEqual([]);
  const { entries } = await host.datastore.list(resourcePrefix('WorkloadEndpoint'));
  expect(entries).toEqual([]);
});

test('a container that turned IPv6 off, and has an eth0.1, gets both families', async () => {
  await using host = await startHost();
  await using web = await netns();
  await web.exec(['sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1']);
  const { addresses } = await host.workloads.attach(
    parseAttachRequest({
      containerId: 'web',
      interface: 'eth0.1',
      namespacePath: web.path,
      name: 'web',
    }),
  );
  for (const address of addresses) {
    const output = await host.namespace.exec(['ping', '-c', '1', '-W', '2', address]);
    expect(output).toContain(' 0% packet loss');
  }
});

test('a namespace path that is none, or the own one, is refused', async () => {
  await using host = await startHost();
  const request = { containerId: 'web', interface: 'eth0', name: 'web' };
  for (const [namespacePath, reason] of [
    ['/etc/passwd', 'is not a network namespace'],
    ['/run/netns/none', 'is not a network namespace'],
    ['/proc/self/ns/net', "is the host's own network namespace"],
  ]) {
    await expect(
      host.workloads.attach(parseAttachRequest({ ...request, namespacePath })),
    ).rejects.toThrow(reason);
  }
  expect(await readdir(host.journal)).toEqual([]);
});
