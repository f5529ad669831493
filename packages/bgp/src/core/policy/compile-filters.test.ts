import { parseAddress, parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import {
  asns,
  factsOf,
  type NaiveRoute,
  naiveRoute,
  prefixArgument,
} from '../../../test/naive-policy.ts';
import { PrefixTable } from '../rib/prefix-table.ts';
import { NlriList } from '../wire/nlri.ts';
import { compileFilters } from './compile-filters.ts';
import type { FilterRule, PrefixMatch, RouteMatch } from './route-filter.ts';

function verdictOf(rules: readonly FilterRule[], route: NaiveRoute) {
  const family = route.prefix.includes(':') ? 'ipv6' : 'ipv4';
  const answer = compileFilters([{ name: 'f', rules }], family).of(factsOf(route));
  return answer.kind === 'verdict' ? answer : answer.verdict(...prefixArgument(route.prefix));
}

function matches(match: RouteMatch, route: NaiveRoute): boolean {
  return !verdictOf([{ match, action: 'reject' }], route).accepted;
}

/** `10.1.0.0/16 in 20-24`. */
function prefixMatch(text: string): PrefixMatch {
  const [prefix = '', operator, lengths = '-'] = text.split(' ');
  const [min, max] = lengths.split('-');
  return {
    prefix: parsePrefix(prefix),
    operator: operator as PrefixMatch['operator'],
    ...(min && { minLength: Number(min) }),
    ...(max && { maxLength: Number(max) }),
  };
}

// `net = P`, `net != P`, `net ~ [ P{min,max} ]` and `net !~ [ P{min,max} ]` of BIRD, which Calico makes of these, with
// min not below the length of P.
test.each<[condition: string, holdsFor: string[], otherwise: string[]]>([
  ['44.4.0.0/16 equal', ['44.4.0.0/16'], ['44.4.0.0/17', '44.0.0.0/8', '44.5.0.0/16']],
  ['44.4.0.0/16 notEqual', ['44.4.0.0/17', '44.0.0.0/8'], ['44.4.0.0/16']],
  ['77.7.0.0/16 in', ['77.7.0.0/16', '77.7.1.0/24', '77.7.0.1/32'], ['77.0.0.0/8', '77.8.0.0/16']],
  ['55.4.0.0/16 notIn', ['55.0.0.0/8', '55.5.0.0/16'], ['55.4.0.0/16', '55.4.4.0/24']],
  ['55.4.0.0/16 notIn 16-24', ['55.4.0.0/25', '55.5.0.0/20'], ['55.4.0.0/16', '55.4.0.0/24']],
  ['88.7.0.0/16 notIn -24', ['88.7.0.0/25', '88.0.0.0/8'], ['88.7.0.0/16', '88.7.9.0/24']],
  ['10.0.0.0/8 in 24-26', ['10.1.2.0/24', '10.1.2.64/26'], ['10.1.0.0/16', '10.1.2.0/27']],
  ['10.0.0.0/8 in 4-', ['10.0.0.0/8', '10.0.0.1/32'], ['8.0.0.0/7', '0.0.0.0/0']],
  ['10.0.0.0/8 in 26-24', [], ['10.0.0.0/25', '10.0.0.0/24', '10.0.0.0/26']],
  ['10.0.0.0/8 equal 9-', [], ['10.0.0.0/8', '10.0.0.0/9']],
  ['0.0.0.0/0 equal', ['0.0.0.0/0'], ['10.0.0.0/8', '0.0.0.0/1']],
  ['0.0.0.0/0 in', ['0.0.0.0/0', '192.0.2.0/24'], ['::/0']],
  ['192.0.2.1/32 in', ['192.0.2.1/32'], ['192.0.2.0/32', '192.0.2.0/31']],
  ['224.0.0.0/3 in', ['224.0.0.0/4', '255.255.255.255/32'], ['192.0.0.0/3', '128.0.0.0/1']],
  ['6000:1::/64 notIn 96-', ['6000:1::/95', '6000:2::/96'], ['6000:1::/96', '6000:1::1/128']],
  ['8000:1::/64 notEqual', ['8000:1::/65', '8000:1::/63'], ['8000:1::/64']],
  [
    '9000:1::/64 notIn 96-120',
    ['9000:1::/95', '9000:1::/121'],
    ['9000:1::/96', '9000:1::ff00/120'],
  ],
  ['fd00::/9 in', ['fd00::/9', 'fd7f:ffff::/32'], ['fd80::/9', 'fd00::/8', '10.0.0.0/8']],
  [
    'fd00:0:0:1:8000::/65 in',
    ['fd00:0:0:1:8000::/65', 'fd00:0:0:1:ffff::1/128'],
    ['fd00:0:0:1::/65'],
  ],
  ['::/0 in -0', ['::/0'], ['2000::/3', '0.0.0.0/0']],
])('prefix: %s', (condition, holdsFor, otherwise) => {
  const prefix = prefixMatch(condition);
  const held = [...holdsFor, ...otherwise].filter((text) => matches({ prefix }, naiveRoute(text)));
  expect(held).toEqual(holdsFor);
});

test.each<[what: string, match: RouteMatch, route: Partial<NaiveRoute>, holds: boolean]>([
  ['RemotePeers', { isLearned: true }, { isLearned: true }, true],
  ['RemotePeers, own route', { isLearned: true }, { isLearned: false }, false],
  ['eBGP', { peerType: 'ebgp' }, { isEbgp: true }, true],
  ['eBGP on iBGP', { peerType: 'ebgp' }, { isEbgp: false }, false],
  ['iBGP on iBGP', { peerType: 'ibgp' }, { isEbgp: false }, true],
  ['interface', { interface: 'eth0' }, { interface: 'eth0' }, true],
  ['interface is whole', { interface: 'eth' }, { interface: 'eth0' }, false],
  ['a point is a point', { interface: 'vxlan.calico' }, { interface: 'vxlan-calico' }, false],
  ['interface wildcard', { interface: '*.calico' }, { interface: 'vxlan.calico' }, true],
  ['wildcard for nothing', { interface: 'eth*0' }, { interface: 'eth0' }, true],
  ['wildcards do not overlap', { interface: 'ab*ba' }, { interface: 'aba' }, false],
  ['two wildcards', { interface: 'e*h*0' }, { interface: 'eth1.10' }, true],
  ['no interface', { interface: '*' }, { interface: undefined }, false],
  [
    'community',
    { communities: { allOf: ['65000:100'] } },
    { communities: ['1:1', '65000:100'] },
    true,
  ],
  [
    'no community',
    { communities: { allOf: ['65000:100'] } },
    { communities: ['100:65000'] },
    false,
  ],
  ['large', { communities: { anyOf: ['65000:10:20'] } }, { communities: ['65000:10:20'] }, true],
  ['not large', { communities: { anyOf: ['65000:10:20'] } }, { communities: ['65000:10'] }, false],
  ['by name', { communities: { anyOf: ['no-export'] } }, { communities: ['65535:65281'] }, true],
  ['none of none', { communities: { anyOf: [] } }, { communities: ['1:1'] }, false],
  ['path begins', { asPath: { beginsWith: asns(1, 2) } }, { asPath: [1, 2, 3] }, true],
  ['path begins, whole', { asPath: { beginsWith: asns(1, 2) } }, { asPath: [1, 2] }, true],
  ['path too short', { asPath: { beginsWith: asns(1, 2) } }, { asPath: [1] }, false],
  ['path begins otherwise', { asPath: { beginsWith: asns(2) } }, { asPath: [1, 2] }, false],
  ['a set has it', { asPath: { beginsWith: asns(1, 2) } }, { asPath: [[9, 1], 2] }, true],
  ['path ends', { asPath: { endsWith: asns(2, 3) } }, { asPath: [1, 2, 3] }, true],
  ['path ends otherwise', { asPath: { endsWith: asns(2) } }, { asPath: [2, 3] }, false],
  ['path ends in a set', { asPath: { endsWith: asns(2, 3) } }, { asPath: [1, 2, [3, 4]] }, true],
  ['path has', { asPath: { contains: asns(2, 4) } }, { asPath: [1, 2, [3, 4]] }, true],
  ['path has not', { asPath: { contains: asns(2, 5) } }, { asPath: [1, 2, [3, 4]] }, false],
  ['a set is one long', { asPath: { maxLength: 2 } }, { asPath: [1, [3, 4]] }, true],
  ['path too long', { asPath: { maxLength: 2 } }, { asPath: [1, 2, 3] }, false],
  ['empty path', { asPath: { minLength: 1 } }, { asPath: [] }, false],
  ['next hop', { nextHops: [parseAddress('10.0.1.1')] }, {}, true],
  ['no next hop', { nextHops: [parseAddress('10.0.1.1')] }, { nextHop: undefined }, false],
  ['LOCAL_PREF', { localPrefs: [200, 300] }, { localPref: 300 }, true],
  ['LOCAL_PREF by default', { localPrefs: [100] }, {}, true],
  ['MED by default', { med: 0 }, {}, true],
  ['another MED', { med: 0 }, { med: 4_294_967_295 }, false],
  ['all must hold', { med: 0, isLearned: true, interface: 'eth1' }, {}, false],
  ['no condition', {}, {}, true],
])('%s', (_, match, route, holds) => {
  expect(matches(match, naiveRoute('10.1.0.0/16', route))).toBe(holds);
});

describe('order', () => {
  const CATCH_ALL: FilterRule = { action: 'reject' };
  const IN_TEN: FilterRule = { match: { prefix: prefixMatch('10.0.0.0/8 in') }, action: 'accept' };

  test.each([
    ['10.1.0.0/16', true, 'f[0]'],
    ['11.0.0.0/8', false, 'f[1]'],
  ])('the first rule that holds decides: %s', (prefix, accepted, rule) => {
    expect(verdictOf([IN_TEN, CATCH_ALL, IN_TEN], naiveRoute(prefix))).toMatchObject({
      ...{ accepted, rule, isDefault: false, edits: undefined },
    });
  });

  test('a filter without a rule that holds leaves it to the next, the last one to the default', () => {
    const filters = [
      { name: 'first', rules: [IN_TEN] },
      { name: 'second', rules: [{ name: 'no-eleven', ...CATCH_ALL }] },
    ];
    const policy = compileFilters(filters, 'ipv4');
    const answer = policy.of(factsOf(naiveRoute('11.0.0.0/8')));
    if (answer.kind === 'verdict') throw new Error('the prefix matters');
    const rules = ['11.0.0.0/8', '10.0.0.0/8'].map(
      (text) => answer.verdict(...prefixArgument(parsePrefix(text))).rule,
    );
    expect(rules).toEqual(['second/no-eleven', 'first[0]']);
    expect(
      compileFilters(filters.slice(0, 1), 'ipv6').of(factsOf(naiveRoute('::/0'))),
    ).toMatchObject({
      ...{ accepted: true, rule: 'default', isDefault: true, edits: undefined },
    });
  });

  test('rules of the other family are none', () => {
    const rules: FilterRule[] = [
      { family: 'ipv6', action: 'reject' },
      { match: { prefix: prefixMatch('fd00::/8 notIn') }, action: 'reject' },
    ];
    expect(compileFilters([{ name: 'f', rules }], 'ipv4').id).toBe('');
    expect(verdictOf(rules, naiveRoute('10.0.0.0/8')).isDefault).toBe(true);
    expect(verdictOf(rules.slice(1), naiveRoute('2001:db8::/32')).rule).toBe('f[0]');
  });

  test('conditions are about the route as it came', () => {
    const rules: FilterRule[] = [
      { action: 'continue', set: { med: 5, communities: { add: ['65000:1'] } } },
      { match: { med: 5 }, action: 'reject' },
      { match: { med: 0 }, action: 'accept', set: { localPref: 7 } },
    ];
    expect(verdictOf(rules, naiveRoute('10.0.0.0/8'))).toMatchObject({
      rule: 'f[2]',
      edits: { med: 5, localPref: 7, added: [65_000 * 65_536 + 1] },
    });
  });
});

test('the prefix is asked for only by rules that are left', () => {
  const rules: FilterRule[] = [
    { match: { communities: { allOf: ['65000:1'] } }, action: 'reject' },
    { match: { prefix: prefixMatch('10.0.0.0/8 in'), peerType: 'ibgp' }, action: 'reject' },
    { match: { interface: 'eth1' }, action: 'reject' },
  ];
  const policy = compileFilters([{ name: 'f', rules }], 'ipv4');
  const kind = (rest: Partial<NaiveRoute>) =>
    policy.of(factsOf(naiveRoute('10.0.0.0/8', rest))).kind;
  expect(kind({ communities: ['65000:1'], isEbgp: false })).toBe('verdict');
  expect(kind({ isEbgp: true })).toBe('verdict');
  expect(kind({ isEbgp: false })).toBe('prefix-verdicts');
  expect([policy.needsInterface, policy.needsNextHop]).toEqual([true, false]);
});

test('policies have one id if they treat routes alike', () => {
  const rules: FilterRule[] = [{ match: { med: 1 }, action: 'reject' }];
  const id = (name: string, more: FilterRule[] = []) =>
    compileFilters([{ name, rules: [...rules, ...more] }], 'ipv4').id;
  expect(id('f')).toBe(id('f', [{ family: 'ipv6', action: 'accept' }]));
  expect(new Set([id('f'), id('g'), id('f', [{ action: 'accept' }])]).size).toBe(3);
  expect(compileFilters([], 'ipv4').id).toBe('');
});

test.each(['65536:1', '1', '1:2:3:4', 'no-such', '4294967296:1:1'])(
  '%s is no community',
  (text) => {
    const rule: FilterRule = { match: { communities: { allOf: [text] } }, action: 'accept' };
    expect(() => compileFilters([{ name: 'f', rules: [rule] }], 'ipv4')).toThrow(RangeError);
  },
);

test('verdicts that a peer can bring about are bounded', () => {
  const rules = Array.from(
    { length: 11 },
    (_, i): FilterRule => ({ action: 'continue', set: { localPref: i } }),
  );
  expect(() => compileFilters([{ name: 'f', rules }], 'ipv4')).toThrow('at most 10');
  expect(compileFilters([{ name: 'f', rules: rules.slice(1) }], 'ipv4').id).not.toBe('');
});

test.each(['10.1.2.0/24', 'fd00:0:0:1:8000::/65'])('prefixes of the table are read: %s', (text) => {
  const [words, at, length] = prefixArgument(parsePrefix(text));
  const family = text.includes(':') ? 'ipv6' : 'ipv4';
  const table = new PrefixTable(family);
  const list = new NlriList(1);
  list.count = 1;
  list.wordsEach = words.length - at;
  list.lengths[0] = length;
  list.words.set(words.subarray(at));
  const ids = new Int32Array(1);
  table.internAll(list, ids);
  const read = new Int32Array(words.length);
  table.readWords(ids[0] ?? 0, read, at);
  expect([...read.subarray(at)]).toEqual([...words.subarray(at)]);
});
