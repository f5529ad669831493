import { expect, test } from 'vitest';
import { carryOver } from './carry-over.ts';
import { isJsonObject } from './json.ts';
import { readResource } from './read-resource.ts';

const STORED = {
  kind: 'BGPPeer',
  apiVersion: 'projectcalico.org/v3',
  metadata: { name: 'leaf11', uid: '6f0c', creationTimestamp: null, annotations: { a: 'b' } },
  spec: {
    peerIP: '10.0.0.1',
    asNumber: '1.10',
    node: null,
    fromTheFuture: { deep: [1, null] },
    password: { secretKeyRef: { name: 's', key: 'k', later: true } },
  },
  futureStatus: null,
};

/** Reads, applies `change` to the spec, and returns what would be stored. */
function update(change: (spec: Record<string, unknown>) => Record<string, unknown>): unknown {
  const before = readResource('BGPPeer', STORED);
  if (!isJsonObject(before.spec)) throw new Error('no spec');
  return carryOver('BGPPeer', STORED, before, { ...before, spec: change({ ...before.spec }) });
}

test('readers see parsed scalars, no nulls, defaults, and what we do not know', () => {
  const { metadata, spec } = readResource('BGPPeer', STORED);
  expect(metadata).toEqual({ name: 'leaf11', uid: '6f0c', annotations: { a: 'b' } });
  expect(spec).toEqual({
    peerIP: '10.0.0.1',
    asNumber: 65546,
    sourceAddress: 'UseNodeIP',
    reversePeering: 'Auto',
    fromTheFuture: { deep: [1, null] },
    password: { secretKeyRef: { name: 's', key: 'k', later: true } },
  });
});

test('a generation that no number can hold is read, and stays', () => {
  const stored = { ...STORED, metadata: { ...STORED.metadata, generation: 2n ** 62n } };
  const before = readResource('BGPPeer', stored);
  const after = { ...before, spec: { ...before.spec, peerIP: '10.0.0.2' } };
  expect(carryOver('BGPPeer', stored, before, after)).toMatchObject({
    metadata: { generation: 2n ** 62n },
    spec: { peerIP: '10.0.0.2' },
  });
});

test('an update without a change stores the very same data', () => {
  expect(update((spec) => spec)).toEqual(STORED);
});

test('a changed field changes alone', () => {
  expect(update((spec) => ({ ...spec, asNumber: 65000 }))).toEqual({
    ...STORED,
    spec: { ...STORED.spec, asNumber: 65000 },
  });
});

test('a known field that is left out goes, an unknown one stays', () => {
  expect(update(() => ({ asNumber: 65546 }))).toEqual({
    ...STORED,
    spec: { asNumber: '1.10', node: null, fromTheFuture: { deep: [1, null] } },
  });
});

test('unknown fields inside a changed object stay', () => {
  const password = { secretKeyRef: { name: 'other', key: 'k' } };
  expect(update((spec) => ({ ...spec, password }))).toMatchObject({
    spec: { password: { secretKeyRef: { name: 'other', key: 'k', later: true } } },
  });
});

test('items of lists keep what we do not know, moved or not', () => {
  const stored = {
    kind: 'Node',
    apiVersion: 'projectcalico.org/v3',
    metadata: { name: 'n' },
    spec: {
      addresses: [
        { address: '10.0.0.1', type: 'InternalIP', zone: 'a' },
        { address: '10.0.0.2', zone: 'b' },
      ],
    },
  };
  const before = readResource('Node', stored);
  const [first, second] = before.spec.addresses ?? [];
  if (!first || !second) throw new Error('two addresses were stored');
  const after = { ...before, spec: { addresses: [second, { address: first.address }] } };
  expect(carryOver('Node', stored, before, after)).toMatchObject({
    spec: { addresses: [{ address: '10.0.0.2', zone: 'b' }, { address: '10.0.0.1' }] },
  });
});
