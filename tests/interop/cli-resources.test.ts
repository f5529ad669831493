import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { openDatastore, ResourceClient } from '@overland/datastore';
import { EtcdProcess } from '@overland/datastore/testing';
import { parseManifest, stringifyJson } from '@overland/model';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { captureRun, type RunOptions } from '../../packages/cli/src/testing/captured-run.ts';

// The commands as a user has them, in this process, on real datastores.

let etcd: EtcdProcess;
let directory: string;

beforeAll(async () => {
  etcd = await EtcdProcess.start();
  directory = await mkdtemp(join(tmpdir(), 'overland-cli-'));
});
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const STORES = ['etcd', 'sqlite'] as const;

/** An empty datastore of a kind: how the commands find it. */
async function emptyStore(type: (typeof STORES)[number]): Promise<Record<string, string>> {
  if (type === 'etcd') {
    await etcd.clear();
    return { ETCD_ENDPOINTS: etcd.endpoint };
  }
  const fresh = await mkdtemp(join(directory, 'sqlite-'));
  return { OVERLAND_SQLITE_PATH: join(fresh, 'datastore.db') };
}

function manifest(kind: string, name: string, spec: object, metadata: object = {}): string {
  const apiVersion = 'projectcalico.org/v3';
  return stringifyJson({ apiVersion, kind, metadata: { name, ...metadata }, spec });
}

const POOL = manifest('IPPool', 'rack1', { cidr: '10.65.0.0/16' }, { labels: { rack: 'r1' } });
const PEER = manifest('BGPPeer', 'leaf11', { peerIP: '10.0.0.1', asNumber: '65011' });
const NODE = manifest('Node', 'host11', { bgp: { ipv4Address: '10.0.0.5/31' } });
const ALL = [POOL, PEER, NODE].join('\n---\n');

describe.each(STORES)('on %s', (type) => {
  let env: Record<string, string>;
  beforeAll(async () => {
    env = await emptyStore(type);
  });

  async function overland(args: string, options: RunOptions = {}) {
    const { code, out, err } = await captureRun(args.split(' '), {
      env,
      workingDirectory: directory,
      ...options,
    });
    return { code, out: stripVTControlCharacters(out), err };
  }

  test('the life of some resources, in the words that scripts look for', async () => {
    expect(await overland('create -f -', { stdin: ALL })).toEqual({
      code: 0,
      out: 'Successfully created 3 resource(s)\n',
      err: '',
    });
    expect(await overland('apply -f -', { stdin: POOL })).toEqual({
      code: 0,
      out: "Successfully applied 1 'IPPool' resource(s)\n",
      err: '',
    });
    expect(await overland('create -f -', { stdin: POOL })).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringMatching(
        /failed to create 'IPPool' resource:\n.*-:1: IPPool\(rack1\) exists already/,
      ),
    });
    expect((await overland('create -f - --skip-exists', { stdin: ALL })).code).toBe(0);
    expect((await overland('get ippools')).out).toBe(
      'NAME   CIDR          SELECTOR\nrack1  10.65.0.0/16  all()\n',
    );
    expect((await overland('get nodes -o wide')).out).toBe(
      'NAME    ASN      IPV4         IPV6\nhost11  (64512)  10.0.0.5/31\n',
    );
    expect((await overland('get bgppeer -o custom-columns=NAME,NODE,AS:.spec.asNumber')).out).toBe(
      'NAME    NODE      AS\nleaf11  (global)  65011\n',
    );
    expect((await overland('label pool rack1 role=leaf')).out).toBe(
      'Successfully set label role on pool rack1\n',
    );
    expect((await overland('label pool rack1 role=spine')).code).toBe(4);
    expect(
      (
        await overland(
          'patch pool rack1 -t json -p [{"op":"add","path":"/spec/disabled","value":true}]',
        )
      ).code,
    ).toBe(0);
    const pool = JSON.parse((await overland('get pool rack1 -o json')).out) as object;
    expect(pool).toMatchObject({
      metadata: { labels: { rack: 'r1', role: 'leaf' } },
      spec: { disabled: true },
    });
    expect(await overland('delete bgppeer leaf11 none')).toMatchObject({
      code: 3,
      out: "Partial success: deleted 1 of 2 'BGPPeer' resources\n",
      err: expect.stringContaining('BGPPeer(none) does not exist'),
    });
    expect(await overland('delete -f - -s', { stdin: ALL })).toMatchObject({
      code: 0,
      out: expect.stringContaining('Successfully deleted 2 resource(s), 1 skipped'),
    });
  });

  test('what is printed can be applied elsewhere', async () => {
    await overland('apply -f -', { stdin: ALL });
    for (const format of ['yaml', 'json']) {
      const { out } = await overland(`get ippools -o ${format}`);
      const applied = await overland('apply -f - -o json', { stdin: out });
      expect(JSON.parse(applied.out)).toMatchObject([{ kind: 'IPPool', outcome: 'unchanged' }]);
    }
    const { out: exported } = await overland('get ippool rack1 -o yaml --export');
    expect(exported).not.toMatch(/uid|resourceVersion|creationTimestamp/);
    await overland('delete ippool rack1');
    expect((await overland('create -f -', { stdin: exported })).code).toBe(0);
  });

  test('a bad document does not stop the others, and each is reported', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `peer${String(i).padStart(4, '0')}`);
    const bad = new Set([3, 500, 999]);
    const documents = names.map((name, i) =>
      manifest('BGPPeer', name, { peerIP: bad.has(i) ? 'nowhere' : '10.0.0.1', asNumber: 65011 }),
    );
    await writeFile(join(directory, 'thousand.yaml'), documents.join('\n---\n'));
    const { code, out, err } = await overland('apply -f thousand.yaml');
    expect(code).toBe(2);
    expect(out).toBe("Partial success: applied 997 of 1000 'BGPPeer' resources\n");
    for (const i of bad)
      expect(err).toContain(`thousand.yaml:${2 * i + 1}: BGPPeer(${names[i]}): spec.peerIP`);
    const listed = (await overland('get bgppeers -o name')).out.trim().split('\n');
    expect(listed.filter((line) => /peer\d/.test(line))).toHaveLength(997);
  });

  test('two writers on one object: one wins, the other is told both versions', async () => {
    await overland('apply -f -', { stdin: POOL });
    const { out: read } = await overland('get pool rack1 -o yaml');
    const version = /resourceVersion: "(\d+)"/.exec(read)?.[1];
    await overland('label pool rack1 by=another --overwrite');
    const current = /resourceVersion: "(\d+)"/.exec(
      (await overland('get pool rack1 -o yaml')).out,
    )?.[1];
    for (const verb of ['apply', 'replace', 'delete']) {
      const { code, err } = await overland(`${verb} -f -`, { stdin: read });
      expect({ verb, code }).toEqual({ verb, code: 4 });
      expect(err).toContain(
        `IPPool(rack1) was changed: it is at version ${current}, not ${version}`,
      );
    }
    expect((await overland('get pool rack1 -o json')).out).toContain('"by": "another"');
  });

  test('many writers at once lose nothing', async () => {
    await overland('apply -f -', { stdin: POOL });
    const labels = Array.from({ length: 8 }, (_, i) => `w${i}`);
    const codes = await Promise.all(
      labels.map(async (label) => (await overland(`label pool rack1 ${label}=1`)).code),
    );
    expect(codes).toEqual(labels.map(() => 0));
    const { metadata } = JSON.parse((await overland('get pool rack1 -o json')).out) as {
      metadata: { labels: Record<string, string> };
    };
    for (const label of labels) expect(metadata.labels).toHaveProperty(label);
  });

  test('a dry run checks against what is stored, and writes nothing', async () => {
    await overland('delete pool rack1 -s');
    const twice = [POOL, POOL].join('\n---\n');
    expect(await overland('create -f - --dry-run', { stdin: twice })).toMatchObject({
      code: 4,
      out: "IPPool(rack1) created (dry run)\nDry run: nothing was written. Partial success: created 1 of 2 'IPPool' resources\n",
    });
    expect((await overland('get pool rack1')).code).toBe(3);
  });

  test('a kind that IPAM writes is refused, and so is what does not exist', async () => {
    expect(await overland('delete blockaffinity x')).toMatchObject({ code: 7 });
    expect(await overland('get sheep')).toMatchObject({
      code: 2,
      err: expect.stringContaining('known are'),
    });
    expect(await overland('apply -f none.yaml')).toMatchObject({ code: 2 });
  });

  test('what is stored and cannot be read does not hide the rest', async () => {
    await overland('apply -f -', { stdin: POOL });
    await using store = await openDatastore(
      type === 'etcd'
        ? { type, endpoints: [etcd.endpoint] }
        : { type, path: env.OVERLAND_SQLITE_PATH ?? '' },
    );
    const key = '/calico/resources/v3/projectcalico.org/ippools/broken';
    const value = manifest('IPPool', 'broken', { cidr: 7 });
    await store.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
    for (const names of ['', ' broken rack1']) {
      expect(await overland(`get ippools${names} -o name`)).toEqual({
        code: 1,
        out: 'ippool/rack1\n',
        err: expect.stringMatching(/^overland: IPPool\(broken\) cannot be read: .*spec\.cidr/),
      });
    }
    expect(await overland('delete ippool broken')).toMatchObject({
      code: 0,
      out: expect.stringContaining('IPPool(broken): it could not be read'),
    });
  });

  test('with a node goes what is of it, and it is said', async () => {
    const documents = [
      NODE,
      manifest('BGPPeer', 'of-host11', { node: 'host11', peerIP: '10.0.0.9', asNumber: 65011 }),
      manifest('HostEndpoint', 'host11-eth0', { node: 'host11', interfaceName: 'eth0' }),
    ];
    await overland('apply -f -', { stdin: documents.join('\n---\n') });
    expect(await overland('delete node host11')).toEqual({
      code: 0,
      out: [
        'Node(host11): deleted BGPPeer(of-host11)',
        'Node(host11): deleted HostEndpoint(host11-eth0)',
        "Successfully deleted 1 'Node' resource(s)",
        '',
      ].join('\n'),
      err: '',
    });
    expect((await overland('get bgppeer of-host11')).code).toBe(3);
  });

  test('a watch prints what exists and every change, until it is interrupted', async () => {
    await overland('apply -f -', { stdin: POOL });
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    let seen = '';
    const watching = overland('get pools -w -o name', {
      signal: stop.signal,
      onOutput: (out) => {
        seen = out;
      },
    });
    const until = (text: string) =>
      vi.waitFor(() => expect(seen).toContain(text), { timeout: 20_000, interval: 20 });
    await until('ADDED ippool/rack1');
    if (type === 'etcd') {
      await etcd.crash();
      await etcd.start();
    }
    await overland('label pool rack1 seen=yes --overwrite');
    await until('MODIFIED ippool/rack1');
    await overland('delete pool rack1');
    await until('DELETED ippool/rack1');
    stop.abort();
    expect((await watching).code).toBe(0);
  });
});

test('a datastore that cannot be reached has an exit code of its own', async () => {
  const env = { ETCD_ENDPOINTS: 'http://127.0.0.1:1' };
  const { code, err } = await captureRun(['apply', '-f', '-'], { env, stdin: ALL });
  expect(code).toBe(5);
  expect(err).toContain('127.0.0.1:1');
  expect(err).toContain('and 1 more that were not tried');
  const watched = await captureRun(['get', 'nodes', '-w'], { env });
  expect(watched).toMatchObject({ code: 5, out: '' });
});

test('a listing of many pages is printed whole, as of one revision', async () => {
  const env = await emptyStore('etcd');
  await using store = await openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] });
  const client = new ResourceClient(store);
  const names = Array.from({ length: 1500 }, (_, i) => `p${String(i).padStart(4, '0')}`);
  const made = names.map((name) =>
    client.create(
      parseManifest(
        JSON.parse(
          manifest('BGPPeer', name, { peerIP: '10.0.0.1', asNumber: 65011, holdTime: '9s' }),
        ),
      ),
    ),
  );
  await Promise.all(made);
  const { out } = await captureRun(['get', 'bgppeers', '-o', 'json'], { env });
  const { items } = JSON.parse(out) as { items: { metadata: { name: string }; spec: object }[] };
  expect(items.map(({ metadata }) => metadata.name)).toEqual(names);
  expect(items.every(({ spec }) => 'holdTime' in spec)).toBe(true);
});
