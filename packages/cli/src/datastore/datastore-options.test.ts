import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { datastoreOptionsOf } from './datastore-options.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'overland-cfg-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What `overland.cfg` with this `spec`, and the environment, come to. */
async function options(spec: string, env: Record<string, string> = {}, mode = 0o600) {
  const path = join(directory, 'overland.cfg');
  writeFileSync(
    path,
    `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\nspec:\n${spec}\n`,
  );
  chmodSync(path, mode);
  let warnings = '';
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      warnings += String(chunk);
      done();
    },
  });
  const context = { env, stderr, workingDirectory: directory };
  const found = await datastoreOptionsOf(context, 'overland.cfg').catch((error: Error) => {
    expect(error.name).toBe('ConfigError');
    return error.message.replaceAll(`${path}: `, '');
  });
  return { found, warnings };
}

const ETCD = '  datastoreType: etcdv3\n  etcdEndpoints: https://a:2379,https://b:2379';
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';

test("calicoctl's file says where etcd is; relative paths are of the working directory", async () => {
  const { found } = await options(
    `${ETCD}\n  etcdCACertFile: ca.pem\n  etcdUsername: u\n  etcdPassword: p\n  etcdKeyFile: ""`,
  );
  expect(found).toEqual({
    type: 'etcd',
    endpoints: ['https://a:2379', 'https://b:2379'],
    caCertFile: join(directory, 'ca.pem'),
    username: 'u',
    password: 'p',
  });
});

test('certificates may stand in the file itself', async () => {
  const pem = PEM.replaceAll('\n', '\n    ');
  const { found } = await options(`${ETCD}\n  etcdCert: |-\n    ${pem}\n  etcdKey: |-\n    ${pem}`);
  expect(found).toMatchObject({ cert: PEM, key: PEM });
});

test('the environment wins, with the prefix of Calico first and ours before both', async () => {
  const calico = { ETCD_ENDPOINTS: 'http://c:2379', CALICO_ETCD_ENDPOINTS: 'http://d:2379' };
  expect((await options(ETCD, calico)).found).toMatchObject({ endpoints: ['http://d:2379'] });
  const ours = { ...calico, OVERLAND_ETCD_ENDPOINTS: 'http://e:2379' };
  expect((await options(ETCD, ours)).found).toMatchObject({ endpoints: ['http://e:2379'] });
});

test('who names a place need not name its type', async () => {
  const noType = '  etcdEndpoints: http://a:2379';
  expect((await options(noType)).found).toEqual({ type: 'etcd', endpoints: ['http://a:2379'] });
  const sqlite = { type: 'sqlite', path: join(directory, 'x.db') };
  expect((await options('  sqlitePath: x.db')).found).toEqual(sqlite);
  expect((await options(ETCD, { OVERLAND_SQLITE_PATH: 'x.db' })).found).toEqual(sqlite);
  const both = { OVERLAND_DATASTORE_TYPE: 'etcd', OVERLAND_SQLITE_PATH: 'x.db' };
  expect((await options(ETCD, both)).found).toMatchObject({ type: 'etcd' });
});

test('SRV records instead of servers, and a key prefix', async () => {
  const spec = '  etcdDiscoverySrv: example.org\n  etcdKeyPrefix: /site-1';
  const expected = { type: 'etcd', discoverySrv: 'example.org', keyPrefix: '/site-1' };
  expect((await options(spec)).found).toEqual(expected);
  const env = { CALICO_ETCD_DISCOVERY_SRV: 'example.org', OVERLAND_ETCD_KEY_PREFIX: '/site-1' };
  expect((await options('  datastoreType: etcdv3', env)).found).toEqual(expected);
  expect((await options(`${ETCD}\n  etcdKeyPrefix: site/`)).found).toContain(
    'spec.etcdKeyPrefix: must be a path such as /site-1',
  );
});

test.each([
  [
    '  etcdEndpoint: http://a:2379',
    {},
    'spec.etcdEndpoint: unknown field; did you mean etcdEndpoints?',
  ],
  [
    '  datastoreType: kubernetes',
    {},
    'spec.datastoreType: Overland keeps resources in etcd or SQLite',
  ],
  ['  kubeconfig: /x', {}, 'spec.kubeconfig: Overland keeps resources in etcd or SQLite'],
  ['  k8sAPIToken: x', {}, 'spec.k8sAPIToken: Overland keeps resources in etcd or SQLite'],
  [ETCD, { DATASTORE_TYPE: 'kubernetes' }, 'DATASTORE_TYPE: Overland keeps resources'],
  [
    ETCD,
    { ETCD_DISCOVERY_SRV: 'example.org' },
    'ETCD_DISCOVERY_SRV: is given as well as spec.etcdEndpoints',
  ],
  ['  etcdEndpoints: a.b', {}, 'spec.etcdEndpoints.0: must be https://HOST:PORT'],
  [`${ETCD}\n  etcdCertFile: /x`, {}, 'spec.etcdCertFile: needs its counterpart'],
  [`${ETCD}\n  etcdCACertFile: /x`, { ETCD_CA_CERT: PEM }, 'ETCD_CA_CERT: is given as well as'],
  [ETCD, { OVERLAND_ETCD_ENDPOINT: 'x' }, 'OVERLAND_ETCD_ENDPOINT: unknown setting; did you mean'],
])('refuses %j with %j', async (spec, env, message) => {
  expect((await options(spec, env)).found).toContain(message);
});

test('every fault at once, and no secret in any', async () => {
  const { found } = await options('  etcdPasword: hush\n  etcdKey: [hush]\n  kubeconfig: /x');
  expect(String(found).split('\n')).toHaveLength(2);
  expect(found).not.toContain('hush');
});

test('a secret that others can read is a warning, and only that', async () => {
  const secret = `${ETCD}\n  etcdUsername: u\n  etcdPassword: p`;
  const { found, warnings } = await options(secret, {}, 0o644);
  expect(found).toMatchObject({ password: 'p' });
  expect(warnings).toContain('can be read by other users: chmod 600');
  expect((await options(secret, {}, 0o600)).warnings).toBe('');
  expect((await options(ETCD, {}, 0o644)).warnings).toBe('');
});

test('a file that is named must be there', async () => {
  const context = { env: {}, stderr: new Writable(), workingDirectory: directory };
  await expect(datastoreOptionsOf(context, 'none.cfg')).rejects.toThrow('there is no such file');
});
