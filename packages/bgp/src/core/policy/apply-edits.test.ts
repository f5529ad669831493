import { expect, test } from 'vitest';
import {
  asns,
  attributeOctets,
  type NaiveRoute,
  naiveRoute,
  readAttributes,
} from '../../../test/naive-policy.ts';
import { MAX_ATTRIBUTE_OCTETS } from '../rib/attribute-table.ts';
import { applyEdits, TOO_LONG } from './apply-edits.ts';
import { composeEdits, editsOf, NO_EDITS } from './compose-edits.ts';
import type { RouteChanges } from './route-filter.ts';

/** The octets of a route after changes, one after the other. */
function change(route: NaiveRoute, ...changes: RouteChanges[]): Uint8Array | typeof TOO_LONG {
  const octets = attributeOctets(route);
  const edits = changes.map((each) => editsOf(each, 65_101)).reduce(composeEdits, NO_EDITS);
  const target = new Uint8Array(MAX_ATTRIBUTE_OCTETS).fill(0xee);
  const bytes = Uint8Array.from([0xaa, ...octets, 0xaa]);
  const length = applyEdits(bytes, { offset: 1, length: octets.length }, edits, target);
  return length === TOO_LONG ? TOO_LONG : target.slice(0, length);
}

const ROUTE: NaiveRoute = naiveRoute('10.0.0.0/8', {
  communities: ['65000:1', '65000:2', '65000:1:2'],
});

test.each<[string, RouteChanges[], Partial<NaiveRoute>]>([
  ['LOCAL_PREF is set', [{ localPref: 0 }], { localPref: 0 }],
  ['MED is set', [{ med: 4_294_967_295 }], { med: 4_294_967_295 }],
  ['the last LOCAL_PREF counts', [{ localPref: 5 }, { localPref: 7 }], { localPref: 7 }],
  ['a MED set and removed is none', [{ med: 5 }, { med: 'remove' }], {}],
  [
    'AS numbers are prepended, the first in front',
    [{ prepend: asns(65_010, 65_011) }, { prepend: asns(65_012) }],
    { asPath: [65_012, 65_010, 65_011, 65_001] },
  ],
  [
    'communities are added behind, and once',
    [{ communities: { add: ['65000:3', '65000:1', '4200000000:5:6'] } }],
    { communities: ['65000:1', '65000:2', '65000:3', '65000:1:2', '4200000000:5:6'] },
  ],
  [
    'communities are removed',
    [{ communities: { remove: ['65000:1', '65000:1:2'] } }],
    { communities: ['65000:2'] },
  ],
  [
    'what is removed and added stays, behind',
    [{ communities: { remove: ['65000:1'], add: ['65000:1'] } }],
    { communities: ['65000:2', '65000:1', '65000:1:2'] },
  ],
  ['communities are replaced by none', [{ communities: { set: [] } }], { communities: [] }],
  [
    'communities are replaced, then removed and added',
    [
      { communities: { add: ['65000:9'] } },
      { communities: { set: ['65000:5', '65000:6'], remove: ['65000:6'], add: ['NO-EXPORT'] } },
      { communities: { remove: ['65000:5'] } },
    ],
    { communities: ['65535:65281'] },
  ],
])('%s', (_, changes, result) => {
  expect(change(ROUTE, ...changes)).toEqual(attributeOctets({ ...ROUTE, ...result }));
});

test('attributes that are there give way to those that are set', () => {
  const route = naiveRoute('10.0.0.0/8', { med: 1, localPref: 2 });
  expect(change(route, { med: 3, localPref: 4 })).toEqual(
    attributeOctets({ ...route, med: 3, localPref: 4 }),
  );
  expect(change(route, { med: 'remove' })).toEqual(attributeOctets({ ...route, med: undefined }));
});

test('the Partial bit of communities that others passed on stays', () => {
  const octets = attributeOctets(ROUTE);
  const at = octets.findIndex((code, i) => code === 8 && octets[i - 1] === 0xc0) - 1;
  octets[at] = 0xe0;
  const target = new Uint8Array(MAX_ATTRIBUTE_OCTETS);
  const edits = editsOf({ communities: { remove: ['65000:2'] } });
  const length = applyEdits(octets, { offset: 0, length: octets.length }, edits, target);
  expect([length, target[at], target[at + 2]]).toEqual([octets.length - 4, 0xe0, 4]);
});

test('a segment takes 255 AS numbers, and the one in front the rest', () => {
  const asPath = asns(...Array.from({ length: 250 }, (_, i) => 65_000 + i));
  const prepend = asns(...Array.from({ length: 270 }, (_, i) => i + 1));
  const octets = change({ ...ROUTE, asPath }, { prepend });
  if (octets === TOO_LONG) throw new Error('too long');
  expect(readAttributes(octets).asPath).toEqual([...prepend, ...asPath]);
  // Two octets each for three segments: 10, 255 and 255 numbers.
  const path = octets.findIndex((code, i) => code === 2 && (octets[i - 1] ?? 0) === 0x50);
  expect([octets[path + 3], octets[path + 4]]).toEqual([2, 10]);
  expect(((octets[path + 1] ?? 0) << 8) | (octets[path + 2] ?? 0)).toBe(3 * 2 + 4 * 520);
});

test('a set is not joined', () => {
  const octets = change({ ...ROUTE, asPath: [[65_001, 65_002]] }, { prepend: asns(65_009) });
  expect(octets).toEqual(attributeOctets({ ...ROUTE, asPath: [65_009, [65_001, 65_002]] }));
});

test('an empty path gets a segment, and a route without AS_PATH one', () => {
  expect(change({ ...ROUTE, asPath: [] }, { prepend: asns(65_009) })).toEqual(
    attributeOctets({ ...ROUTE, asPath: [65_009] }),
  );
  const target = new Uint8Array(MAX_ATTRIBUTE_OCTETS);
  const edits = editsOf({ prepend: asns(65_009) });
  const length = applyEdits(Uint8Array.of(0x40, 1, 1, 0), { offset: 0, length: 4 }, edits, target);
  expect([...target.slice(0, length)]).toEqual([
    ...[0x40, 1, 1, 0],
    ...[0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xf1],
  ]);
});

test('what would outgrow an attribute set is refused', () => {
  const communities = Array.from({ length: 4000 }, (_, i) => `65000:${i}`);
  const long = { ...ROUTE, communities };
  const room = MAX_ATTRIBUTE_OCTETS - attributeOctets(long).length;
  const fits = Math.floor(room / 4);
  const added = Array.from({ length: fits + 1 }, (_, i) => `65001:${i}`);
  expect(change(long, { communities: { add: added.slice(1) } })).toHaveLength(
    attributeOctets(long).length + 4 * fits,
  );
  expect(change(long, { communities: { add: added } })).toBe(TOO_LONG);
  expect(change(long, { prepend: asns(...Array(20_000).fill(65_009)) })).toBe(TOO_LONG);
});

test('edits that change nothing give the same octets', () => {
  const octets = attributeOctets(ROUTE);
  expect(change(ROUTE, {})).toEqual(octets);
  expect(change(ROUTE, { communities: { add: ['65000:1'], remove: ['65000:7'] } })).toEqual(octets);
});

test('a link bandwidth takes the place of those that are there, or goes', () => {
  const extended = (route: NaiveRoute, ...changes: RouteChanges[]) =>
    readAttributes(change(route, ...changes) as Uint8Array).extended;
  // 25 Gbit/s are 3.125e9 octets per second.
  const ours = '0004fe4d4f3a43b7';
  expect(extended(ROUTE, { linkBandwidth: 25e9 })).toEqual(['0002000100000009', ours]);
  const route = { ...ROUTE, linkBandwidth: 1e9 };
  expect(extended(route)).toEqual(['0002000100000009', '400400014cee6b28']);
  expect(extended(route, { linkBandwidth: 25e9 })).toEqual(['0002000100000009', ours]);
  expect(extended(route, { linkBandwidth: 25e9 }, { linkBandwidth: 'remove' })).toEqual([
    '0002000100000009',
  ]);
  expect(change(route, { linkBandwidth: 'remove' })).toEqual(attributeOctets(ROUTE));
});
