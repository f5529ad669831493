import { PROTOCOL } from '@overland/linux';
import { parseAddress, parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { endpoint, type FakeHost, fakeHost, forwarding, localState } from '../../test/fake-host.ts';
import { systemClock } from './clock.ts';
import type { Dataplane } from './dataplane.ts';
import { NftPolicy } from './nftables/nft-policy.ts';

const NEVER = new AbortController().signal;
const CONTAINER = '/run/netns/container';

/** Makes the veth of a workload, its far end up, as `workloads` does. */
async function plug({ kernel }: FakeHost, name: string): Promise<void> {
  const container = kernel.addNamespace(`${CONTAINER}-${name}`);
  await kernel.links.createVeth({
    name,
    mtu: 1500,
    peer: { name: 'eth0', namespace: `${CONTAINER}-${name}` },
  });
  await container.links.set('eth0', { up: true });
}

const allowed = ({ nftables }: FakeHost): string[] =>
  [
    ...(nftables.content.get('inet overland')?.sets.get('from-workloads')?.elements.keys() ?? []),
  ].toSorted();

const local = ({ kernel }: FakeHost): Promise<string[]> => forwarding(kernel, PROTOCOL.local);

const ready = (dataplane: Dataplane, name: string, ...addresses: string[]): Promise<void> =>
  dataplane.endpointReady(name, addresses.map(parseAddress), NEVER);

test('settings and address, then the filter, then up, then the route', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  host.kernel.settings.set('net.ipv4.conf.cali1.proxy_arp', '0');
  host.kernel.operations.length = 0;
  await using dataplane = host.start();
  const isAllowedAt: Record<string, boolean> = {};
  host.kernel.refuse = (operation) => {
    isAllowedAt[operation] = allowed(host).includes('cali1');
    return undefined;
  };
  dataplane.setLocalState(localState({ endpoints: [endpoint('cali1', '10.65.0.2')] }));
  await ready(dataplane, 'cali1', '10.65.0.2');

  expect(host.kernel.operations.map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
    'set sysctl',
    'add 169.254.1.1/32',
    'change link',
    'change link',
    'replace route',
  ]);
  expect(Object.values(isAllowedAt)).not.toContain(false);
  expect(await local(host)).toEqual([
    '10.65.0.2/32 metric 512 src 10.0.0.11 to {"type":"device","device":"cali1"}',
  ]);
  expect(await host.kernel.links.get('cali1')).toMatchObject({ up: true, mtu: 1400 });
});

test('an endpoint is not ready for an address it does not have yet, nor before its interface is there', async () => {
  const host = await fakeHost();
  await using dataplane = host.start();
  dataplane.setLocalState(localState({ endpoints: [endpoint('cali1', '10.65.0.2')] }));
  const settled: string[] = [];
  const first = ready(dataplane, 'cali1', '10.65.0.2').then(() => settled.push('first'));
  const second = ready(dataplane, 'cali1', '10.65.0.3').then(() => settled.push('second'));
  await vi.waitFor(() => expect(dataplane.status().local.waiting).toEqual(['cali1']));
  expect(settled).toEqual([]);
  await plug(host, 'cali1');
  await first;
  expect(settled).toEqual(['first']);
  dataplane.setLocalState(localState({ endpoints: [endpoint('cali1', '10.65.0.3')] }));
  await second;
  expect((await local(host)).map((line) => line.split(' ')[0])).toEqual(['10.65.0.3/32']);
});

test('waiting ends with its signal', async () => {
  const host = await fakeHost();
  await using dataplane = host.start();
  const stop = new AbortController();
  const waiting = dataplane.endpointReady('cali1', [], stop.signal);
  stop.abort(new Error('deadline'));
  await expect(waiting).rejects.toThrow('deadline');
  await expect(dataplane.endpointReady('cali1', [], stop.signal)).rejects.toThrow('deadline');
});

test('nothing is removed before the datastore is in sync', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  {
    await using dataplane = host.start();
    dataplane.setLocalState(
      localState({ endpoints: [endpoint('cali1', '10.65.0.2')], blackholes: ['10.65.0.0/26'] }),
    );
    await ready(dataplane, 'cali1', '10.65.0.2');
  }
  const before = await local(host);
  await using dataplane = host.start();
  dataplane.setLocalState(localState({ synced: false, blackholes: ['10.65.9.0/26'] }));
  await vi.waitFor(async () => expect(await local(host)).toHaveLength(3));
  expect(await local(host)).toEqual(expect.arrayContaining(before));
  expect(allowed(host)).toEqual(['cali1']);

  dataplane.setLocalState(localState({ blackholes: ['10.65.9.0/26'] }));
  await vi.waitFor(async () => expect(await local(host)).toHaveLength(1));
  await vi.waitFor(() => expect(allowed(host)).toEqual([]));
});

test('a restart changes nothing, not even the packet filter', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  const state = localState({
    endpoints: [endpoint('cali1', '10.65.0.2')],
    blackholes: ['10.65.0.0/26'],
  });
  const run = async (): Promise<void> => {
    await using dataplane = host.start();
    dataplane.setLocalState(state);
    await ready(dataplane, 'cali1', '10.65.0.2');
    await vi.waitFor(() => expect(dataplane.status().local.routes.programmed).toBe(2));
  };
  await run();
  host.kernel.operations.length = 0;
  const { writes } = host.nftables;
  await run();
  expect(host.kernel.operations).toEqual([]);
  expect(host.nftables.writes).toBe(writes);
});

test('drift of any kind is repaired', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  await using dataplane = host.start();
  dataplane.setLocalState(
    localState({ endpoints: [endpoint('cali1', '10.65.0.2')], blackholes: ['10.65.0.0/26'] }),
  );
  await ready(dataplane, 'cali1', '10.65.0.2');
  const before = await local(host);
  const table = host.nftables.content.get('inet overland');
  const repaired = () =>
    vi.waitFor(async () => {
      expect(await local(host)).toEqual(before);
      expect(await host.kernel.links.get('cali1')).toMatchObject({ up: true });
      expect(await host.kernel.links.addresses('cali1')).toHaveLength(1);
      expect(host.nftables.content.get('inet overland')).toEqual(table);
    });

  await host.kernel.links.set('cali1', { up: false });
  await repaired();
  const gateway = { address: parseAddress('169.254.1.1'), length: 32 };
  await host.kernel.links.removeAddress('cali1', gateway);
  await repaired();
  const destination = parsePrefix('10.65.0.0/26');
  const block = { destination, metric: 512, protocol: PROTOCOL.local } as const;
  await host.kernel.routes.remove([{ ...block, target: { type: 'blackhole' } }]);
  await repaired();
  await host.kernel.routes.replace([{ ...block, target: { type: 'device', device: 'eth1' } }]);
  await repaired();
  host.nftables.content.clear();
  host.nftables.tellForeignChange('inet overland');
  await repaired();
  host.nftables.content.set('inet overland', {
    dormant: false,
    chains: new Map(),
    sets: new Map(),
  });
  host.nftables.tellForeignChange(undefined);
  await repaired();
});

test('one interface that cannot be set up does not stop the others', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  await plug(host, 'cali2');
  host.kernel.refuse = (text) =>
    text.startsWith('add 169.254.1.1/32') && text.includes('cali1') ? 'EPERM' : undefined;
  await using dataplane = host.start();
  dataplane.setLocalState(
    localState({ endpoints: [endpoint('cali1', '10.65.0.2'), endpoint('cali2', '10.65.0.3')] }),
  );
  await ready(dataplane, 'cali2', '10.65.0.3');
  expect(await host.kernel.links.get('cali1')).toMatchObject({ up: false });
  expect(dataplane.status().failures[0]).toMatchObject({ what: 'interface cali1' });
  host.kernel.refuse = () => undefined;
  await ready(dataplane, 'cali1', '10.65.0.2');
});

test('while the packet filter cannot be written, no interface comes up', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  const broken = { ...host.nftables, transact: () => Promise.reject(new Error('no nft')) };
  await using dataplane = host.start({ nftables: broken });
  dataplane.setLocalState(localState({ endpoints: [endpoint('cali1', '10.65.0.2')] }));
  await vi.waitFor(() =>
    expect(dataplane.status().failures).toEqual([
      { what: 'packet filter', attempts: 1, reason: 'no nft' },
    ]),
  );
  expect(await host.kernel.links.get('cali1')).toMatchObject({ up: false });
});

test('a change that comes while policy is written is told to it afterwards', async () => {
  const host = await fakeHost();
  await plug(host, 'cali1');
  const { nftables } = host;
  const policy = new NftPolicy({ nftables, clock: systemClock, log: pino({ level: 'silent' }) });
  const seen: string[] = [];
  const accept = policy.accept.bind(policy);
  policy.accept = (change) => {
    seen.push(`told ${[...change.endpoints.keys()]}`);
    accept(change);
  };
  const reconcile = policy.reconcile.bind(policy);
  policy.reconcile = async () => {
    seen.push('begin');
    if (!seen.includes('end')) {
      dataplane.setLocalState(localState({ endpoints: [endpoint('cali1', '10.65.0.2')] }));
    }
    const hasWritten = await reconcile();
    seen.push('end');
    return hasWritten;
  };
  await using dataplane = host.start({ policy });
  await ready(dataplane, 'cali1', '10.65.0.2');
  expect(seen.slice(0, 5)).toEqual(['begin', 'end', 'told cali1', 'begin', 'end']);
});

test('from any set of endpoints to any other, with interfaces that come and go', async () => {
  const names = ['cali1', 'cali2', 'cali3'] as const;
  const step = fc.record({
    plugged: fc.subarray([...names]),
    wanted: fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 2, max: 4 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const host = await fakeHost();
      await using dataplane = host.start();
      for (const { plugged, wanted } of steps) {
        for (const name of names) {
          const isThere = (await host.kernel.links.get(name)) !== undefined;
          if (isThere && !plugged.includes(name)) await host.kernel.links.remove(name);
          if (!isThere && plugged.includes(name)) {
            if (isNew(host, name)) await plug(host, name);
            else await replug(host, name);
          }
        }
        // Addresses differ between endpoints, as IPAM sees to.
        const endpoints = Object.entries(wanted).map(([name, last]) =>
          endpoint(name, `10.65.${name.at(-1)}.${last}`),
        );
        dataplane.setLocalState(localState({ endpoints }));
        const expected = endpoints
          .filter(({ interfaceName }) => plugged.includes(interfaceName as (typeof names)[number]))
          .map(
            ({ workloadAddresses, interfaceName }) => `${workloadAddresses[0]}/32 ${interfaceName}`,
          );
        await vi.waitFor(
          async () => {
            const lines = await local(host);
            const found = lines.map((line) => `${line.split(' ')[0]} ${/cali\d/.exec(line)?.[0]}`);
            expect(found.toSorted()).toEqual(expected.toSorted());
            expect(allowed(host)).toEqual(Object.keys(wanted).toSorted());
          },
          { timeout: 2000, interval: 2 },
        );
      }
    }),
    { numRuns: Number(process.env.FC_RUNS ?? 40) },
  );
}, 60_000);

function isNew({ kernel }: FakeHost, name: string): boolean {
  try {
    kernel.open(`${CONTAINER}-${name}`);
    return false;
  } catch {
    return true;
  }
}

async function replug({ kernel }: FakeHost, name: string): Promise<void> {
  const namespace = `${CONTAINER}-${name}`;
  await kernel.links.createVeth({ name, mtu: 1500, peer: { name: 'eth0', namespace } });
  await kernel.open(namespace).links.set('eth0', { up: true });
}
