import { type Datastore, MemoryDatastore, ResourceClient } from '@overland/datastore';
import {
  affinityPrefix,
  blockPrefix,
  HANDLE_PREFIX,
  parseManifest,
  resourceKey,
} from '@overland/model';
import { describe, expect, test } from 'vitest';
import { frozenView } from '../../test/ipam-world.ts';
import { createIpam } from '../ipam.ts';
import { deleteNode } from './delete-node.ts';
import { deletePool } from './delete-pool.ts';
import type { Removal } from './removal.ts';

const now = () => new Date(0);

/** Two hosts with a workload each, and everything that names them. */
async function fabric(): Promise<MemoryDatastore> {
  const datastore = new MemoryDatastore();
  const client = new ResourceClient(datastore);
  const create = (kind: string, metadata: object, spec: object) =>
    client.create(parseManifest({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec }));
  await create('IPPool', { name: 'rack1' }, { cidr: '10.65.0.0/24', blockSize: 28 });
  await create(
    'IPPool',
    { name: 'rack2' },
    { cidr: '10.66.0.0/24', blockSize: 28, disabled: true },
  );
  for (const node of ['host11', 'host12']) {
    await create('Node', { name: node }, { bgp: { ipv4Address: '10.0.0.1/31' } });
    const ipam = createIpam({ datastore, node, view: await frozenView(node, datastore), now });
    const assign = (handle: string, attributes: Record<string, string>) =>
      ipam.assign({ handle, families: ['ipv4'], attributes });
    const { addresses } = await assign(`net.${node}`, { node });
    await assign(`tunnel.${node}`, { node, type: 'ipipTunnelAddress' });
    await create(
      'WorkloadEndpoint',
      { name: `${node}-cni-c1-eth0`, namespace: 'shop' },
      {
        orchestrator: 'cni',
        node,
        containerID: 'c1',
        endpoint: 'eth0',
        ipNetworks: addresses.map((address) => `${address}/32`),
      },
    );
    await create('BGPPeer', { name: `of-${node}` }, { node, peerIP: '10.0.0.9', asNumber: 65_011 });
    await create('BGPConfiguration', { name: `node.${node}` }, { logSeverityScreen: 'Debug' });
    await create('FelixConfiguration', { name: `node.${node}` }, { logSeverityScreen: 'Debug' });
    await create('HostEndpoint', { name: `${node}-eth0` }, { node, interfaceName: 'eth0' });
    await datastore.transact({
      conditions: [],
      operations: [{ type: 'put', key: `/calico/ipam/v2/host/${node}`, value: '' }],
    });
  }
  await create('BGPPeer', { name: 'of-all' }, { peerIP: '10.0.0.8', asNumber: 65_010 });
  return datastore;
}

/** All keys but the marks of ours beside objects. */
async function keys(datastore: Datastore): Promise<string[]> {
  const { entries } = await datastore.list('/calico/');
  return entries.map(({ key }) => key);
}

function line(removal: Removal): string {
  switch (removal.type) {
    case 'addresses':
      return `addresses ${removal.addresses.join(' ')}`;
    case 'object':
      return `${removal.kind} ${removal.name.name}`;
    case 'block':
      return `block ${removal.cidr} ${removal.outcome}`;
    case 'disabled':
    case 'unreadable':
      return removal.type;
  }
}

async function lines(removals: AsyncIterable<Removal>): Promise<string[]> {
  const found: string[] = [];
  for await (const removal of removals) found.push(line(removal));
  return found;
}

class Crash extends Error {}

/** The datastore of a process that dies before, or right after, its write number `at`. */
function mortal(datastore: Datastore, at: number, isAfter: boolean): Datastore {
  let writes = 0;
  return new Proxy(datastore, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'transact') return value.bind(target) as unknown;
      return async (...args: unknown[]) => {
        const dies = writes++ === at;
        if (dies && !isAfter) throw new Crash();
        const revision: unknown = await Reflect.apply(value, target, args);
        if (dies) throw new Crash();
        return revision;
      };
    },
  });
}

/** Interrupts `work` before and after each of its writes; afterwards it is done again, and must end alike. */
async function interruptEverywhere(
  work: (datastore: Datastore) => AsyncIterable<Removal>,
  check: (datastore: Datastore, isFinished: boolean) => Promise<void>,
): Promise<number> {
  const whole = await fabric();
  await lines(work(whole));
  const expected = await keys(whole);
  for (let at = 0; ; at++) {
    let isThrough = false;
    for (const isAfter of [false, true]) {
      const datastore = await fabric();
      try {
        await lines(work(mortal(datastore, at, isAfter)));
        isThrough = true;
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        await check(datastore, false);
        await lines(work(datastore)).catch((notFound: unknown) => {
          // It died with the answer to its last write.
          expect(notFound).toMatchObject({ name: 'ResourceNotFoundError' });
        });
      }
      await check(datastore, true);
      expect(await keys(datastore)).toEqual(expected);
    }
    if (isThrough) return at;
  }
}

describe('a Node', () => {
  test('takes along what is of it, and nothing else', async () => {
    const datastore = await fabric();
    const others = (await keys(datastore)).filter((key) => !key.includes('host11'));
    expect(await lines(deleteNode({ datastore, now }, 'host11'))).toEqual([
      expect.stringMatching(/^addresses 10\.65\.0\.\d+ 10\.65\.0\.\d+$/),
      'WorkloadEndpoint host11-cni-c1-eth0',
      expect.stringMatching(/^block 10\.65\.0\.\d+\/28 deleted$/),
      'BGPPeer of-host11',
      'HostEndpoint host11-eth0',
      'BGPConfiguration node.host11',
      'FelixConfiguration node.host11',
    ]);
    const left = await keys(datastore);
    expect(left.filter((key) => key.includes('host11'))).toEqual([]);
    // The blocks are named by their prefix: one is gone.
    expect(left.filter((key) => !key.startsWith(blockPrefix()))).toEqual(
      others.filter((key) => !key.startsWith(blockPrefix())),
    );
    expect(left.filter((key) => key.startsWith(blockPrefix()))).toHaveLength(1);
    expect(left.filter((key) => key.startsWith(HANDLE_PREFIX))).toHaveLength(2);
  });

  test('does not take an address that is recorded for another node', async () => {
    const datastore = await fabric();
    const client = new ResourceClient(datastore);
    const [other] = (await client.list('WorkloadEndpoint')).resources.filter(
      ({ spec }) => spec.node === 'host12',
    );
    // An endpoint of old that names an address which is host12's by now.
    await client.modify(
      'WorkloadEndpoint',
      { name: 'host11-cni-c1-eth0', namespace: 'shop' },
      (mine) => ({
        ...mine,
        spec: { ...mine.spec, ipNetworks: other?.spec.ipNetworks ?? [] },
      }),
    );
    const blocks = async () =>
      (await client.list('IPAMBlock')).resources.map(({ spec }) => spec.affinity);
    await lines(deleteNode({ datastore, now }, 'host11'));
    expect(await blocks()).toEqual(['host:host12']);
    expect(
      (await client.list('IPAMHandle')).resources.map(({ metadata }) => metadata.name),
    ).toEqual(['net.host12', 'tunnel.host12']);
  });

  test('that cannot be read takes along as much', async () => {
    const datastore = await fabric();
    const key = resourceKey('Node', { name: 'host11' });
    await datastore.transact({
      conditions: [],
      operations: [{ type: 'put', key, value: '{"spec":7}' }],
    });
    expect(await lines(deleteNode({ datastore, now }, 'host11'))).toHaveLength(7);
    expect((await keys(datastore)).filter((each) => each.includes('host11'))).toEqual([]);
  });

  test('of another version, or none at all, is left alone', async () => {
    const datastore = await fabric();
    const before = await keys(datastore);
    const old = lines(deleteNode({ datastore, now }, 'host11', '1'));
    await expect(old).rejects.toMatchObject({ name: 'ResourceConflictError', expected: '1' });
    const none = lines(deleteNode({ datastore, now }, 'host13'));
    await expect(none).rejects.toMatchObject({ name: 'ResourceNotFoundError' });
    expect(await keys(datastore)).toEqual(before);
  });

  test('that was interrupted anywhere stands until all else is gone, and goes with the next try', async () => {
    const nodeKey = resourceKey('Node', { name: 'host11' });
    const steps = await interruptEverywhere(
      (datastore) => deleteNode({ datastore, now }, 'host11'),
      async (datastore) => {
        const left = (await keys(datastore)).filter((key) => key.includes('host11'));
        if (left.length > 0) expect(left).toContain(nodeKey);
      },
    );
    expect(steps).toBeGreaterThan(7);
  });
});

describe('an IPPool', () => {
  test('gives up the blocks of all hosts; those in use stay without an owner', async () => {
    const datastore = await fabric();
    const blocks = await lines(deletePool({ datastore, now }, 'rack1'));
    expect(blocks).toEqual([
      'disabled',
      expect.stringMatching(/^block 10\.65\.0\.\d+\/28 ownerless$/),
      expect.stringMatching(/^block 10\.65\.0\.\d+\/28 ownerless$/),
    ]);
    const left = await keys(datastore);
    expect(
      left.filter((key) => key.startsWith(affinityPrefix('host')) && key.includes('block')),
    ).toEqual([]);
    expect(left).not.toContain(resourceKey('IPPool', { name: 'rack1' }));
    expect(left).toContain(resourceKey('IPPool', { name: 'rack2' }));
  });

  test('a block that is claimed after the pool was looked through is given up, too', async () => {
    const datastore = await fabric();
    const view = await frozenView('host13', datastore);
    const late = createIpam({ datastore, node: 'host13', view, now });
    const seen: string[] = [];
    for await (const removal of deletePool({ datastore, now }, 'rack1')) {
      seen.push(line(removal));
      // A host that has not heard of anything, between one step and the next.
      if (seen.length === 3) await late.ensureBlock('ipv4');
    }
    expect(seen.filter((text) => text.endsWith('deleted'))).toHaveLength(1);
    expect(await datastore.list(affinityPrefix('host', 'host13'))).toMatchObject({ entries: [] });
  });

  test('that is changed meanwhile stays', async () => {
    const datastore = await fabric();
    const client = new ResourceClient(datastore);
    const work = (async () => {
      for await (const removal of deletePool({ datastore, now }, 'rack1')) {
        if (removal.type !== 'disabled') continue;
        await client.modify('IPPool', { name: 'rack1' }, (pool) => ({
          ...pool,
          spec: { ...pool.spec, disabled: false },
        }));
      }
    })();
    await expect(work).rejects.toMatchObject({ name: 'ResourceConflictError' });
    expect((await client.get('IPPool', { name: 'rack1' }))?.spec.disabled).toBe(false);
  });

  test('that cannot be read goes alone', async () => {
    const datastore = await fabric();
    const key = resourceKey('IPPool', { name: 'rack1' });
    const operation = { type: 'put', key, value: '{"metadata":{"name":"rack1"}}' } as const;
    await datastore.transact({ conditions: [], operations: [operation] });
    expect(await lines(deletePool({ datastore, now }, 'rack1'))).toEqual(['unreadable']);
    expect(await keys(datastore)).not.toContain(key);
  });

  test('that was interrupted anywhere is disabled, and goes with the next try', async () => {
    const steps = await interruptEverywhere(
      (datastore) => deletePool({ datastore, now }, 'rack1'),
      async (datastore, isFinished) => {
        const claims = (await keys(datastore)).filter(
          (key) => key.startsWith(affinityPrefix('host')) && key.includes('/block/'),
        );
        const pool = await new ResourceClient(datastore).get('IPPool', { name: 'rack1' });
        if (isFinished) expect(pool).toBeUndefined();
        // Whoever finds no pool finds no claim either.
        if (!pool) expect(claims).toEqual([]);
      },
    );
    expect(steps).toBeGreaterThan(3);
  });
});
