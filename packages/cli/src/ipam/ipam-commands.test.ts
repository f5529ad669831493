import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Datastore, openDatastore, setLock } from '@overland/datastore';
import { createIpam, type Ipam, IpamView } from '@overland/ipam';
import { resourceKey } from '@overland/model';
import { parseAddress } from '@overland/net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

let directory: string;
let datastore: Datastore;
let stop: AbortController;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'overland-ipam-'));
  datastore = await openDatastore({ type: 'sqlite', path: join(directory, 'overland.db') });
  stop = new AbortController();
  await put('IPPool', 'racks', { cidr: '10.65.0.0/26', blockSize: 28, nodeSelector: 'all()' });
  await put('IPPool', 'off', { cidr: '10.66.0.0/26', blockSize: 28, disabled: true });
  await put('Node', 'host11', {});
  // Makes the ClusterInformation.
  await setLock(datastore, true);
  await setLock(datastore, false);
});
afterEach(async () => {
  stop.abort();
  await datastore[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

async function put(kind: 'IPPool' | 'Node', name: string, spec: unknown): Promise<void> {
  const object = { apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec };
  const key = resourceKey(kind, { name });
  const value = JSON.stringify(object);
  await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
}

async function ipamOf(node: string): Promise<Ipam> {
  const view = new IpamView(node);
  void view.follow((prefix) => datastore.watch(prefix, stop.signal));
  await view.synced;
  return createIpam({ datastore, node, view, now: () => new Date() });
}

async function assign(node: string, handle: string, addresses: readonly string[]): Promise<void> {
  const named = addresses.map(parseAddress);
  const attributes = { node, pod: handle };
  const request = { handle, families: ['ipv4'] as const, addresses: named, attributes };
  await (await ipamOf(node)).assign(request);
}

async function run(...args: readonly string[]) {
  const env = { OVERLAND_SQLITE_PATH: join(directory, 'overland.db') };
  const { code, out, err } = await captureRun(['ipam', ...args], {
    env,
    workingDirectory: directory,
  });
  return { code, out, err, lines: out.split('\n').map((line) => line.replaceAll(/ +/g, ' ')) };
}

describe('show', () => {
  test('pools, and their blocks when asked', async () => {
    await assign('host11', 'web', ['10.65.0.1', '10.65.0.2']);
    expect((await run('show')).lines).toContain('IP Pool 10.65.0.0/26 64 2 (3%) 0 62 (97%)');
    const { lines } = await run('show', '--show-blocks');
    expect(lines).toContain('Block 10.65.0.0/28 16 2 (13%) 0 14 (88%)');
    const { out } = await run('show', '-o', 'json');
    expect(JSON.parse(out).pools[1]).toMatchObject({ pool: 'racks', total: 64, inUse: 2 });
  });

  test('one address, one handle, what is borrowed, and the configuration', async () => {
    await assign('host11', 'web', ['10.65.0.1']);
    await assign('host12', 'db', ['10.65.0.9']);
    const { out } = await run('show', '--ip', '10.65.0.1');
    expect(out).toContain('IP 10.65.0.1 is in use');
    expect(out).toContain('pod: web');
    expect((await run('show', '--ip', '10.65.0.33')).out).toContain('is free');
    expect((await run('show', '--ip', '10.99.0.1')).out).toContain('is in no pool');
    expect((await run('show', '--handle', 'db')).out).toContain('10.65.0.9');
    const borrowed = (await run('show', '--show-borrowed')).lines;
    expect(borrowed[1]).toBe('10.65.0.9 host12 10.65.0.0/28 host11 pod db');
    expect(borrowed[2]).toBe('');
    expect((await run('show', '--show-configuration')).lines).toContain('strictAffinity false');
  });

  test('refuses what is no address, and two questions at once', async () => {
    expect(await run('show', '--ip', '10.65.0')).toMatchObject({ code: 2 });
    expect(await run('show', '--ip', '10.65.0.1', '--handle', 'x')).toMatchObject({ code: 2 });
  });
});

describe('check and release', () => {
  test('find what nobody uses; only what two reports name under a lock is released', async () => {
    await assign('host11', 'gone', ['10.65.0.1']);
    await assign('host11', 'moved', ['10.65.0.2']);
    const checked = await run('check', '--show-problem-ips', '-o', 'a.json');
    expect(checked.code).toBe(1);
    expect(checked.out).toContain('10.65.0.1 was given to gone on node host11');
    const refused = await run('release', '--from-report', 'a.json');
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toContain('overland datastore lock');

    // Given back and given anew meanwhile: another allocation of the same address.
    await (await ipamOf('host11')).release('moved');
    await assign('host11', 'moved', ['10.65.0.2']);
    await setLock(datastore, true);
    expect((await run('release', '--from-report', 'a.json')).err).toContain('make one now');
    await run('check', '-o', 'b.json');
    const reports = ['--from-report', 'a.json', '--from-report', 'b.json'];
    expect((await run('release', ...reports)).lines.slice(0, 2)).toEqual([
      'Released 10.65.0.1',
      '1 addresses released',
    ]);
    expect(await run('release', ...reports)).toMatchObject({ code: 1 });
    await setLock(datastore, false);
    expect((await run('show', '--ip', '10.65.0.2')).out).toContain('in use');
  });

  test('a report of another cluster, a broken one, and none are refused', async () => {
    await run('check', '-o', 'a.json');
    const report = JSON.parse(readFileSync(join(directory, 'a.json'), 'utf8'));
    const write = (change: object) =>
      writeFileSync(join(directory, 'b.json'), JSON.stringify({ ...report, ...change }));
    write({ clusterGUID: 'another' });
    expect((await run('release', '--from-report', 'b.json')).err).toContain('of another cluster');
    write({ version: 'v9' });
    expect((await run('release', '--from-report', 'b.json')).err).toContain('of version v9');
    write({ allocations: { '10.65.0.1': [{ sequence: 1 }] } });
    expect(await run('release', '--from-report', 'b.json')).toMatchObject({ code: 2 });
    expect(await run('release', '--from-report', 'none.json')).toMatchObject({ code: 2 });
    expect(await run('release')).toMatchObject({ code: 2 });
  });

  test('one address is released by name; one that is not in use is said so', async () => {
    await assign('host11', 'web', ['10.65.0.1']);
    expect((await run('release', '--ip', '10.65.0.1')).lines[0]).toBe('Released 10.65.0.1');
    const again = await run('release', '--ip', '10.65.0.1', '-o', 'json');
    expect(again.code).toBe(1);
    expect(JSON.parse(again.out)).toEqual({
      released: [],
      skipped: ['10.65.0.1 is not in use'],
    });
  });

  test('a cluster in order says so', async () => {
    await (await ipamOf('host11')).ensureBlock('ipv4');
    const { code, out } = await run('check');
    expect(out).toContain('Everything is as it should be');
    expect(code).toBe(0);
  });
});

describe('split', () => {
  test('puts equal parts in the place of a pool, and its addresses stay', async () => {
    await assign('host11', 'web', ['10.65.0.17']);
    expect((await run('split', '4', '--cidr', '10.65.0.0/26')).lines).toEqual([
      'Created split-racks-0 (10.65.0.0/28)',
      'Created split-racks-1 (10.65.0.16/28)',
      'Created split-racks-2 (10.65.0.32/28)',
      'Created split-racks-3 (10.65.0.48/28)',
      'Removed racks',
      '',
    ]);
    expect((await run('show')).lines).toContain('IP Pool 10.65.0.16/28 16 1 (6%) 0 15 (94%)');
  });

  test.each([
    [['3', '--name', 'racks'], 'must be a power of two'],
    [['8', '--name', 'racks'], 'each must hold a block of /28'],
    [['2', '--name', 'none'], 'there is no pool none'],
    [['2', '--cidr', '10.9.0.0/24'], 'no pool has the range'],
    [['2'], 'name one pool'],
  ])('%j is refused: %s', async (args, message) => {
    const { code, err } = await run('split', ...args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('configure', () => {
  test('changes what is named and keeps the rest', async () => {
    await run('configure', '--strictaffinity', 'true', '--max-blocks-per-host', '4');
    const { out } = await run('configure', '--ip-cooldown-seconds', '30', '-o', 'json');
    expect(JSON.parse(out)).toEqual({
      strictAffinity: true,
      autoAllocateBlocks: true,
      maxBlocksPerHost: 4,
      ipCooldownSeconds: 30,
    });
  });

  test.each([
    [['--max-blocks-per-host', '4'], 'needs strictAffinity'],
    [['--auto-allocate-blocks', 'false'], 'nobody could get an address'],
    [['--ip-cooldown-seconds', '1201'], '1200'],
    [[], 'name a setting'],
  ])('%j is refused: %s', async (args, message) => {
    const { code, err } = await run('configure', ...args);
    expect(err).toContain(message);
    expect(code).toBe(2);
    expect((await run('show', '--show-configuration')).lines).toContain('maxBlocksPerHost 0');
  });
});

describe('explain', () => {
  test('says which block is next, and is right', async () => {
    const before = (await run('explain', 'host11')).out;
    const next = /it would claim (\S+) of pool racks/.exec(before)?.[1];
    expect(before).toContain('pool off (10.66.0.0/26) is disabled: set its disabled to false');
    expect(before).toContain('IPv6: no IPv6 address is to be had');
    expect(await (await ipamOf('host11')).ensureBlock('ipv4')).toBe(next);
    expect((await run('explain', 'host11')).out).toContain(`comes from its block ${next}`);
  });

  test('says that it would borrow, or why not', async () => {
    for (const host of ['host11', 'host12', 'host13', 'host14']) {
      await (await ipamOf(host)).ensureBlock('ipv4');
    }
    expect((await run('explain', 'host15')).out).toContain('it would borrow');
    await run('configure', '--strictaffinity', 'true');
    const { out } = await run('explain', 'host15');
    expect(out).toContain('There is no Node host15');
    expect(out).toContain('all 4 are claimed, and strict affinity forbids to borrow');
    const [four] = JSON.parse((await run('explain', 'host15', '-o', 'json')).out);
    expect(four).toMatchObject({ source: 'nothing', next: [] });
  });
});

describe('map', () => {
  test('draws each block of a pool by owner and use', async () => {
    await assign('host11', 'web', ['10.65.0.1']);
    await assign('host12', 'db', ['10.65.0.33']);
    const { out } = await run('map', 'racks');
    expect(out.split('\n').slice(0, 4)).toEqual([
      'racks 10.65.0.0/26: 2 of 4 blocks of /28',
      '10.65.0.0   a▒··b▒··',
      '  a host11',
      '  b host12',
    ]);
    await run('map', '--svg', 'map.svg');
    const svg = readFileSync(join(directory, 'map.svg'), 'utf8');
    expect(svg).toContain('<title>10.65.0.32/28 host12: 1 of 16 in use</title>');
    expect(svg.match(/<g /g)).toHaveLength(2);
    expect((await run('map', 'none')).err).toContain('there is: off, racks');
  });
});
