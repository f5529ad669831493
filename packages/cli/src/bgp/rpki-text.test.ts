import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { rpkiStatusText, vrpLine } from './rpki-text.ts';

test('caches, their data and their faults', () => {
  const text = rpkiStatusText({
    caches: [
      {
        address: '10.0.9.1',
        port: 323,
        state: 'waiting',
        version: 1,
        sessionId: null,
        serial: null,
        lastError: 'ECONNREFUSED',
      },
      {
        address: '10.0.9.2',
        port: 8282,
        state: 'in-use',
        version: 0,
        sessionId: 17,
        serial: 4,
        lastError: null,
      },
    ],
    vrps: { ipv4: 500_000, ipv6: 100_000 },
    ageSeconds: 62,
    expiresInSeconds: 7138,
  });
  expect(text).toBe(`500000 IPv4 and 100000 IPv6 VRPs, 00:01:02 old, for another 01:58:58

Cache     Port  State    V  Session  Serial
10.0.9.1   323  waiting  -        -       -
10.0.9.2  8282  in-use   0       17       4

10.0.9.1 port 323: ECONNREFUSED
`);
});

test('a speaker without caches, and one that has heard of none', () => {
  const none = { vrps: { ipv4: 0, ipv6: 0 }, ageSeconds: null, expiresInSeconds: null };
  expect(rpkiStatusText({ caches: [], ...none })).toContain('no RPKI cache is configured');
  expect(vrpLine({ prefix: parsePrefix('192.0.2.0/24'), maxLength: 26, asn: 64_500 })).toBe(
    '192.0.2.0/24 max 26 AS64500\n',
  );
});
