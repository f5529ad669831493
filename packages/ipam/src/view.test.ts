import type { Change, Entry, Revision } from '@overland/datastore';
import { affinityKey, IPAM_CONFIG_KEY, resourceKey } from '@overland/model';
import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { IpamView } from './view.ts';

const cidr = parsePrefix('10.65.0.0/26');

function put(key: string, value: string): Change {
  return { type: 'put', entry: { key, value, revision: '1' as Revision } satisfies Entry };
}

const claim = (node: string, state: string): Change =>
  put(affinityKey({ type: 'host', name: node }, cidr), `{"state":"${state}"}`);
const release = (node: string): Change => ({
  type: 'delete',
  key: affinityKey({ type: 'host', name: node }, cidr),
  revision: '2' as Revision,
});
const pool = (name: string, spec: Record<string, unknown>): Change =>
  put(
    resourceKey('IPPool', { name }),
    JSON.stringify({
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name },
      spec,
    }),
  );

function keyOf(change: Change): string {
  if (change.type === 'put') return change.entry.key;
  return change.type === 'delete' ? change.key : '';
}

/** A view that has seen these changes, and then that this is all. */
async function viewOf(...changes: Change[]): Promise<IpamView> {
  const view = new IpamView('host11');
  await view.follow(async function* (prefix) {
    for (const change of changes) {
      if (keyOf(change).startsWith(prefix)) yield change;
    }
    yield { type: 'synced', revision: '9' as Revision };
  });
  await view.synced;
  return view;
}

test('the winner of a block stays its owner while the loser comes and goes', async () => {
  const history = [claim('host12', 'confirmed'), claim('host11', 'pending'), release('host11')];
  expect((await viewOf(...history)).claims.ownerOf(cidr)).toBe('host12');
});

test('a loser that was first gives way to the winner', async () => {
  const history = [claim('host11', 'pending'), claim('host12', 'confirmed'), release('host11')];
  const { claims } = await viewOf(...history);
  expect(claims.ownerOf(cidr)).toBe('host12');
  expect(claims.own().size).toBe(0);
});

test('a block that was given up is free again', async () => {
  const { claims } = await viewOf(claim('host12', 'confirmed'), release('host12'));
  expect(claims.ownerOf(cidr)).toBeUndefined();
  expect(claims.size).toBe(0);
});

test('a claim in a state we do not know is a claim', async () => {
  const { claims } = await viewOf(claim('host12', 'fromTheFuture'));
  expect(claims.ownerOf(cidr)).toBe('host12');
});

test('finds the block of an address without a pool', async () => {
  const { claims } = await viewOf(claim('host12', 'confirmed'));
  expect(claims.blockOf(parseAddress('10.65.0.63'))).toBe(cidr);
  expect(claims.blockOf(parseAddress('10.65.0.64'))).toBeUndefined();
});

test('knows the families that give addresses without being asked by name', async () => {
  const view = await viewOf(
    pool('six', { cidr: 'fd00:65::/48' }),
    pool('four', { cidr: '10.65.0.0/16' }),
  );
  expect(view.families()).toEqual(['ipv4', 'ipv6']);
  const off = { cidr: '10.65.0.0/16', disabled: true };
  expect((await viewOf(pool('four', off))).families()).toEqual([]);
});

test('what is broken is kept apart, and breaks nothing else', async () => {
  const node = resourceKey('Node', { name: 'host11' });
  const broken = resourceKey('IPPool', { name: 'broken' });
  const view = await viewOf(
    put(broken, '{'),
    put(node, '{'),
    put(IPAM_CONFIG_KEY, '{'),
    pool('four', { cidr: '10.65.0.0/16' }),
  );
  expect(view.pools()).toMatchObject([
    { name: 'broken', fault: 'it is not JSON' },
    { name: 'four' },
  ]);
  expect(view.nodeLabels()).toEqual({});
  expect(() => view.config()).toThrow('IPAM configuration is not JSON');
});

test('reads the labels of its own node only', async () => {
  const node = (name: string, rack: string): Change =>
    put(
      resourceKey('Node', { name }),
      JSON.stringify({ kind: 'Node', metadata: { name, labels: { rack } } }),
    );
  const view = await viewOf(node('host11', '1'), node('host110', '2'));
  expect(view.nodeLabels()).toEqual({ rack: '1' });
});
