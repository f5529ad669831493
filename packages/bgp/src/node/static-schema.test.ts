import { expect, test } from 'vitest';
import { parseSpeakerFile, SpeakerFileError } from './speaker-file.ts';

const file = (routes: string): string =>
  `{ asn: 65011, routerId: 10.0.0.11, originate: [10.7.0.0/16], static: [${routes}] }`;

function faults(routes: string): readonly string[] {
  try {
    parseSpeakerFile(file(routes));
    return [];
  } catch (error) {
    if (!(error instanceof SpeakerFileError)) throw error;
    return error.faults;
  }
}

test('static routes', () => {
  const routes = `
    { prefix: 10.8.0.0/16, nextHops: [10.1.0.1, { address: 10.2.0.1, bfd: { transmitMs: 50 } }] },
    { prefix: "fd00:8::/64", nextHops: ["fe80::1%eth1"], advertise: true, communities: ["65000:1"] }`;
  expect(parseSpeakerFile(file(routes)).static).toEqual([
    {
      prefix: '10.8.0.0/16',
      nextHops: [
        { address: '10.1.0.1' },
        { address: '10.2.0.1', bfd: { transmitMs: 50, strict: false } },
      ],
      advertise: false,
    },
    {
      prefix: 'fd00:8::/64',
      nextHops: [{ address: 'fe80::1', interface: 'eth1' }],
      advertise: true,
      communities: ['65000:1'],
    },
  ]);
});

test.each([
  ['{ prefix: 10.8.0.0/16, nextHops: [] }', /static\[0\]\.nextHops: /],
  ['{ prefix: "fd00:8::/64", nextHops: [10.1.0.1] }', /must be IPv6 addresses, as the prefix is/],
  ['{ prefix: 10.8.0.0/16, nextHops: ["fe80::1"] }', /must name its interface/],
  [
    '{ prefix: 10.8.0.0/16, nextHops: [10.1.0.1], communities: ["65000:1"] }',
    /communities: must come with advertise/,
  ],
  [
    '{ prefix: 10.8.0.0/16, nextHops: [10.1.0.1] }, { prefix: 10.8.0.0/16, nextHops: [10.1.0.2] }',
    /static\[1\]\.prefix: 10\.8\.0\.0\/16 is the prefix of static\[0\]/,
  ],
  ['{ prefix: 10.7.0.0/16, nextHops: [10.1.0.1] }', /10\.7\.0\.0\/16 is in originate, too/],
  ['{ prefix: 10.8.0.0/16, nextHops: [10.1.0.1, 10.1.0.1] }', /it is the same as nextHops\[0\]/],
])('%s', (routes, fault) => {
  expect(faults(routes)).toEqual([expect.stringMatching(fault)]);
});
