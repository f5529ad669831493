import { expect, test } from 'vitest';
import { decodeRouteRefresh } from './route-refresh.ts';

test.each([
  ['IPv4 unicast', [0, 1, 0, 1], 'ipv4'],
  ['IPv6 unicast', [0, 2, 0, 1], 'ipv6'],
  ['with outbound filters behind it (RFC 5291)', [0, 1, 0, 1, 1, 64, 0, 0], 'ipv4'],
  ['Begin-of-Route-Refresh, never offered (RFC 7313)', [0, 1, 1, 1], undefined],
  ['VPNv4, never offered', [0, 1, 0, 128], undefined],
])('%s', (_, body, family) => {
  expect(decodeRouteRefresh(Uint8Array.from(body))).toBe(family);
});

test('too short is 7/1', () => {
  const short = Uint8Array.of(0, 1, 0);
  expect(() => decodeRouteRefresh(short)).toThrow(expect.objectContaining({ code: 7, subcode: 1 }));
});
