import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdProcess } from '@overland/datastore/testing';
import { stringifyJson } from '@overland/model';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CapturedRun, captureRun } from '../../packages/cli/src/testing/captured-run.ts';

// Apply, diff and prune as a user has them, in this process, on real datastores.

let etcd: EtcdProcess;
let directory: string;

beforeAll(async () => {
  etcd = await EtcdProcess.start();
  directory = await mkdtemp(join(tmpdir(), 'overland-apply-'));
});
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function manifest(kind: string, name: string, spec: object, metadata: object = {}): string {
  const apiVersion = 'projectcalico.org/v3';
  return stringifyJson({ apiVersion, kind, metadata: { name, ...metadata }, spec });
}

const OURS = { labels: { app: 'shop' } };
const POOL = manifest('IPPool', 'rack1', { cidr: '10.65.0.0/16' }, OURS);
const TIER = manifest('Tier', 'security', { order: 10 }, OURS);
const POLICY = manifest(
  'NetworkPolicy',
  'security.web',
  { tier: 'security', selector: "app == 'web'", ingress: [{ action: 'Allow' }] },
  { namespace: 'shop', ...OURS },
);
const PEER = manifest('BGPPeer', 'leaf11', { peerIP: '10.0.0.1', asNumber: 65011 }, OURS);

describe.each(['etcd', 'sqlite'])('on %s', (type) => {
  let env: Record<string, string>;
  beforeEach(async () => {
    if (type === 'etcd') await etcd.clear();
    const fresh = await mkdtemp(join(directory, 'sqlite-'));
    env =
      type === 'etcd'
        ? { ETCD_ENDPOINTS: etcd.endpoint }
        : { OVERLAND_SQLITE_PATH: join(fresh, 'datastore.db') };
  });

  function overland(args: string, ...documents: string[]): Promise<CapturedRun> {
    const stdin = documents.join('\n---\n');
    return captureRun(args.split(' '), { env, workingDirectory: directory, stdin });
  }
  const names = async (kind: string): Promise<string> =>
    (await overland(`get ${kind} -A -o custom-columns=N:.metadata.name`)).out
      .split('\n')
      .slice(1, -1)
      .join(' ');

  test('a first write makes what every cluster has', async () => {
    expect((await overland('apply -f -', POOL)).code).toBe(0);
    expect(await names('tiers')).toBe('kube-admin default kube-baseline');
    const { out } = await overland('cluster info -o json');
    expect(JSON.parse(out)).toEqual({
      clusterGUID: expect.stringMatching(/^[0-9a-f]{32}$/),
      clusterType: 'overland,bgp',
      datastoreReady: true,
      calicoVersion: null,
      place: expect.any(String),
    });
    const guid = JSON.parse(out).clusterGUID as string;
    expect((await overland('cluster info')).out).toMatch(
      new RegExp(`^Cluster GUID +${guid}\nCluster type +overland,bgp\n`),
    );
    expect((await overland('version --cluster')).out).toContain(`cluster ${guid}`);
    expect((await overland('create -f -', PEER)).code).toBe(0);
    expect(JSON.parse((await overland('cluster info -o json')).out)).toMatchObject({
      clusterGUID: guid,
    });
  });

  test('a cluster that is none yet is not found; version asks only if told to', async () => {
    await overland('apply -f - --dry-run', POOL);
    const none = await overland('cluster info');
    if (type === 'etcd') {
      expect(none).toMatchObject({
        code: 3,
        err: expect.stringContaining('there is no cluster in'),
      });
    }
    env = type === 'etcd' ? { ...env, ETCD_ENDPOINTS: 'http://127.0.0.1:1' } : {};
    env = { ...env, OVERLAND_SQLITE_PATH: '/nowhere/datastore.db' };
    expect(await overland('cluster info')).toMatchObject({ code: 5, out: '' });
    expect(await overland('version')).toMatchObject({ code: 0, err: '' });
    expect(await overland('version --cluster')).toMatchObject({ code: 5 });
  });

  test('version --poll prints again when the cluster has changed, until it is interrupted', async () => {
    await overland('apply -f -', POOL);
    const stop = new AbortController();
    let locking: Promise<CapturedRun> | undefined;
    const polled = await captureRun(['version', '--poll', '1', '-o', 'json'], {
      env,
      signal: stop.signal,
      onOutput: (out) => {
        locking ??= overland('datastore lock');
        if (out.split('\n').length > 2) stop.abort();
      },
    });
    expect((await locking)?.code).toBe(0);
    const lines = polled.out.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).cluster.datastoreReady)).toEqual([true, false]);
    expect(polled).toMatchObject({ code: 0, err: '' });
  });

  test('diff shows what apply would change, and exits as diff does', async () => {
    await overland('apply -f -', PEER);
    expect(await overland('diff -f -', PEER)).toEqual({
      code: 0,
      out: '0 to create, 0 to change, 1 unchanged\n',
      err: '',
    });
    const changed = PEER.replace('65011', '65012');
    expect(await overland('diff -f -', changed, TIER)).toEqual({
      code: 1,
      out: `--- stored/BGPPeer(leaf11)
+++ -:1
@@ -6,6 +6,6 @@
     app: shop
 spec:
   peerIP: 10.0.0.1
-  asNumber: 65011
+  asNumber: 65012
   sourceAddress: UseNodeIP
   reversePeering: Auto
--- /dev/null
+++ -:3
@@ -0,0 +1,9 @@
+apiVersion: projectcalico.org/v3
+kind: Tier
+metadata:
+  name: security
+  labels:
+    app: shop
+spec:
+  order: 10
+  defaultAction: Deny
1 to create, 1 to change, 0 unchanged
`,
      err: '',
    });
    expect(await names('tiers')).not.toContain('security');
    const json = JSON.parse((await overland('diff -f - -o json', changed)).out);
    expect(json).toMatchObject([
      {
        kind: 'BGPPeer',
        name: 'leaf11',
        outcome: 'updated',
        before: { spec: { asNumber: 65011 } },
        after: { spec: { asNumber: 65012 } },
        diff: expect.stringContaining('+  asNumber: 65012'),
      },
    ]);
  });

  test('what others have set is no difference', async () => {
    await overland('apply -f -', PEER);
    await overland('label bgppeer leaf11 theirs=1');
    expect((await overland('diff -f -', PEER)).code).toBe(0);
    expect((await overland('apply -f -', PEER)).code).toBe(0);
    expect((await overland('get bgppeer leaf11 -o yaml')).out).toContain('theirs: "1"');
  });

  test('diff finds faults as apply would, with exit codes above one', async () => {
    await overland('apply -f -', POOL);
    const orphan = POLICY.replaceAll('security', 'nosuch');
    const broken = await overland('diff -f -', orphan, PEER);
    expect(broken).toMatchObject({ code: 3, err: expect.stringContaining('nosuch') });
    expect(broken.out).toContain('+kind: BGPPeer');
    // The tier is there once what stands before it is.
    expect((await overland('diff -f -', TIER, POLICY)).code).toBe(1);
    const moved = POOL.replace('10.65', '10.66');
    expect(await overland('diff -f -', moved)).toMatchObject({
      code: 2,
      err: expect.stringContaining('spec.cidr'),
    });
  });

  test('a secret is never shown, only that it would change; an etcd without TLS takes none', async () => {
    const secret = (value: string) =>
      manifest('BGPPeer', 'p', { peerIP: '10.0.0.1', asNumber: 1, password: { value } });
    const applied = await overland('apply -f -', secret('hunter2'));
    const changed = await overland('diff -f -', secret('hunter3'));
    expect(JSON.stringify([applied, changed])).not.toMatch(/hunter/);
    if (type === 'sqlite') {
      expect(applied.code).toBe(0);
      expect(changed.code).toBe(1);
      expect(changed.out).toContain('+    value: "(hidden, changed)"');
    } else {
      expect([applied.code, changed.code]).toEqual([2, 2]);
      expect(applied.err).toContain('spec.password.value must not be sent to an etcd without TLS');
      expect(await names('bgppeers')).toBe('');
    }
  });

  test('prune deletes what was applied with the labels and is gone from the input, and nothing else', async () => {
    await overland('apply -f -', TIER, POLICY, POOL, PEER);
    await overland('create -f -', PEER.replaceAll('leaf11', 'made-by-hand'));
    await overland('apply -f -', manifest('BGPPeer', 'other', { peerIP: '10.0.0.2', asNumber: 1 }));
    const prune = '-f - --prune -l app=shop';
    expect((await overland(`diff ${prune}`, PEER)).out).toMatch(/2 to delete, 1 unchanged\n$/);
    const dry = await overland(`apply ${prune} --dry-run`, PEER);
    expect(dry.out).toContain('NetworkPolicy(shop/security.web) deleted (dry run)\n');
    expect(await names('networkpolicies')).toBe('security.web');

    expect(await overland(`apply ${prune}`, PEER)).toEqual({
      code: 0,
      out: "Successfully applied 1 'BGPPeer' resource(s)\nSuccessfully pruned 2 resource(s)\n",
      err: '',
    });
    expect(await names('networkpolicies')).toBe('');
    expect(await names('tiers')).toBe('kube-admin default kube-baseline');
    expect(await names('ippools')).toBe('rack1');
    expect(await names('bgppeers')).toBe('leaf11 made-by-hand other');
    expect((await overland(`diff ${prune}`, PEER)).code).toBe(0);
  });

  test('prune deletes nothing when anything has failed, and wants labels', async () => {
    await overland('apply -f -', TIER, PEER);
    const failed = await overland('apply -f - --prune -l app=shop', PEER, 'kind: Nonsense');
    expect(failed.code).toBe(2);
    expect(failed.err).toContain('nothing was pruned, because not everything was applied\n');
    expect(await names('tiers')).toContain('security');
    expect(await overland('apply -f - --prune', PEER)).toMatchObject({ code: 2 });
    expect(await overland('apply -f - -l app=shop', PEER)).toMatchObject({ code: 2 });
    const bare = manifest('BGPPeer', 'bare', { peerIP: '10.0.0.9', asNumber: 1 });
    const { err } = await overland('apply -f - --prune -l app=shop', bare, TIER, PEER);
    expect(err).toBe(
      'overland: -:1: BGPPeer(bare) has not the labels app=shop: no later --prune will find it\n',
    );
  });
});
