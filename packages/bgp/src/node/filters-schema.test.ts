import { expect, test } from 'vitest';
import { parseSpeakerFile, SpeakerFileError } from './speaker-file.ts';

/** A file with these filters, and one peer. */
function speakerFile(filters: string, peer = 'import: [f]'): string {
  return `
asn: 65011
routerId: 10.0.0.11
peers: [{ address: 10.1.0.0, asn: 65000, ${peer} }]
filters:
${filters}`;
}

function faults(text: string): readonly string[] {
  try {
    parseSpeakerFile(text);
    return [];
  } catch (error) {
    if (!(error instanceof SpeakerFileError)) throw error;
    return error.faults;
  }
}

/** The faults of one rule. */
function ruleFaults(rule: string): readonly string[] {
  return faults(speakerFile(`- { name: f, rules: [${rule}] }`));
}

test('filters are read, and named by peers', () => {
  const config = parseSpeakerFile(`
asn: 65011
routerId: 10.0.0.11
defaults: { import: [no-default], export: [own] }
peers:
  - { address: 10.1.0.0, asn: 65000 }
  - { address: 10.1.0.2, asn: 65000, import: [], export: [own, no-default] }
filters:
  - name: no-default
    rules:
      - name: default
        match: { prefix: { prefix: 0.0.0.0/0, operator: equal } }
        action: reject
      - family: ipv6
        match:
          prefix: { prefix: "fd00::/8", minLength: 48, maxLength: 64 }
          communities: { anyOf: ["65000:1", no-export], allOf: ["65000:1:2"] }
          asPath: { beginsWith: [65000], maxLength: 3 }
          nextHops: ["FD00::1"]
        action: continue
        set:
          communities: { set: [], remove: [blackhole], add: ["65011:7"] }
          prepend: [65011, 65011]
          localPref: 200
          med: remove
  - name: own
    rules: [{ match: { isLearned: true, peerType: ebgp, interface: "eth*" }, action: accept }]
`);
  expect(config.peers.map((peer) => [peer.importFilters, peer.exportFilters])).toEqual([
    [['no-default'], ['own']],
    [[], ['own', 'no-default']],
  ]);
  expect(config.filters).toEqual([
    {
      name: 'no-default',
      rules: [
        {
          name: 'default',
          match: { prefix: { prefix: '0.0.0.0/0', operator: 'equal' } },
          action: 'reject',
        },
        {
          family: 'ipv6',
          match: {
            prefix: { prefix: 'fd00::/8', operator: 'in', minLength: 48, maxLength: 64 },
            communities: { anyOf: ['65000:1', 'no-export'], allOf: ['65000:1:2'] },
            asPath: { beginsWith: [65000], maxLength: 3 },
            nextHops: ['fd00::1'],
          },
          action: 'continue',
          set: {
            communities: { set: [], remove: ['blackhole'], add: ['65011:7'] },
            prepend: [65011, 65011],
            localPref: 200,
            med: 'remove',
          },
        },
      ],
    },
    {
      name: 'own',
      rules: [
        { match: { isLearned: true, peerType: 'ebgp', interface: 'eth*' }, action: 'accept' },
      ],
    },
  ]);
});

test('without filters nothing changes', () => {
  const config = parseSpeakerFile(
    'asn: 1\nrouterId: 10.0.0.1\npeers: [{ address: 10.1.0.0, asn: 2 }]',
  );
  expect(config).not.toHaveProperty('filters');
  expect(config.peers[0]).not.toHaveProperty('importFilters');
});

test.each([
  ['{ action: deny }', 'filters[0].rules[0].action: Invalid option'],
  [
    '{ match: { prefix: { prefix: 10.0.0.1/8 } }, action: accept }',
    'rules[0].match.prefix.prefix:',
  ],
  ['{ match: { prefx: 10.0.0.0/8 }, action: accept }', 'rules[0].match.prefx: unknown field'],
  [
    '{ match: { prefix: { prefix: 10.0.0.0/8, minLength: 25, maxLength: 24 } }, action: accept }',
    'rules[0].match.prefix.minLength: must not be above maxLength',
  ],
  [
    '{ match: { prefix: { prefix: 10.0.0.0/8, minLength: 33 } }, action: accept }',
    'rules[0].match.prefix.maxLength: must not be longer than an address',
  ],
  [
    '{ family: ipv6, match: { prefix: { prefix: 10.0.0.0/8 } }, action: accept }',
    'rules[0].match.prefix: must be of the family of the rule',
  ],
  [
    '{ match: { communities: { anyOf: ["65536:1"] } }, action: accept }',
    'rules[0].match.communities.anyOf[0]: "65536:1" is no community',
  ],
  [
    '{ match: { asPath: { contains: [0] } }, action: accept }',
    'rules[0].match.asPath.contains[0]: 0',
  ],
  ['{ match: { med: -1 }, action: accept }', 'rules[0].match.med: -1 is not allowed'],
  ['{ action: reject, set: { med: 1 } }', 'rules[0].set: must not be there with action reject'],
  [
    '{ name: a, action: accept }, { name: a, action: accept }',
    'rules[1].name: "a" is the name of rules[0]',
  ],
])('a fault names the field: %s', (rule, fault) => {
  expect(ruleFaults(rule)).toEqual([expect.stringContaining(fault)]);
});

test('peers name filters that there are', () => {
  const filter = '- { name: f, rules: [{ action: accept }] }';
  expect(faults(speakerFile(filter, 'import: [f, g], export: [h]'))).toEqual([
    'peers[0].import[1]: there is no filter "g"',
    'peers[0].export[0]: there is no filter "h"',
  ]);
  expect(faults(speakerFile(`${filter}\n${filter}`))).toEqual([
    'filters[1].name: "f" is the name of filters[0]',
  ]);
});

test('verdicts are bounded over all filters of a peer', () => {
  const rules = Array.from({ length: 6 }, () => '{ action: continue, set: { med: 1 } }').join(', ');
  const filters = `- { name: f, rules: [${rules}] }\n- { name: g, rules: [${rules}] }`;
  expect(faults(speakerFile(filters, 'import: [f]'))).toEqual([]);
  expect(faults(speakerFile(filters, 'import: [f, g]'))).toEqual([
    'peers[0].import: 12 rules continue with changes: at most 10 may',
  ]);
});
