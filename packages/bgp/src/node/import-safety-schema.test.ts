import { expect, test } from 'vitest';
import { parseSpeakerFile, SpeakerFileError } from './speaker-file.ts';

function speakerFile(role: string, lines: string): string {
  return `
asn: 65011
routerId: 10.0.0.11
role: ${role}
${lines}`;
}

function faults(lines: string): readonly string[] {
  try {
    parseSpeakerFile(speakerFile('host', lines));
    return [];
  } catch (error) {
    if (!(error instanceof SpeakerFileError)) throw error;
    return error.faults;
  }
}

const PEERS = `
defaults: { importSafety: { isNode: true } }
peers:
  - { address: 10.1.0.0, asn: 65000, importSafety: { defaultRoute: true } }
  - { address: 10.1.0.2, asn: 65000, importSafety: true }
  - { address: 10.1.0.4, asn: 65000, importSafety: false }
  - { address: 10.1.0.6, asn: 65000 }
`;

test('the checks of import are on for hosts, and elsewhere where they are asked for', () => {
  const checks = (role: string, lines = PEERS) =>
    parseSpeakerFile(speakerFile(role, lines)).peers.map(({ importSafety }) => importSafety);
  const chosen = [
    { defaultRoute: true, isNode: false },
    { defaultRoute: false, isNode: false },
    undefined,
    { defaultRoute: false, isNode: true },
  ];
  expect(checks('host')).toEqual(chosen);
  expect(checks('router')).toEqual(chosen);
  const plain = 'peers: [{ address: 10.1.0.0, asn: 65000 }]';
  expect(checks('host', plain)).toEqual([{ defaultRoute: false, isNode: false }]);
  expect(checks('router', plain)).toEqual([undefined]);
  expect(checks('reflector', plain)).toEqual([undefined]);
});

test('pools with the length of their blocks, and what is lent', () => {
  const { importSafety } = parseSpeakerFile(
    speakerFile(
      'host',
      `importSafety:
  pools:
    - { prefix: 10.65.0.0/16 }
    - { prefix: 'fd00:65::/48', takesHosts: false }
    - { prefix: 10.66.0.0/16, blockLength: 28 }
    - { prefix: 10.67.0.0/28 }
  lent: [10.65.0.9]`,
    ),
  );
  expect(importSafety).toEqual({
    pools: [
      { prefix: '10.65.0.0/16', blockLength: 26, takesHosts: true },
      { prefix: 'fd00:65::/48', blockLength: 122, takesHosts: false },
      { prefix: '10.66.0.0/16', blockLength: 28, takesHosts: true },
      { prefix: '10.67.0.0/28', blockLength: 28, takesHosts: true },
    ],
    lent: ['10.65.0.9/32'],
  });
});

test.each([
  [
    'importSafety: { pools: [{ prefix: 10.0.0.0/16, blockLength: 8 }] }',
    'importSafety.pools[0].blockLength: must lie between the length of the prefix and that of an address',
  ],
  [
    'importSafety: { pools: [{ prefix: 10.0.0.0/16, blockLength: 33 }] }',
    'importSafety.pools[0].blockLength: must lie between the length of the prefix and that of an address',
  ],
  ['importSafety: { pool: [] }', 'importSafety.pool: unknown field'],
  [
    'peers: [{ address: 10.1.0.0, asn: 1, importSafety: { default: true } }]',
    'peers[0].importSafety.default: unknown field',
  ],
])('%s', (lines, fault) => {
  expect(faults(lines)).toEqual([fault]);
});
