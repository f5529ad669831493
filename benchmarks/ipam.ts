import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Datastore, openDatastore } from '@overland/datastore';
import { IPAM_CONFIG_KEY, resourceKey } from '@overland/model';
import { compareRates } from './ipam/compare-rates.ts';
import { costAmong } from './ipam/cost-among.ts';
import { startEtcd } from './ipam/etcd.ts';
import { BLOCK_LENGTH, ENDPOINT, OTHERS, OWN } from './ipam/setting.ts';

// How many addresses per second hosts assign from blocks they own, beside a minimal client that writes the same values in
// transactions under other keys of the same etcd, as many at a time, from as many processes, in the same run; and what a
// large cluster costs. Each host is a process of its own, and its minimal client is in it. Rounds alternate; medians.
//   node --conditions=@overland/source benchmarks/ipam.ts [ASSIGNMENTS [ROUNDS]]
// It starts an etcd of its own (Debian: etcd-server), with its data in /tmp, and syncs it as etcd does.

const ASSIGNMENTS = Number(process.argv[2] ?? 3840);
const ROUNDS = Number(process.argv[3] ?? 5);
const IN_FLIGHT = 16;

async function putResource(store: Datastore, name: string, spec: object): Promise<void> {
  const object = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name }, spec };
  const key = resourceKey('IPPool', { name });
  const operation = { type: 'put', key, value: JSON.stringify(object) } as const;
  await store.transact({ conditions: [], operations: [operation] });
}

const directory = mkdtempSync(join(tmpdir(), 'overland-bench-'));
try {
  await using etcd = await startEtcd(directory);
  await using store = await openDatastore({
    type: 'etcd',
    endpoints: [ENDPOINT],
    deadlineMs: 20_000,
  });
  await store.get('/');
  const config = { strict_affinity: true, auto_allocate_blocks: true, maxBlocksPerHost: 1000 };
  const key = IPAM_CONFIG_KEY;
  const operation = { type: 'put', key, value: JSON.stringify(config) } as const;
  await store.transact({ conditions: [], operations: [operation] });
  await putResource(store, 'own', { cidr: OWN, blockSize: BLOCK_LENGTH });
  await putResource(store, 'others', {
    cidr: OTHERS,
    blockSize: BLOCK_LENGTH,
    nodeSelector: "role == 'other'",
  });
  const common = { assignments: ASSIGNMENTS, rounds: ROUNDS, etcdPid: etcd.pid };
  console.table([
    ...(await compareRates(store, { ...common, hosts: 1, lanes: IN_FLIGHT })),
    ...(await compareRates(store, { ...common, hosts: IN_FLIGHT, lanes: 1 })),
  ]);
  console.table([await costAmong(store, 10), await costAmong(store, 5000)]);
} finally {
  rmSync(directory, { recursive: true });
}
