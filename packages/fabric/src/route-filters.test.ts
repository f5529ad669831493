import { compileFilters } from '@overland/bgp';
import { expect, test } from 'vitest';
import { filter } from '../test/fixture.ts';
import { FilterCatalog } from './route-filters.ts';

const IN_POOL = { cidr: '10.65.0.0/16', matchOperator: 'In', action: 'Accept' };
const REST = { action: 'Reject' };

/** What becomes of one rule. */
function rule(given: object) {
  const catalog = new FilterCatalog([filter('f', { importV4: [{ action: 'Accept', ...given }] })]);
  const names = catalog.namesFor(['f'], ['ipv4']);
  const [first] = catalog.select([names]);
  return first?.rules[0];
}

test('each list with rules is a filter of its own, named in the order of the peer', () => {
  const catalog = new FilterCatalog([
    filter('b', { importV4: [IN_POOL], exportV6: [REST] }),
    filter('a', { importV4: [REST], importV6: [REST], exportV4: [] }),
  ]);
  expect(catalog.namesFor(['b', 'a'], ['ipv4'])).toEqual({
    importFilters: ['b/importV4', 'a/importV4'],
  });
  expect(catalog.namesFor(['b', 'a'], ['ipv6'])).toEqual({
    importFilters: ['a/importV6'],
    exportFilters: ['b/exportV6'],
  });
  const selected = catalog.select([catalog.namesFor(['b', 'a'], ['ipv4'])]);
  expect(selected.map(({ name }) => name)).toEqual(['a/importV4', 'b/importV4']);
  expect(compileFilters(selected, 'ipv4').id).not.toBe('');
});

test.each<[string, object, object]>([
  ['nothing', {}, {}],
  [
    'cidr',
    { cidr: '10.0.0.0/8', matchOperator: 'NotIn', prefixLength: { max: 24 } },
    { match: { prefix: { prefix: '10.0.0.0/8', operator: 'notIn', maxLength: 24 } } },
  ],
  [
    'cidr, exactly',
    { cidr: '10.0.0.0/8', matchOperator: 'NotEqual', prefixLength: { min: 0 } },
    { match: { prefix: { prefix: '10.0.0.0/8', operator: 'notEqual', minLength: 0 } } },
  ],
  ['source', { source: 'RemotePeers' }, { match: { isLearned: true } }],
  ['interface', { interface: '*.calico' }, { match: { interface: '*.calico' } }],
  ['peerType', { peerType: 'iBGP' }, { match: { peerType: 'ibgp' } }],
  [
    'communities',
    { communities: { values: ['65000:1:2'] } },
    { match: { communities: { allOf: ['65000:1:2'] } } },
  ],
  ['asPathPrefix', { asPathPrefix: [1, 2] }, { match: { asPath: { beginsWith: [1, 2] } } }],
  [
    'communities of all kinds',
    { communities: { values: ['65000:1'], anyOf: ['65000:2', '65000:3'], allOf: ['1:2:3'] } },
    {
      match: { communities: { anyOf: ['65000:2', '65000:3'], allOf: ['65000:1', '1:2:3'] } },
    },
  ],
  [
    'one of several',
    { communities: { anyOf: ['1:2'] } },
    { match: { communities: { anyOf: ['1:2'] } } },
  ],
  [
    'asPath',
    { asPathPrefix: [1], asPath: { endsWith: [2], contains: [3, 4], minLength: 0, maxLength: 9 } },
    {
      match: {
        asPath: { beginsWith: [1], endsWith: [2], contains: [3, 4], minLength: 0, maxLength: 9 },
      },
    },
  ],
  ['nextHops', { nextHops: ['10.0.0.1'] }, { match: { nextHops: ['10.0.0.1'] } }],
  ['localPreferences', { localPreferences: [0, 100] }, { match: { localPrefs: [0, 100] } }],
  [
    'localPreferences and priority',
    { localPreferences: [100, 200], priority: 1024 },
    { match: { localPrefs: [100] } },
  ],
  ['med', { med: 0 }, { match: { med: 0 } }],
  ['continue', { continue: true }, { action: 'continue' }],
  ['no asPathPrefix', { asPathPrefix: [] }, {}],
  ['an elevated priority', { priority: 512 }, { match: { localPrefs: [2_147_483_135] } }],
  ['the normal priority', { priority: 1024 }, { match: { localPrefs: [100, 2_147_482_623] } }],
  ['Reject', { action: 'Reject' }, { action: 'reject' }],
  [
    'operations, in order',
    {
      operations: [
        { addCommunity: { value: '65000:1' } },
        { prependASPath: { prefix: [65_010, 65_011] } },
        { prependASPath: { prefix: [65_012] } },
        { addCommunity: { value: '1:2:3' } },
        { setPriority: { value: 1024 } },
        { setPriority: { value: 512 } },
      ],
    },
    {
      set: {
        communities: { add: ['65000:1', '1:2:3'] },
        prepend: [65_012, 65_010, 65_011],
        localPref: 2_147_483_135,
      },
    },
  ],
  [
    'link bandwidth and next hop, the last of each',
    {
      operations: [
        { removeLinkBandwidth: {} },
        { setLinkBandwidth: { megabitsPerSecond: 25_000 } },
        { setNextHop: { value: '10.9.1.1' } },
      ],
    },
    { set: { linkBandwidth: 25e9, nextHop: '10.9.1.1' } },
  ],
  [
    'our own next hop, and no bandwidth',
    { operations: [{ setNextHopSelf: {} }, { removeLinkBandwidth: {} }] },
    { set: { linkBandwidth: 'remove', nextHop: 'self' } },
  ],
  [
    'communities set, removed and added, in order',
    {
      operations: [
        { addCommunity: { value: '1:1' } },
        { setCommunities: { values: ['2:2', '3:3'] } },
        { addCommunity: { value: '4:4' } },
        { removeCommunity: { value: '3:3' } },
        { removeCommunity: { value: '4:4' } },
        { addCommunity: { value: '3:3' } },
      ],
    },
    { set: { communities: { set: ['2:2'], add: ['3:3'] } } },
  ],
  [
    'communities removed and added again',
    {
      operations: [
        { addCommunity: { value: '1:1' } },
        { removeCommunity: { value: '1:1' } },
        { removeCommunity: { value: '2:2' } },
        { addCommunity: { value: '2:2' } },
      ],
    },
    { set: { communities: { remove: ['1:1', '2:2'], add: ['2:2'] } } },
  ],
  [
    'no communities at all',
    { operations: [{ setCommunities: { values: [] } }] },
    { set: { communities: { set: [] } } },
  ],
  [
    'LOCAL_PREF and MED: the last one counts',
    {
      operations: [
        { setPriority: { value: 512 } },
        { setLocalPreference: { value: 300 } },
        { removeMED: {} },
        { setMED: { value: 0 } },
      ],
    },
    { set: { localPref: 300, med: 0 } },
  ],
  ['no MED', { operations: [{ removeMED: {} }] }, { set: { med: 'remove' } }],
  [
    'back to the normal priority',
    { operations: [{ setPriority: { value: 1024 } }] },
    { set: { localPref: 100 } },
  ],
])('%s', (_, given, expected) => {
  expect(rule(given)).toEqual({ family: 'ipv4', action: 'accept', ...expected });
});

test('what cannot be honoured is a fault, with its field', () => {
  const low = { action: 'Accept', operations: [{ setPriority: { value: 1025 } }] };
  const catalog = new FilterCatalog([
    filter('good', { importV4: [IN_POOL] }),
    filter('low', { importV4: [IN_POOL], exportV6: [REST, low] }),
  ]);
  expect(catalog.fault(['good'])).toBeUndefined();
  expect(catalog.fault(['good', 'none'])).toBe(
    'there is no BGPFilter none: no session is made without',
  );
  expect(catalog.fault(['low'])).toBe(
    'BGPFilter low: exportV6[1].operations[0].setPriority above 1024 is not supported: no session is made without',
  );
});

test('a condition that this version does not know is a fault: the rule would hold for too much', () => {
  const catalog = new FilterCatalog([
    filter('later', { importV4: [IN_POOL, { ...REST, rpki: 'Invalid' }] }),
    filter('deep', { exportV6: [{ action: 'Accept', operations: [{ setColour: { value: 1 } }] }] }),
  ]);
  expect(catalog.fault(['later'])).toBe(
    'BGPFilter later: importV4[1].rpki is not known to this version: no session is made without',
  );
  expect(catalog.fault(['deep'])).toContain('exportV6[0].operations[0].setColour is not known');
});

test('a session has at most ten rules that continue with operations', () => {
  const tag = (n: number) => ({
    action: 'Accept',
    continue: true,
    operations: [{ addCommunity: { value: `65000:${n}` } }],
  });
  const rules = (count: number) => Array.from({ length: count }, (_, n) => tag(n));
  const catalog = new FilterCatalog([
    filter('six', { importV4: rules(6) }),
    filter('five', { importV4: [...rules(5), { action: 'Accept', continue: true }] }),
    filter('out', { exportV4: rules(5) }),
  ]);
  expect(catalog.fault(['six', 'out'])).toBeUndefined();
  expect(catalog.fault(['five', 'out'])).toBeUndefined();
  expect(catalog.fault(['six', 'five'])).toBe(
    'importV4 of its filters: 11 rules continue with operations, at most 10 may: no session is made without',
  );
});
