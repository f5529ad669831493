import { type Kernel, KernelError, PROTOCOL } from '@overland/linux';
import { parseAddress, parseInterfaceAddress, parsePrefix } from '@overland/net';
import { expect, test, vi } from 'vitest';
import { batch, fakeHost, forwarding, localState, offer } from '../../test/fake-host.ts';
import type { InterfaceStatus } from './link-table.ts';

test('the interface feed tells the present state, then every change that matters, without workloads', async () => {
  const host = await fakeHost();
  await using dataplane = host.start();
  const seen: (readonly InterfaceStatus[])[] = [];
  dataplane.onInterfaces((interfaces) => seen.push(interfaces));
  await vi.waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.map(({ name, usable }) => [name, usable])).toEqual([
    ['eth1', true],
    ['eth2', true],
    ['lo', true],
  ]);
  expect(seen[0]?.[0]?.addresses).toEqual(
    ['10.1.1.0/31', 'fd00:1:1::/127'].map(parseInterfaceAddress),
  );

  const peer = { name: 'eth0', namespace: '/run/netns/router' };
  await host.kernel.links.createVeth({ name: 'cali1', mtu: 1500, peer });
  await host.router.links.set('port2', { up: false });
  await vi.waitFor(() => expect(seen.at(-1)?.[1]).toMatchObject({ name: 'eth2', usable: false }));
  expect(seen).toHaveLength(2);
  await host.kernel.links.addAddress('lo', parseInterfaceAddress('10.0.0.12/32'));
  await vi.waitFor(() => expect(seen).toHaveLength(3));
  const dead = parseAddress('10.1.1.9');
  await host.kernel.neighbours.probe('eth1', dead);
  await vi.waitFor(() => expect(seen.at(-1)?.[0]).toMatchObject({ unreachable: [dead] }));

  const late: (readonly InterfaceStatus[])[] = [];
  dataplane.onInterfaces((interfaces) => late.push(interfaces));
  expect(late).toEqual([seen.at(-1)]);
});

test('batches are acknowledged by their sequence, also empty ones', async () => {
  const host = await fakeHost();
  await using dataplane = host.start();
  dataplane.setLocalState(localState({}));
  const routes = batch('ipv4', { '10.65.0.0/26': 1 }, false);
  const empty = batch('ipv6', {}, true);
  expect(
    await Promise.all([
      dataplane.applyRoutes({ ...routes, sequence: 7 }),
      dataplane.applyRoutes({ ...empty, sequence: 8 }),
      dataplane.applyRoutes({ ...routes, sequence: 9 }),
    ]),
  ).toEqual([7, 8, 9]);
});

test('what no event told is found by the periodic read-back', async () => {
  const host = await fakeHost();
  const deaf: Kernel = {
    ...host.kernel,
    monitor: {
      async *events(signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
    },
  };
  await using dataplane = host.start({ kernel: deaf, readBackMs: 20 });
  dataplane.setLocalState(localState({ blackholes: ['10.65.0.0/26'] }));
  await offer(dataplane, { '10.65.1.0/26': 1 });
  const before = await forwarding(host.kernel);
  await vi.waitFor(async () =>
    expect(await forwarding(host.kernel, PROTOCOL.local)).toHaveLength(1),
  );
  const gone = { metric: 1024, protocol: PROTOCOL.bgp, target: { type: 'blackhole' } } as const;
  await host.kernel.routes.remove([
    { ...gone, destination: parsePrefix('10.65.1.0/26') },
    { ...gone, destination: parsePrefix('10.65.0.0/26'), metric: 512, protocol: PROTOCOL.local },
  ]);
  await vi.waitFor(async () => {
    expect(await forwarding(host.kernel)).toEqual(before);
    expect(await forwarding(host.kernel, PROTOCOL.local)).toHaveLength(1);
  });
});

test('a kernel that cannot be read is tried again', async () => {
  const host = await fakeHost();
  let refusals = 1;
  const moody: Kernel = {
    ...host.kernel,
    routes: {
      ...host.kernel.routes,
      list: async (family) => {
        if (refusals-- > 0) throw new KernelError('EINTR', 'list routes');
        return host.kernel.routes.list(family);
      },
    },
  };
  await using dataplane = host.start({ kernel: moody });
  dataplane.setLocalState(localState({}));
  await offer(dataplane, { '10.65.1.0/26': 1 });
  expect(await forwarding(host.kernel)).toHaveLength(1);
});

test('without events there is no going on', async () => {
  const host = await fakeHost();
  const broken: Kernel = {
    ...host.kernel,
    monitor: {
      // biome-ignore lint/correctness/useYield: it fails before its first event.
      async *events() {
        throw new Error('no multicast');
      },
    },
  };
  const dataplane = host.start({ kernel: broken });
  await expect(dataplane.finished).rejects.toThrow('no multicast');
  await dataplane[Symbol.asyncDispose]();
});

test('disposal leaves the kernel as it is', async () => {
  const host = await fakeHost();
  const dataplane = host.start();
  dataplane.setLocalState(localState({ blackholes: ['10.65.0.0/26'] }));
  await offer(dataplane, { '10.65.1.0/26': 1 });
  const before = [await forwarding(host.kernel), await forwarding(host.kernel, PROTOCOL.local)];
  await dataplane[Symbol.asyncDispose]();
  await dataplane.finished;
  expect([await forwarding(host.kernel), await forwarding(host.kernel, PROTOCOL.local)]).toEqual(
    before,
  );
  expect(before.flat()).toHaveLength(2);
});

test('a preferred source that no interface holds is left out', async () => {
  const host = await fakeHost();
  await using dataplane = host.start();
  dataplane.setLocalState({ ...localState({}), sources: { ipv4: parseAddress('10.0.0.99') } });
  await offer(dataplane, { '10.65.1.0/26': 1 });
  expect((await forwarding(host.kernel))[0]).toContain('src - to');
  await host.kernel.links.addAddress('lo', parseInterfaceAddress('10.0.0.99/32'));
  await vi.waitFor(async () =>
    expect((await forwarding(host.kernel))[0]).toContain('src 10.0.0.99'),
  );
});
