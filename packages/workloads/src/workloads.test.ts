import { setLock, UnavailableError } from '@overland/datastore';
import { handleKey, parseJson, resourceKey } from '@overland/model';
import { parseAddress } from '@overland/net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Host, NOTHING, type Process, request } from '../test/host.ts';
import { parseHandoverRequest, type WorkloadsOptions } from './index.ts';
import { MissedTwice } from './missed-twice.ts';

const KEY = { containerId: 'c0ffee', interface: 'eth0' };
const ENDPOINT = { namespace: 'default', name: 'host11-overland-web1-eth0' };

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

describe('attach', () => {
  test('answers with addresses, gateways and both ends', async () => {
    const { workloads } = await start();
    const attached = await workloads.attach(request());

    expect(attached).toEqual({
      containerId: 'c0ffee',
      interface: 'eth0',
      name: 'web1',
      namespace: 'default',
      namespacePath: '/run/netns/web1',
      addresses: [expect.stringMatching(/^10\.65\.0\./), expect.stringMatching(/^fd00:65::/)],
      gateways: { ipv4: '169.254.1.1', ipv6: 'fe80::1' },
      hostInterface: expect.stringMatching(/^cali[0-9a-f]{11}$/),
      mac: expect.stringMatching(/^02(:[0-9a-f]{2}){5}$/),
      mtu: 1500,
    });
    expect(workloads.list()).toMatchObject([{ state: 'attached', name: 'web1' }]);
  });

  test('sets up the container: loopback, host addresses, a way out', async () => {
    const { workloads } = await start();
    const { addresses, mac } = await workloads.attach(request());
    const container = host.kernel.open('/run/netns/web1');

    expect(await container.links.get('lo')).toMatchObject({ up: true });
    expect(await container.links.get('eth0')).toMatchObject({ up: true, mac, mtu: 1500 });
    expect(await container.links.addresses('eth0')).toEqual([
      { address: addresses[0], length: 32 },
      { address: addresses[1], length: 128 },
    ]);
    const ways = [
      ...(await container.routes.list('ipv4')),
      ...(await container.routes.list('ipv6')),
    ].map(({ destination, target }) =>
      target.type === 'gateway' ? `${destination} via ${target.nextHop.address}` : destination,
    );
    expect(ways).toEqual(
      expect.arrayContaining(['169.254.1.1/32', '0.0.0.0/0 via 169.254.1.1', '::/0 via fe80::1']),
    );
  });

  test('leaves the host end down until the dataplane brings it up', async () => {
    const { workloads } = await start();
    const seen: unknown[] = [];
    host.bringUp = async (name) => {
      const link = await host.kernel.links.get(name);
      seen.push({ up: link?.up, mac: link?.mac, endpoint: (await storedEndpoint()) !== undefined });
    };
    await workloads.attach(request());

    expect(seen).toEqual([{ up: false, mac: 'ee:ee:ee:ee:ee:ee', endpoint: true }]);
  });

  test("stores the endpoint in Calico's form", async () => {
    const { workloads } = await start();
    const { addresses, hostInterface, mac } = await workloads.attach(
      request({ labels: { app: 'web' }, profiles: ['default'] }),
    );

    expect(await storedEndpoint()).toEqual({
      apiVersion: 'projectcalico.org/v3',
      kind: 'WorkloadEndpoint',
      metadata: {
        ...ENDPOINT,
        uid: expect.any(String),
        creationTimestamp: '1970-01-01T00:00:00Z',
        labels: {
          app: 'web',
          'projectcalico.org/namespace': 'default',
          'projectcalico.org/orchestrator': 'overland',
        },
      },
      spec: {
        node: 'host11',
        orchestrator: 'overland',
        workload: 'web1',
        containerID: 'c0ffee',
        endpoint: 'eth0',
        ipNetworks: [`${addresses[0]}/32`, `${addresses[1]}/128`],
        profiles: ['default'],
        interfaceName: hostInterface,
        mac,
      },
    });
  });

  test('answers the same when it is asked again, also in a new process', async () => {
    const { workloads } = await start();
    const first = await workloads.attach(request());

    expect(await workloads.attach(request())).toEqual(first);
    const next = await start();
    await next.workloads.recover();
    expect(await next.workloads.attach(request())).toEqual(first);
  });

  test('gives a container whose link was lost the same addresses again', async () => {
    const { workloads } = await start();
    const first = await workloads.attach(request());
    await host.kernel.links.remove(first.hostInterface);

    expect(await workloads.attach(request())).toEqual(first);
    expect(await host.kernel.links.get(first.hostInterface)).toBeDefined();
  });

  test('refuses another request for the same container, and a name in use', async () => {
    const { workloads } = await start();
    await workloads.attach(request());

    await expect(workloads.attach(request({ labels: { app: 'db' } }))).rejects.toThrow(
      'c0ffee has eth0 already, asked for in another way; detach it first',
    );
    const other = { containerId: 'decaf', namespacePath: '/run/netns/web2' };
    await expect(workloads.attach(request(other))).rejects.toThrow(
      'the name web1 belongs to container c0ffee; detach that first',
    );
    await workloads.detach(KEY);
    expect(await workloads.attach(request(other))).toMatchObject({ containerId: 'decaf' });
  });

  test('gives two interfaces of one container two addresses; one can go', async () => {
    const { workloads } = await start();
    const first = await workloads.attach(request());
    const second = await workloads.attach(request({ interface: 'eth1' }));

    expect(new Set([...first.addresses, ...second.addresses]).size).toBe(4);
    await workloads.detach(KEY);
    expect(await host.remains()).toMatchObject({ held: 2, inContainers: ['eth1'] });
  });

  test.each([
    [
      { namespacePath: '/run/netns/none' },
      'namespacePath: /run/netns/none is not a network namespace',
    ],
    [{ namespacePath: '/proc/self/ns/net' }, "namespacePath: /proc/self/ns/net is the host's own"],
    [{ labels: { 'not a key': 'x' } }, 'labels'],
    [{ orchestrator: 'cni', containerId: 'UPPER' }, 'containerId'],
    [{ addresses: ['10.99.0.1'] }, '10.99.0.1 cannot be assigned: no IP pool holds it'],
  ])('refuses %j and leaves nothing', async (fields, message) => {
    const { workloads } = await start();
    await expect(workloads.attach(request(fields))).rejects.toThrow(message);
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('refuses an interface name that the container has, and leaves that alone', async () => {
    const { workloads } = await start();
    await host.kernel.links.createVeth({
      name: 'foreign',
      mtu: 1500,
      peer: { name: 'eth0', namespace: '/run/netns/web1' },
    });
    await expect(workloads.attach(request())).rejects.toThrow(
      'interface: eth0 exists already in /run/netns/web1',
    );
    expect(await host.remains()).toEqual({
      ...NOTHING,
      links: ['foreign'],
      inContainers: ['eth0'],
    });
  });

  test('is undone when the host end does not come up in time', async () => {
    const { workloads } = await start({ limits: { attachMs: 20 } });
    host.bringUp = () => new Promise(() => undefined);

    await expect(workloads.attach(request())).rejects.toThrow(
      /^not attached in time, waiting for cali.* to come up$/,
    );
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('goes on when no peer has its block in time', async () => {
    const { workloads } = await start({
      routesAdvertised: () => new Promise(() => undefined),
      limits: { advertisedMs: 10 },
    });
    expect(await workloads.attach(request())).toMatchObject({ name: 'web1' });
  });

  test('is called off by a detach', async () => {
    const { workloads } = await start();
    const waiting = Promise.withResolvers<void>();
    host.bringUp = async () => {
      waiting.resolve();
      await new Promise(() => undefined);
    };
    const attaching = workloads.attach(request());
    await waiting.promise;
    const detached = workloads.detach(KEY);

    await expect(attaching).rejects.toThrow('a detach came first');
    expect(await detached).toEqual({ released: true });
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('is called off by a detach also when others wait behind it', async () => {
    const { workloads } = await start();
    const waiting = Promise.withResolvers<void>();
    host.bringUp = async () => {
      waiting.resolve();
      await new Promise(() => undefined);
    };
    const first = workloads.attach(request());
    await waiting.promise;
    const second = workloads.attach(request());
    const detached = workloads.detach(KEY);

    await expect(first).rejects.toThrow('a detach came first');
    await expect(second).rejects.toThrow('a detach came first');
    expect(await detached).toEqual({ released: true });
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('called off while its endpoint is being written, leaves no endpoint', async () => {
    const writing = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    let calls = 0;
    const { workloads } = await host.start(async (call, perform) => {
      const isWriting = (await host.remains()).held > 0;
      if (call !== 'datastore.transact' || !isWriting || ++calls > 1) return perform();
      writing.resolve();
      await proceed.promise;
      return perform().finally(written.resolve);
    });
    const attaching = workloads.attach(request());
    await writing.promise;
    const detached = workloads.detach(KEY);
    attaching.catch(() => undefined);
    await vi.waitFor(async () => expect((await host.remains()).links).toEqual([]));
    proceed.resolve();
    await written.promise;

    await expect(attaching).rejects.toThrow('a detach came first');
    expect(await detached).toEqual({ released: true });
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('whose writes have an unknown outcome, is cleared up when the datastore answers', async () => {
    const late: (() => Promise<unknown>)[] = [];
    const { workloads } = await host.start(
      async (call, perform) => {
        const isEndpoint = (await host.remains()).held > 0;
        if (call !== 'datastore.transact' || !isEndpoint || late.length > 0) return perform();
        late.push(perform);
        throw new UnavailableError('no answer in time');
      },
      { limits: { retryMs: 5 } },
    );
    await workloads.recover();
    await expect(workloads.attach(request())).rejects.toThrow('no answer in time');
    expect(await host.remains()).toEqual(NOTHING);
    // Only now does what was sent arrive.
    await late[0]?.();
    expect((await host.remains()).endpoints).toHaveLength(1);

    const stop = new AbortController();
    const running = workloads.run(stop.signal);
    await vi.waitFor(async () => expect(await host.remains()).toEqual(NOTHING));
    stop.abort();
    await running;
  });
});

describe('detach', () => {
  test('leaves nothing, twice is fine, and so is what was never attached', async () => {
    const { workloads } = await start();
    await workloads.attach(request());

    expect(await workloads.detach(KEY)).toEqual({ released: true });
    expect(await workloads.detach(KEY)).toEqual({ released: true });
    expect(await workloads.detach({ ...KEY, containerId: 'never' })).toEqual({ released: true });
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('leaves the endpoint of a newer container of the same name', async () => {
    const { workloads } = await start();
    await workloads.attach(request());
    const key = resourceKey('WorkloadEndpoint', ENDPOINT);
    const value = (await host.datastore.get(key))?.value.replace('c0ffee', 'newer') ?? '';
    await host.datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });

    expect(await workloads.detach(KEY)).toEqual({ released: true });
    expect((await host.remains()).endpoints).toEqual([key]);
  });
});

describe('while the datastore is away', () => {
  test('attach fails and leaves nothing', async () => {
    const { workloads } = await start();
    {
      using _outage = host.datastore.outage();
      await expect(workloads.attach(request())).rejects.toThrow('outage');
      expect((await host.kernel.links.list()).map(({ name }) => name)).toEqual(['lo']);
      expect(workloads.list()).toMatchObject([{ state: 'detaching' }]);
    }
    expect(await workloads.settlePending()).toBe(0);
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('a container is removed at once, and its address is given back later', async () => {
    const { workloads, departed } = await start();
    const { hostInterface } = await workloads.attach(request());
    {
      using _outage = host.datastore.outage();
      expect(await workloads.detach(KEY)).toEqual({ released: false });
      expect(await workloads.detach(KEY)).toEqual({ released: false });
      expect((await host.kernel.links.list()).map(({ name }) => name)).toEqual(['lo']);
      expect(departed()).toEqual([hostInterface]);
      await expect(workloads.attach(request())).rejects.toThrow(
        'c0ffee was attached before, and its addresses could not be given back yet',
      );
    }
    expect(await workloads.settlePending()).toBe(0);
    expect(departed()).toEqual([]);
    expect(await host.remains()).toEqual(NOTHING);
    expect(await workloads.attach(request())).toMatchObject({ name: 'web1' });
  });

  test('a restart remembers what is to be given back', async () => {
    const { workloads } = await start();
    await workloads.attach(request());
    const next = await start();
    {
      using _outage = host.datastore.outage();
      await workloads.detach(KEY);
      const again = await start();
      expect(await again.workloads.recover()).toEqual({
        leftovers: 1,
        pending: 1,
        garbage: undefined,
      });
    }
    expect(next.workloads.list()).toHaveLength(1);
    const last = await start();
    expect(await last.workloads.recover()).toMatchObject({ pending: 0 });
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('run finishes it by itself', async () => {
    const { workloads } = await start({ limits: { retryMs: 2 } });
    await workloads.attach(request());
    const stop = new AbortController();
    const running = workloads.run(stop.signal);
    {
      using _outage = host.datastore.outage();
      await workloads.detach(KEY);
    }
    await expect.poll(() => host.remains()).toEqual(NOTHING);
    stop.abort();
    await running;
  });
});

describe('while the datastore is locked', () => {
  test('nothing is attached, and what is detached is given back later', async () => {
    const { workloads, departed } = await start();
    const { hostInterface } = await workloads.attach(request());
    await setLock(host.datastore, true);
    const before = (await host.datastore.list('')).entries;

    const other = request({ containerId: 'beef', name: 'web2', namespacePath: '/run/netns/web2' });
    await expect(workloads.attach(other)).rejects.toMatchObject({ name: 'LockedError' });
    expect(await workloads.detach(KEY)).toEqual({ released: false });
    expect((await host.kernel.links.list()).map(({ name }) => name)).toEqual(['lo']);
    expect(departed()).toContain(hostInterface);
    // To the letter: this is what a migration has read.
    expect((await host.datastore.list('')).entries).toEqual(before);

    await setLock(host.datastore, false);
    expect(await workloads.settlePending()).toBe(0);
    expect(await host.remains()).toEqual(NOTHING);
    expect(await workloads.attach(other)).toMatchObject({ name: 'web2' });
  });
});

describe('a container that goes without a detach', () => {
  test('is taken apart when two looks have missed it, and no other is', async () => {
    const { workloads } = await start({ limits: { retryMs: 2, lookMs: 4 } });
    const lost = await workloads.attach(request());
    const other = { containerId: 'decaf', name: 'web2', namespacePath: '/run/netns/web2' };
    await workloads.attach(request(other));
    await host.kernel.links.remove(lost.hostInterface);
    const stop = new AbortController();
    const running = workloads.run(stop.signal);
    await vi.waitFor(() => expect(workloads.list()).toMatchObject([{ containerId: 'decaf' }]));
    expect((await host.remains()).endpoints).toHaveLength(1);
    stop.abort();
    await running;
  });

  test('is left alone when its link is back at the second look', () => {
    const links = new MissedTwice();
    const look = (missing: readonly string[]): string[] => {
      const lost = missing.filter((name) => links.miss(name));
      links.ended();
      return lost;
    };
    expect(look(['cali1', 'cali2'])).toEqual([]);
    expect(look(['cali2'])).toEqual(['cali2']);
    expect(look(['cali1'])).toEqual([]);
  });
});

describe('recover', () => {
  test('keeps what is whole', async () => {
    await (await start()).workloads.attach(request());
    const before = await host.remains();
    const next = await start();

    expect(await next.workloads.recover()).toEqual({
      leftovers: 0,
      pending: 0,
      garbage: { addresses: [], endpoints: [] },
    });
    expect(await host.remains()).toEqual(before);
  });

  test('takes apart what lost its container while no agent ran', async () => {
    await (await start()).workloads.attach(request());
    host.kernel.removeNamespace('/run/netns/web1');
    host.kernel.addNamespace('/run/netns/web1');

    expect(await (await start()).workloads.recover()).toMatchObject({ leftovers: 1, pending: 0 });
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('gives back what was borrowed from the block of another host, and leaves alone what others borrowed', async () => {
    await using small = await Host.create({ v4: '10.65.0.0/26', v6: 'fd00:65::/122' });
    const neighbour = await small.neighbour('host12');
    await neighbour.ensureBlock('ipv4');
    await neighbour.ensureBlock('ipv6');
    const own = { handle: 'overland.host12.c1.eth0', attributes: { node: 'host12' } };
    await neighbour.assign({ ...own, families: ['ipv4'] });
    const { addresses, hostInterface } = await (await small.start()).workloads.attach(request());
    expect(await neighbour.allocations()).toHaveLength(3);
    small.files.clear();
    await small.kernel.links.remove(hostInterface);

    const { garbage } = await (await small.start()).workloads.recover();

    expect(garbage?.addresses).toEqual(addresses);
    expect(await neighbour.allocations()).toMatchObject([{ handle: own.handle }]);
  });

  test('gives back what neither journal nor kernel knows', async () => {
    const { addresses, hostInterface } = await (await start()).workloads.attach(request());
    host.files.clear();
    await host.kernel.links.remove(hostInterface);

    const { garbage } = await (await start()).workloads.recover();

    expect(garbage).toEqual({ addresses, endpoints: [ENDPOINT.name] });
    expect(await host.remains()).toEqual(NOTHING);
  });

  test('a lost journal costs a running container nothing', async () => {
    await (await start()).workloads.attach(request());
    host.files.clear();
    const before = await host.remains();

    expect((await (await start()).workloads.recover()).garbage).toEqual({
      addresses: [],
      endpoints: [],
    });
    expect(await host.remains()).toEqual(before);
  });

  test('leaves addresses of others alone', async () => {
    const { ipam, workloads } = await start();
    const attributes = { node: 'host11' };
    await ipam.assign({ handle: 'k8s-pod-network.abc', families: ['ipv4'], attributes });
    await ipam.assign({ handle: 'overland.host12.abc.eth0', families: ['ipv4'], attributes });

    expect((await workloads.recover()).garbage).toEqual({ addresses: [], endpoints: [] });
    expect(await host.datastore.get(handleKey('k8s-pod-network.abc'))).toBeDefined();
  });
});

describe('handover', () => {
  const DOCKER = { containerId: 'ab'.repeat(32), interface: 'abababababababa' };
  const ADDRESS = parseAddress('10.65.0.9');
  const handedOver = (isUnidentified: boolean) =>
    parseHandoverRequest({
      ...DOCKER,
      handover: true,
      isUnidentified,
      namespacePath: '/var/run/docker/netns/not-yet',
      name: 'abababababab',
      orchestrator: 'libnetwork',
      foreignAddresses: [ADDRESS],
    });
  const stored = async () => {
    const name = 'host11-libnetwork-libnetwork-abababababababa';
    const entry = await host.datastore.get(
      resourceKey('WorkloadEndpoint', { namespace: 'default', name }),
    );
    return entry && parseJson(entry.value);
  };

  test('leaves the container end on the host, for a namespace that does not exist yet', async () => {
    const { workloads } = await start();
    const { handoverInterface = '', hostInterface } = await workloads.attach(handedOver(false));
    expect(handoverInterface).toMatch(/^ovlc[0-9a-f]{11}$/);
    expect(await host.kernel.links.get(handoverInterface)).toMatchObject({ up: false });
    expect(await stored()).toMatchObject({ spec: { ipNetworks: ['10.65.0.9/32'] } });
    await workloads.detach(DOCKER);
    expect(await host.kernel.links.get(handoverInterface)).toBeUndefined();
    expect(await host.kernel.links.get(hostInterface)).toBeUndefined();
  });

  test('who is unidentified has no endpoint and a link that is down, also after a restart', async () => {
    const first = await start();
    const { hostInterface } = await first.workloads.attach(handedOver(true));
    expect(await stored()).toBeUndefined();
    expect(await host.kernel.links.get(hostInterface)).toMatchObject({ up: false });

    const { workloads } = await start();
    await workloads.recover();
    expect(await stored()).toBeUndefined();
    const identity = { name: 'web', labels: { role: 'web' } };
    expect(await workloads.identify(DOCKER, identity)).toBe(true);
    expect(await stored()).toMatchObject({
      metadata: { labels: { role: 'web' } },
      spec: { workload: 'web', orchestrator: 'libnetwork' },
    });
    expect(await host.kernel.links.get(hostInterface)).toMatchObject({ up: true });
    expect(await workloads.identify(DOCKER, identity)).toBe(true);

    await workloads.detach(DOCKER);
    expect(await stored()).toBeUndefined();
    expect(await workloads.identify(DOCKER, identity)).toBe(false);
    expect(await stored()).toBeUndefined();
  });
});
