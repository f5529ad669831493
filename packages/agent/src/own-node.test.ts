import { MemoryDatastore, MemoryStore } from '@overland/datastore';
import { hostClaimKey, resourceKey } from '@overland/model';
import { parseAsn } from '@overland/net';
import { expect, test } from 'vitest';
import { claimNodeName, NodeNameTakenError } from './host-claim.ts';
import { type OwnNode, writeOwnNode } from './own-node.ts';

const OWN: OwnNode = {
  name: 'host11',
  asNumber: parseAsn(65101),
  ipv4: '10.0.0.11/32',
  ipv6: undefined,
  labels: { rack: '1' },
};
const KEY = resourceKey('Node', { name: 'host11' });

async function storedNode(datastore: MemoryDatastore): Promise<unknown> {
  return JSON.parse((await datastore.get(KEY))?.value ?? 'null');
}

test('the own Node is created once, and written again only when something changes', async () => {
  await using datastore = new MemoryDatastore(new MemoryStore());
  await writeOwnNode(datastore, OWN);
  const first = await datastore.get(KEY);
  expect(JSON.parse(first?.value ?? '')).toMatchObject({
    kind: 'Node',
    metadata: { name: 'host11', uid: expect.any(String), labels: { rack: '1' } },
    spec: {
      bgp: { asNumber: 65101, ipv4Address: '10.0.0.11/32' },
      addresses: [{ address: '10.0.0.11/32' }],
    },
  });
  await writeOwnNode(datastore, OWN);
  expect((await datastore.get(KEY))?.revision).toBe(first?.revision);
});

test('what others wrote stays: labels, fields we do not know, an address we cannot see now', async () => {
  await using datastore = new MemoryDatastore(new MemoryStore());
  const value = JSON.stringify({
    apiVersion: 'projectcalico.org/v3',
    kind: 'Node',
    metadata: { name: 'host11', uid: 'u', labels: { zone: 'a', rack: '9' } },
    spec: {
      bgp: { ipv6Address: 'fd00::11/128', ipv4Address: '192.0.2.1/24', future: 1 },
      addresses: [{ address: '192.0.2.1', type: 'InternalIP' }],
    },
  });
  await datastore.transact({ conditions: [], operations: [{ type: 'put', key: KEY, value }] });
  await writeOwnNode(datastore, OWN);
  expect(await storedNode(datastore)).toMatchObject({
    metadata: { uid: 'u', labels: { zone: 'a', rack: '1' } },
    spec: {
      bgp: { ipv6Address: 'fd00::11/128', ipv4Address: '10.0.0.11/32', asNumber: 65101, future: 1 },
      addresses: [{ address: '10.0.0.11/32' }, { address: 'fd00::11/128' }, { type: 'InternalIP' }],
    },
  });
  await writeOwnNode(datastore, { ...OWN, ipv6: null });
  expect(await storedNode(datastore)).not.toHaveProperty('spec.bgp.ipv6Address');
});

test('a node name belongs to the host that claimed it first', async () => {
  await using datastore = new MemoryDatastore(new MemoryStore());
  await claimNodeName(datastore, 'host11', { uuid: 'a', hostname: 'one' });
  await claimNodeName(datastore, 'host11', { uuid: 'a', hostname: 'one' });
  const refusal = await claimNodeName(datastore, 'host11', { uuid: 'b', hostname: 'two' }).catch(
    (error: unknown) => error,
  );
  expect(refusal).toBeInstanceOf(NodeNameTakenError);
  expect((refusal as Error).message).toContain(
    'belongs to another host, one (id a; this host is two, id b)',
  );
  expect(JSON.parse((await datastore.get(hostClaimKey('host11')))?.value ?? '')).toMatchObject({
    uuid: 'a',
  });
});
