import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { choosePools, type PoolRequest, poolOf, readPool } from './pool.ts';

const REFUSED = {
  conditions: [{ type: 'Allocatable', status: 'False', reason: 'Terminating' }],
};

function pool(
  name: string,
  spec: Record<string, unknown>,
  status?: Record<string, unknown>,
): ReturnType<typeof readPool> {
  const metadata = { name };
  const object = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata, spec, status };
  return readPool(name, JSON.stringify(object));
}

const pools = [
  pool('default', { cidr: '10.65.0.0/16' }),
  pool('off', { cidr: '10.66.0.0/16', disabled: true }),
  pool('rack1', { cidr: '10.67.0.0/16', nodeSelector: "rack == '1'" }),
  pool('manual', { cidr: '10.68.0.0/16', assignmentMode: 'Manual' }),
  pool('tunnels', { cidr: '10.69.0.0/16', allowedUses: ['Tunnel'] }),
  pool('blue', { cidr: '10.71.0.0/16', namespaceSelector: "team == 'blue'" }),
  pool('wrapped', { cidr: '10.72.0.0/16', ipipMode: 'Always' }),
  pool('leaving', { cidr: '10.73.0.0/16' }, REFUSED),
  pool('six', { cidr: 'fd00:65::/48', blockSize: 120 }),
];

function choose(
  named?: string[],
  nodeLabels = {},
  more: Partial<PoolRequest> = {},
): { eligible: string[]; passedOver: string[] } {
  const choice = choosePools(pools, {
    family: 'ipv4',
    use: 'Workload',
    nodeLabels,
    ...(named && { named }),
    ...more,
  });
  return {
    eligible: choice.eligible.map(({ name }) => name),
    passedOver: choice.verdicts.map(({ pool: name, reason }) => `${name} ${reason}`),
  };
}

test('takes enabled pools of the family that select the node, and says why not the others', () => {
  expect(choose()).toEqual({
    eligible: ['default'],
    passedOver: [
      'off is disabled',
      "rack1 does not select this node (rack == '1')",
      'manual gives only what is asked for by name',
      'tunnels is for Tunnel only',
      "blue does not select this namespace (team == 'blue')",
      'wrapped asks for encapsulation, which Overland does not make',
      'leaving is not allocatable (Terminating)',
    ],
  });
  expect(choose(undefined, { rack: '1' }).eligible).toEqual(['default', 'rack1']);
});

test('a pool asked for by name or range needs no selector and no automatic mode', () => {
  expect(choose(['10.67.0.0/16', 'manual'])).toMatchObject({ eligible: ['rack1', 'manual'] });
  expect(choose(['off', 'nowhere'])).toMatchObject({
    eligible: [],
    passedOver: expect.arrayContaining(['off is disabled', 'nowhere does not exist']),
  });
});

test('a use and a namespace choose their pools', () => {
  const labels = { team: 'blue' };
  expect(choose(undefined, {}, { namespaceLabels: labels }).eligible).toEqual(['default', 'blue']);
  expect(choose(undefined, {}, { use: 'Tunnel' }).eligible).toEqual(['default', 'tunnels']);
  expect(choose(undefined, {}, { use: 'LoadBalancer' }).eligible).toEqual([]);
});

test('a pool that cannot be read gives nothing and is named', () => {
  const broken = pool('broken', { cidr: '10.70.0.0/16', assignmentMode: 'Sometimes' });
  const { eligible, verdicts } = choosePools([broken], {
    family: 'ipv4',
    use: 'Workload',
    nodeLabels: {},
  });
  expect(eligible).toEqual([]);
  expect(verdicts).toMatchObject([
    { pool: 'broken', reason: expect.stringContaining('Sometimes') },
  ]);
});

test.each([{ ipipMode: 'Always' }, { vxlanMode: 'CrossSubnet' }])(
  'a pool with %j gives nothing, even if it is named, and says why',
  (modes) => {
    const tunnels = pool('tunnels', { cidr: '10.70.0.0/16', ...modes });
    for (const named of [undefined, ['tunnels']]) {
      const request = {
        family: 'ipv4',
        use: 'Workload',
        nodeLabels: {},
        ...(named && { named }),
      } as const;
      const { eligible, verdicts } = choosePools([tunnels], request);
      expect(eligible).toEqual([]);
      expect(verdicts).toMatchObject([
        { pool: 'tunnels', reason: expect.stringContaining('asks for encapsulation') },
      ]);
    }
  },
);

test('block sizes default by family', () => {
  expect(poolOf(pools, parseAddress('10.65.3.4'))).toMatchObject({ blockLength: 26 });
  expect(poolOf(pools, parseAddress('fd00:65::9'))).toMatchObject({ blockLength: 120 });
});
