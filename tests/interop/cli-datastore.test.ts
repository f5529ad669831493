import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatastore, ResourceClient } from '@overland/datastore';
import { parseManifest } from '@overland/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureRun } from '../../packages/cli/src/testing/captured-run.ts';

// What a user sees of export, import, migrate and the lock, in this process, on SQLite.

const MANIFESTS = [
  { kind: 'IPPool', metadata: { name: 'p1' }, spec: { cidr: '10.65.0.0/16' } },
  {
    kind: 'BGPPeer',
    metadata: { name: 'leaf11' },
    spec: { peerIP: '10.0.0.1', asNumber: 65001, holdTime: '9s' },
  },
].map((manifest) => ({ apiVersion: 'projectcalico.org/v3', ...manifest }));

let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'overland-transfer-'));
  await using store = await openDatastore({ type: 'sqlite', path: join(directory, 'a.db') });
  const client = new ResourceClient(store);
  for (const manifest of MANIFESTS) await client.create(parseManifest(manifest));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Runs `overland datastore …` on one of the files. */
function run(file: string, ...args: string[]) {
  const env = { OVERLAND_SQLITE_PATH: join(directory, file) };
  return captureRun(['datastore', ...args], { env, workingDirectory: directory });
}

describe('export and import', () => {
  test('move everything, and say what', async () => {
    const exported = await run('a.db', 'export', 'x');
    expect(exported.code).toBe(0);
    expect(exported.out).toBe(`KIND        KEYS
BGPPeer        1
IPPool         1
extensions     1
Left out: guards of creations (1 key): they hold nothing; made anew with the next creation
Exported 3 keys of ${directory}/a.db, revision 3, into ${directory}/x
`);
    expect(exported.err).toContain('the datastore is not locked');
    expect(await run('b.db', 'import', 'x')).toMatchObject({
      code: 0,
      err: '',
      out: `KIND        CREATED  CHANGED  SAME
BGPPeer           1        0     0
IPPool            1        0     0
extensions        1        0     0
3 keys written to ${directory}/b.db
`,
    });
    const { out } = await run('b.db', 'export', 'y', '-o', 'json');
    const index = (name: string) => readFileSync(join(directory, name, 'SHA256SUMS'), 'utf8');
    expect(index('y')).toBe(index('x'));
    expect(JSON.parse(out)).toMatchObject({ keys: 3, counts: { BGPPeer: 1 }, locked: false });
  });

  test('a dry run says what it would do, and makes no file', async () => {
    const counted = await run('a.db', 'export', 'x', '--dry-run');
    expect(counted.out).toContain(`Dry run: 3 keys of ${directory}/a.db`);
    expect(existsSync(join(directory, 'x'))).toBe(false);
    await run('a.db', 'export', 'x');
    const { out } = await run('b.db', 'import', 'x', '--dry-run');
    expect(out).toContain('create  /overland/v1/extensions/bgppeers/leaf11\n');
    expect(out).toContain('Dry run: 3 keys would be written to a datastore that is not there yet');
    expect(existsSync(join(directory, 'b.db'))).toBe(false);
    const { out: json } = await run('a.db', 'import', 'x', '--dry-run', '-o', 'json');
    const { keys, report } = JSON.parse(json);
    expect(keys).toHaveLength(3);
    expect(keys[0]).toEqual({ key: expect.stringMatching(/^\/calico/), verdict: 'same' });
    expect(report).toMatchObject({ total: { create: 0, change: 0, same: 3 } });
  });

  test('what differs is a conflict, and is replaced when that is asked for', async () => {
    await run('a.db', 'export', 'x');
    const path = join(directory, 'x/resources/ippools/p1.yaml');
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace('natOutgoing: false', 'natOutgoing: true'),
    );
    const changed = await run('a.db', 'import', 'x');
    expect(changed.code).toBe(1);
    expect(changed.err).toContain('resources/ippools/p1.yaml is not what was exported');
    const differs = await run('a.db', 'import', 'x', '--edited');
    expect(differs.code).toBe(4);
    expect(differs.err).toContain(
      'a key differs in the target:\noverland: /calico/resources/v3/projectcalico.org/ippools/p1\noverland: --overwrite replaces them',
    );
    const dry = await run('a.db', 'import', 'x', '--edited', '--dry-run');
    expect(dry.out).toContain('1 of the keys differ');
    const replaced = await run('a.db', 'import', 'x', '--edited', '--overwrite');
    expect(replaced.out).toContain(`1 key written to ${directory}/a.db`);
  });
});

test('called off, it says how to go on, and goes on', async () => {
  const env = { OVERLAND_SQLITE_PATH: join(directory, 'a.db') };
  const options = { env, workingDirectory: directory, signal: AbortSignal.abort() };
  const exported = await captureRun(['datastore', 'export', 'x'], options);
  expect(exported).toMatchObject({ code: 1, out: '' });
  expect(exported.err).toContain('interrupted: run the same command again to finish');
  expect((await run('a.db', 'export', 'x')).code).toBe(0);
});

describe('migrate', () => {
  test('wants a source that is locked, and locks the target', async () => {
    const argv = ['migrate', '--from', 'sqlite:a.db', '--to', 'sqlite:b.db'];
    const refused = await run('none.db', ...argv);
    expect(refused.code).toBe(7);
    expect(refused.err).toContain('a.db is not locked');
    expect((await run('a.db', 'lock')).out).toBe(`Datastore locked: ${directory}/a.db\n`);
    const moved = await run('none.db', ...argv);
    expect(moved).toMatchObject({ code: 0, err: '' });
    expect(moved.out).toContain(
      "It is locked: agents change nothing in it until 'overland datastore unlock'",
    );
    expect((await run('b.db', 'lock')).out).toContain('was locked already');
    expect((await run('b.db', 'unlock')).out).toContain('Datastore unlocked');
    expect((await run('b.db', 'unlock')).out).toContain('was not locked');
  });

  test('reads a directory as well', async () => {
    await run('a.db', 'export', 'x');
    expect((await run('none.db', 'migrate', '--from', 'dir:x', '--to', 'sqlite:b.db')).code).toBe(
      0,
    );
  });

  test.each([
    [['--from', 'sqlite:a.db'], '--from and --to are needed'],
    [['--from', 'a.db', '--to', 'sqlite:b.db'], '--from a.db: must be config:FILE'],
    [['--from', 'sqlite:a.db', '--to', 'dir:x'], "is what 'overland datastore export' does"],
    [['--from', 'config:none.cfg', '--to', 'sqlite:b.db'], 'there is no such file'],
    [['--from', 'sqlite:a.db', '--to', 'etcd:x', '--unlocked'], 'is no etcd endpoint'],
  ])('refuses %j: %s', async (argv, message) => {
    const { code, err } = await run('a.db', 'migrate', ...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

test('what the command line would write is refused while the datastore is locked; reading goes on', async () => {
  await run('a.db', 'lock');
  const env = { OVERLAND_SQLITE_PATH: join(directory, 'a.db') };
  const stdin = JSON.stringify({ ...MANIFESTS[0], spec: { cidr: '10.65.0.0/16', disabled: true } });
  for (const argv of [
    ['apply', '-f', '-'],
    ['delete', 'ippool', 'p1'],
    ['label', 'ippool', 'p1', 'a=b'],
  ]) {
    const { code, err } = await captureRun(argv, { env, stdin });
    expect(err).toContain('the datastore is locked');
    expect(code).toBe(7);
  }
  expect(await captureRun(['get', 'ippool', 'p1', '-o', 'name'], { env })).toMatchObject({
    code: 0,
  });
  const diff = await captureRun(['diff', '-f', '-'], { env, stdin });
  expect(diff).toMatchObject({ code: 1, out: expect.stringContaining('disabled: true') });
  await run('a.db', 'unlock');
  expect((await captureRun(['apply', '-f', '-'], { env, stdin })).code).toBe(0);
});
