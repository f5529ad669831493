import { parseAddress } from '@overland/net';
import { expect, test, vi } from 'vitest';
import { endpoint, type FakeHost, fakeHost, localState } from '../../test/fake-host.ts';
import type { Bandwidth } from '../calc/bandwidth.ts';
import type { Dataplane } from './dataplane.ts';

const NEVER = new AbortController().signal;
const SLOW = { rate: 125_000, burst: 20_000 };
const FAST = { rate: 1_250_000, burst: 20_000, peak: { rate: 12_500_000, burst: 0 } };

async function plug({ kernel }: FakeHost, name: string): Promise<void> {
  const namespace = `/run/netns/${name}`;
  const container = kernel.addNamespace(namespace);
  await kernel.links.createVeth({ name, mtu: 1500, peer: { name: 'eth0', namespace } });
  await container.links.set('eth0', { up: true });
}

function stateWith(bandwidth: Bandwidth | undefined) {
  return localState({
    endpoints: [{ ...endpoint('cali1', '10.65.0.2'), ...(bandwidth && { bandwidth }) }],
  });
}

const ready = (dataplane: Dataplane): Promise<void> =>
  dataplane.endpointReady('cali1', [parseAddress('10.65.0.2')], NEVER);

const shaping = async ({ kernel }: FakeHost) =>
  new Map((await kernel.trafficControl.list()).map(({ device, ...rest }) => [device, rest]));

const BOTH = new Map([
  ['cali1', { bucket: { rate: 125_000, burst: 20_000, limit: 131_072 }, redirect: 'ovbw1' }],
  [
    'ovbw1',
    {
      bucket: {
        rate: 1_250_000,
        burst: 20_000,
        limit: 131_072,
        peak: { rate: 12_500_000, burst: 1418 },
      },
    },
  ],
]);

test('limits are there before the interface is up', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  host.kernel.operations.length = 0;
  await using dataplane = host.start();
  dataplane.setLocalState(stateWith({ ingress: SLOW, egress: FAST }));
  await ready(dataplane);
  expect(await shaping(host)).toEqual(BOTH);
  const { operations } = host.kernel;
  expect(operations.lastIndexOf('change link cali1')).toBeGreaterThan(
    operations.indexOf('redirect cali1 to ovbw1'),
  );
});

test('a change is made, a limit that is not wanted goes, and nothing is left of a workload that leaves', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  await using dataplane = host.start();
  dataplane.setLocalState(stateWith({ ingress: SLOW, egress: FAST }));
  await ready(dataplane);
  dataplane.setLocalState(stateWith({ egress: SLOW }));
  await ready(dataplane);
  expect(await shaping(host)).toEqual(
    new Map<string, object>([
      ['cali1', { redirect: 'ovbw1' }],
      ['ovbw1', { bucket: { rate: 125_000, burst: 20_000, limit: 131_072 } }],
    ]),
  );
  dataplane.setLocalState(stateWith(undefined));
  await ready(dataplane);
  expect(await shaping(host)).toEqual(new Map());
  expect(await host.kernel.links.get('ovbw1')).toBeUndefined();
  dataplane.setLocalState(stateWith({ egress: SLOW }));
  await ready(dataplane);
  dataplane.setLocalState(localState({ synced: false }));
  await host.kernel.links.remove('cali1');
  expect(await host.kernel.links.get('ovbw1')).toBeDefined();
  dataplane.setLocalState(localState({ synced: true }));
  await vi.waitFor(async () => expect(await host.kernel.links.get('ovbw1')).toBeUndefined());
});

test('a restart writes nothing', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  for (const isAgain of [false, true]) {
    host.kernel.operations.length = 0;
    await using dataplane = host.start();
    dataplane.setLocalState(stateWith({ ingress: SLOW, egress: FAST }));
    await ready(dataplane);
    if (isAgain) expect(host.kernel.operations).toEqual([]);
  }
});

test('what somebody else does to the limits is undone', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  await using dataplane = host.start();
  dataplane.setLocalState(stateWith({ ingress: SLOW, egress: FAST }));
  await ready(dataplane);
  const { trafficControl, links } = host.kernel;
  const undone = () =>
    vi.waitFor(async () => {
      expect(await shaping(host)).toEqual(BOTH);
      expect(await links.get('ovbw1')).toMatchObject({ up: true });
    });
  await trafficControl.unshape('cali1');
  await undone();
  await trafficControl.shape('ovbw1', { rate: 1, burst: 1500, limit: 1 });
  await undone();
  await trafficControl.unredirect('cali1');
  await undone();
  await links.set('ovbw1', { up: false });
  await undone();
  await links.remove('ovbw1');
  await undone();
});

test('what the kernel lacks keeps a new workload down, is named, and leaves one that is up alone', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  host.kernel.refuse = (operation) =>
    operation.startsWith('create ifb') ? 'EOPNOTSUPP' : undefined;
  await using dataplane = host.start();
  dataplane.setLocalState(stateWith({ egress: SLOW }));
  const failed = () =>
    vi.waitFor(() =>
      expect(dataplane.status().failures[0]).toMatchObject({
        what: 'bandwidth of cali1',
        reason: 'create ifb ovbw1: EOPNOTSUPP (refused by the test)',
      }),
    );
  await failed();
  expect(await host.kernel.links.get('cali1')).toMatchObject({ up: false });
  dataplane.setLocalState(stateWith(undefined));
  await ready(dataplane);
  expect(dataplane.status().failures).toEqual([]);
  dataplane.setLocalState(stateWith({ egress: SLOW }));
  await failed();
  expect(await host.kernel.links.get('cali1')).toMatchObject({ up: true });
  expect(dataplane.status().local).toMatchObject({
    waiting: ['cali1'],
    routes: { wanted: 1, programmed: 1 },
  });
  host.kernel.refuse = () => undefined;
  await ready(dataplane);
});

test('a link of another kind under our name is left alone', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  await plug(host, 'ovbw1');
  await using dataplane = host.start();
  dataplane.setLocalState(stateWith({ egress: SLOW }));
  await vi.waitFor(() =>
    expect(dataplane.status().failures[0]?.reason).toBe(
      'create ifb ovbw1: EEXIST (ovbw1 is a veth)',
    ),
  );
  expect(await shaping(host)).toEqual(new Map());
});
