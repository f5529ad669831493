import type { FakeKernel } from '@overland/linux/testing';
import { parseJson, resourceKey } from '@overland/model';
import { hostPrefix, type IpAddress } from '@overland/net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host, NOTHING, type Process, request } from '../test/host.ts';
import type { AttachedWorkload, WorkloadsOptions } from './index.ts';

const KEY = { containerId: 'c0ffee', interface: 'eth0' };
const ENDPOINT = { namespace: 'default', name: 'host11-overland-web1-eth0' };

/** What a test of check may break. */
interface Attached extends Pick<Process, 'workloads' | 'ipam'> {
  readonly attached: AttachedWorkload;
  readonly container: FakeKernel;
}

type Breakage = [what: string, breakIt: (at: Attached) => Promise<unknown>, fault: string];

let host: Host;
beforeEach(async () => {
  host = await Host.create();
});
afterEach(() => host[Symbol.asyncDispose]());

function start(options?: Partial<WorkloadsOptions>): Promise<Process> {
  return host.start(undefined, options);
}

async function storedEndpoint(): Promise<unknown> {
  const entry = await host.datastore.get(resourceKey('WorkloadEndpoint', ENDPOINT));
  return entry && parseJson(entry.value);
}

describe('for container runtimes', () => {
  const pod = { orchestrator: 'k8s', namespace: 'prod', name: 'web-0', network: 'fabric' };

  test('a pod keeps its endpoint when its new sandbox comes before the old one has left', async () => {
    const { workloads } = await start();
    await workloads.attach(request(pod));
    const later = { ...pod, containerId: 'decaf', namespacePath: '/run/netns/web2' };
    const { addresses } = await workloads.attach(request(later));
    expect(await workloads.detach(KEY)).toEqual({ released: true });
    const key = resourceKey('WorkloadEndpoint', {
      namespace: 'prod',
      name: 'host11-k8s-web--0-eth0',
    });
    const entry = await host.datastore.get(key);
    expect(parseJson(entry?.value ?? '')).toMatchObject({
      spec: { pod: 'web-0', containerID: 'decaf', ipNetworks: addresses.map((a) => hostPrefix(a)) },
    });
    expect(workloads.list()).toMatchObject([{ containerId: 'decaf', network: 'fabric' }]);
  });

  test('addresses of somebody else are used, and neither taken nor given back', async () => {
    const { workloads } = await start();
    const foreignAddresses = ['10.99.0.5'];
    const mac = '02:00:00:00:00:42';
    const routes = ['10.0.0.0/8'];
    const attached = await workloads.attach(request({ foreignAddresses, routes, mac, mtu: 1280 }));
    expect(attached).toMatchObject({ addresses: foreignAddresses, mac, mtu: 1280 });
    expect(await host.remains()).toMatchObject({ links: [attached.hostInterface], held: 0 });
    const ways = await host.kernel.open('/run/netns/web1').routes.list('ipv4');
    expect(ways.map(({ destination }) => destination).toSorted()).toEqual([
      '10.0.0.0/8',
      '169.254.1.1/32',
    ]);
    expect(await workloads.check(KEY)).toEqual([]);
    await workloads.detach(KEY);
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('ports become those of the endpoint', async () => {
    const { workloads } = await start();
    const ports = [{ protocol: 'TCP', port: 80, hostPort: 8080, hostIP: '10.0.0.1' }];
    await workloads.attach(request({ ports }));
    expect(await storedEndpoint()).toMatchObject({
      spec: { ports: [{ protocol: 'TCP', port: 80, hostPort: 8080, hostIP: '10.0.0.1/32' }] },
    });
    expect(() => request({ mac: '01:00:00:00:00:01' })).toThrow('must be a unicast MAC address');
  });

  test('a further interface leaves the routes of the first alone, and is next to it', async () => {
    const { workloads } = await start();
    await workloads.attach(request());
    await workloads.attach(request({ interface: 'eth1', name: 'web1b' }));
    const container = host.kernel.open('/run/netns/web1');
    for (const [family, first] of [
      ['ipv4', 0],
      ['ipv6', 1024],
    ] as const) {
      const ways = (await container.routes.list(family)).filter(({ destination }) =>
        destination.endsWith('/0'),
      );
      expect(ways.map(({ metric }) => metric).toSorted()).toEqual([first, first + 1]);
    }
    expect(await workloads.check(KEY)).toEqual([]);
    expect(await workloads.check({ ...KEY, interface: 'eth1' })).toEqual([]);
  });

  test.each<Breakage>([
    [
      'nothing was attached',
      async (at: Attached) => void (await at.workloads.detach(KEY)),
      'c0ffee is not attached by eth0',
    ],
    [
      'the link was deleted',
      ({ attached }: Attached) => host.kernel.links.remove(attached.hostInterface),
      'there is no interface cali',
    ],
    [
      'the host end is down',
      ({ attached }: Attached) => host.kernel.links.set(attached.hostInterface, { up: false }),
      'is down on the host',
    ],
    [
      'the container end is down',
      ({ container }: Attached) => container.links.set('eth0', { up: false }),
      'eth0 is down',
    ],
    [
      'an address was removed',
      ({ container, attached: { addresses } }: Attached) =>
        container.links.removeAddress('eth0', { address: addresses[0] as IpAddress, length: 32 }),
      'eth0 has lost its address 10.65.0.',
    ],
    [
      'the way out was removed',
      async ({ container }: Attached) =>
        void (await container.routes.remove(await container.routes.list('ipv4'))),
      'eth0 has lost its route to 0.0.0.0/0',
    ],
    [
      'the endpoint was deleted',
      async () => {
        const key = resourceKey('WorkloadEndpoint', ENDPOINT);
        await host.datastore.transact({ conditions: [], operations: [{ type: 'delete', key }] });
      },
      'there is no WorkloadEndpoint default/host11-overland-web1-eth0 of it',
    ],
    [
      'the address was given back',
      ({ ipam }: Attached) => ipam.release('overland.host11.c0ffee.eth0'),
      'is not assigned to it any more',
    ],
    [
      'the host has no policy for it',
      async () => {
        host.bringUp = (_, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
      },
      'the host has no working route and policy for cali',
    ],
  ])('check tells that %s', async (_, breakIt, fault) => {
    const { workloads, ipam } = await start({ limits: { checkMs: 50 } });
    const attached = await workloads.attach(request());
    expect(await workloads.check(KEY)).toEqual([]);
    const container = host.kernel.open('/run/netns/web1');
    await breakIt({ workloads, ipam, attached, container });
    expect((await workloads.check(KEY)).join('; ')).toContain(fault);
  });
});
