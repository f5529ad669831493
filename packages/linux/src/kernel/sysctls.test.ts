import { expect, test } from 'vitest';
import { sysctlPath } from './sysctls.ts';

test.each([
  ['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
  ['net.ipv4.conf.bond0/100.rp_filter', '/proc/sys/net/ipv4/conf/bond0.100/rp_filter'],
])('%s is %s', (key, path) => {
  expect(sysctlPath(key)).toBe(path);
});

test.each(['', '.', 'net..ipv4', 'net.//.passwd', 'net./.x'])(
  '%j stays inside /proc/sys',
  (key) => {
    expect(() => sysctlPath(key)).toThrow(RangeError);
  },
);
