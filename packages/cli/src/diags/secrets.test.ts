import { expect, test } from 'vitest';
import { Secrets } from './secrets.ts';

test('values of settings that are secret go, and are known from then on', () => {
  const secrets = new Secrets();
  const settings = {
    etcdPassword: 'p4ssw0rd-of-etcd',
    etcdKeyFile: '/etc/overland/key.pem',
    etcdKey: '-----BEGIN\nbase64line0000\n-----END',
    etcdUsername: 'overland',
    spec: { password: { value: 'md5-of-leaf11' }, filters: [{ token: 'tok-en' }] },
  };
  expect(secrets.redact(settings)).toEqual({
    etcdPassword: '[redacted]',
    etcdKeyFile: '/etc/overland/key.pem',
    etcdKey: '[redacted]',
    etcdUsername: 'overland',
    spec: { password: { value: '[redacted]' }, filters: [{ token: '[redacted]' }] },
  });
  const log = 'login p4ssw0rd-of-etcd, md5-of-leaf11; base64line0000 tok-en overland';
  expect(secrets.scrub(log)).toBe('login [redacted], [redacted]; [redacted] [redacted] overland');
});

test('where a password is kept is no secret', () => {
  const peer = { password: { secretKeyRef: { name: 'bgp', key: 'leaf' } } };
  const file = {
    password: { file: '/etc/overland/leaf.key' },
    secretKeyRef: { name: 'x', key: 'y' },
  };
  expect(new Secrets().redact(peer)).toEqual(peer);
  expect(new Secrets().redact(file)).toEqual(file);
});

test.each([
  [
    'net.ipv6.conf.eth0.stable_secret = 2001:db8::1',
    'net.ipv6.conf.eth0.stable_secret = [redacted]',
  ],
  ['net.ipv4.tcp_fastopen_key = 0-1-2-3', 'net.ipv4.tcp_fastopen_key = [redacted]'],
  ['ESTAB md5keys:10.0.0.1=hunter2 cubic', 'ESTAB md5keys:[redacted] cubic'],
  ['etcd at https://root:hunter2@10.0.0.1:2379', 'etcd at https://root:[redacted]@10.0.0.1:2379'],
  ['"etcdPassword":"hunter2","x":1', '"etcdPassword":[redacted],"x":1'],
  ['password: hunter2', 'password: [redacted]'],
  ['a\n-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\nb', 'a\n[redacted]\nb'],
  ['{"password":null}', '{"password":null}'],
  ['http://10.0.0.1:2379/v3 is up', 'http://10.0.0.1:2379/v3 is up'],
])('what looks like a secret goes: %s', (text, expected) => {
  expect(new Secrets().scrub(text)).toBe(expected);
});

test('the environment is learned from, names of files are not', () => {
  const secrets = new Secrets();
  secrets.learnFrom({ ETCD_PASSWORD: 'hunter22', ETCD_KEY_FILE: '/key.pem', PATH: '/usr/bin' });
  expect(secrets.scrub('hunter22 /key.pem /usr/bin')).toBe('[redacted] /key.pem /usr/bin');
});
