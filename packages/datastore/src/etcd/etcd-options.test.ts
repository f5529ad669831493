import { expect, test } from 'vitest';
import { checkEtcdOptions, parseEndpoints } from './etcd-options.ts';

test.each([
  ['https://etcd1:2379', { target: 'etcd1:2379', isTls: true }],
  ['http://10.0.0.1:2379/', { target: '10.0.0.1:2379', isTls: false }],
  ['[fd00::1]:2379', { target: '[fd00::1]:2379', isTls: false }],
])('%s is an endpoint', (text, endpoint) => {
  expect(parseEndpoints([text])).toEqual([endpoint]);
});

test.each([['etcd1'], ['ftp://etcd1:2379'], ['etcd1:99999'], ['fd00::1:2379'], ['']])(
  '%j is none',
  (text) => {
    expect(() => parseEndpoints([text])).toThrow(RangeError);
  },
);

test('none at all, or with and without TLS, are refused', () => {
  expect(() => parseEndpoints([])).toThrow('no etcd endpoints');
  expect(() => parseEndpoints(['https://a:1', 'http://b:1'])).toThrow('others are not');
});

const PEM = '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n';

test.each([
  [{}, 'no etcd endpoints'],
  [{ endpoints: ['a:1'], discoverySrv: 'b' }, 'one of them'],
  [{ endpoints: ['a:1'], caCert: PEM, caCertFile: '/ca' }, 'caCert is given both'],
  [{ endpoints: ['a:1'], caCert: '/etc/ca.pem' }, 'caCert is not in PEM'],
  [{ endpoints: ['a:1'], cert: PEM }, 'certificate and its key'],
  [{ endpoints: ['a:1'], keyFile: '/key' }, 'certificate and its key'],
  [{ endpoints: ['a:1'], password: 'x' }, 'without a username'],
])('%j is refused: %s', (options, message) => {
  expect(() => checkEtcdOptions(options)).toThrow(message);
});
