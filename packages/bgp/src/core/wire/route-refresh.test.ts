import { expect, test } from 'vitest';
import { decodeRouteRefresh, encodeRouteRefresh } from './route-refresh.ts';

test.each([
  ['IPv4 unicast', [0, 1, 0, 1], 'request ipv4'],
  ['IPv6 unicast', [0, 2, 0, 1], 'request ipv6'],
  ['with outbound filters behind it (RFC 5291)', [0, 1, 0, 1, 1, 64, 0, 0], 'request ipv4'],
  ['Begin-of-Route-Refresh (RFC 7313)', [0, 1, 1, 1], 'begin ipv4'],
  ['End-of-Route-Refresh', [0, 2, 2, 1], 'end ipv6'],
  ['a subtype that nobody knows', [0, 1, 3, 1], 'nothing'],
  ['the same, with something behind it', [0, 1, 255, 1, 0], 'nothing'],
  ['VPNv4, never offered', [0, 1, 0, 128], 'nothing'],
])('%s', (_, body, text) => {
  const refresh = decodeRouteRefresh(Uint8Array.from(body));
  expect(refresh ? `${refresh.kind} ${refresh.family}` : 'nothing').toBe(text);
});

test('too short is 7/1', () => {
  const short = Uint8Array.of(0, 1, 0);
  expect(() => decodeRouteRefresh(short)).toThrow(expect.objectContaining({ code: 7, subcode: 1 }));
});

test.each([1, 2])('subtype %i with another length than 4 is 7/1 with the message', (subtype) => {
  const data = Uint8Array.of(...Array(16).fill(0xff), 0, 24, 5, 0, 1, subtype, 1, 9);
  expect(() => decodeRouteRefresh(Uint8Array.of(0, 1, subtype, 1, 9))).toThrow(
    expect.objectContaining({ code: 7, subcode: 1, data }),
  );
});

test('what is encoded: RFC 7313 section 3.2', () => {
  const octets = encodeRouteRefresh({ kind: 'begin', family: 'ipv6' });
  expect(Buffer.from(octets).toString('hex')).toBe(`${'ff'.repeat(16)}00170500020101`);
  expect(decodeRouteRefresh(octets.subarray(19))).toEqual({ kind: 'begin', family: 'ipv6' });
});
