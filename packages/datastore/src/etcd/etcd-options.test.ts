import { expect, test } from 'vitest';
import { etcdOptionsFrom, parseEndpoints } from './etcd-options.ts';

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

test("calicoctl's variables", () => {
  expect(etcdOptionsFrom({})).toBeUndefined();
  expect(
    etcdOptionsFrom({
      ETCD_ENDPOINTS: 'https://a:2379, https://b:2379',
      ETCD_USERNAME: 'u',
      ETCD_PASSWORD: '',
      ETCD_CA_CERT_FILE: '/ca',
      OTHER: 'x',
    }),
  ).toEqual({
    endpoints: ['https://a:2379', 'https://b:2379'],
    username: 'u',
    caCertFile: '/ca',
  });
});
