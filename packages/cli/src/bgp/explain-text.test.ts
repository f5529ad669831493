import type { ExportExplanation, PathExplanation, RouteExplanation } from '@overland/bgp';
import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { explainText } from './explain-text.ts';
import { neighbor } from './testing/neighbor.ts';

const attribute = (name: string, value: PathExplanation['received'][number]['value']) => ({
  code: 1,
  name,
  flags: [],
  value,
  hex: 'ff',
});

const BASE: PathExplanation = {
  path: {
    peer: 'spine1',
    pathId: null,
    best: true,
    multipath: false,
    internal: false,
    stale: false,
    usable: true,
    refused: null,
    rpki: null,
    nextHop: parseAddress('10.1.0.1'),
    asPath: [65001],
    origin: 'igp',
    med: null,
    localPref: 200,
    communities: [],
    originatorId: null,
    clusterList: [],
  },
  pathIds: [],
  ineligible: null,
  imported: { unsafe: null, rules: [], isPending: false },
  received: [
    attribute('ORIGIN', 'igp'),
    attribute('AS_PATH', [
      { type: 'sequence', asns: [65001] },
      { type: 'set', asns: [1, 2] },
    ]),
  ],
  accepted: null,
  nextHop: { address: parseAddress('10.1.0.1'), state: 'usable', device: 'eth1' },
};

function path(peer: string, change: Partial<PathExplanation> = {}): PathExplanation {
  return { ...BASE, ...change, path: { ...BASE.path, best: false, peer, ...change.path } };
}

const ROUTE: RouteExplanation = {
  prefix: parsePrefix('10.9.0.0/16'),
  paths: [
    {
      ...BASE,
      imported: {
        unsafe: null,
        rules: [{ rule: 'in/raise', action: 'continue', changes: ['local-pref 200'] }],
        isPending: false,
      },
      accepted: [...BASE.received, attribute('LOCAL_PREF', 200)],
    },
    path('spine2', { pathIds: [3, 7] }),
    path('spine3', {
      ineligible: 'next-hop',
      nextHop: { address: parseAddress('10.1.0.3'), state: 'unanswered', device: 'eth1' },
    }),
    path('spine4', {
      ineligible: 'refused',
      path: { ...BASE.path, refused: 'filter in/small', best: false, peer: 'spine4' },
    }),
  ],
  decision: {
    isSettled: true,
    steps: [
      {
        step: 'originated',
        values: [
          { path: 1, value: 'learned' },
          { path: 2, value: 'learned' },
        ],
        lost: [],
      },
      {
        step: 'local-pref',
        values: [
          { path: 1, value: '200' },
          { path: 2, value: '100' },
        ],
        lost: [{ path: 2, against: 1 }],
      },
    ],
    equal: [{ path: 1, share: 'best' }],
  },
  export: null,
  absence: null,
};

const text = (change: Partial<RouteExplanation> = {}, to = neighbor({})): string =>
  explainText({ route: { ...ROUTE, ...change }, to }, coloursFor({}, {}));

test('each path with what touched it, and each step with what it compared', () => {
  expect(text()).toBe(`\
10.9.0.0/16: 4 paths

Path 1 from spine1, eBGP, next hop 10.1.0.1 (eth1): best
  attributes: ORIGIN igp, AS_PATH 65001 {1 2}, LOCAL_PREF 200
  as received: ORIGIN igp, AS_PATH 65001 {1 2}
  import rules: in/raise continue (local-pref 200)

Path 2 from spine2, eBGP, path id 3 and 7, next hop 10.1.0.1 (eth1): not chosen
  attributes: ORIGIN igp, AS_PATH 65001 {1 2}

Path 3 from spine3, eBGP, next hop 10.1.0.3 (eth1): cannot be chosen: next hop 10.1.0.3 does not answer
  attributes: ORIGIN igp, AS_PATH 65001 {1 2}

Path 4 from spine4, eBGP, next hop 10.1.0.1 (eth1): cannot be chosen: import refuses it (filter in/small)
  attributes: ORIGIN igp, AS_PATH 65001 {1 2}

Decision
  originated  all learned
  local-pref  2 (100) loses to 1 (200)
`);
});

test('steps that compare nothing, paths that share the load, and what is still to be decided', () => {
  const decision: RouteExplanation['decision'] = {
    isSettled: false,
    steps: [
      {
        step: 'med',
        values: [
          { path: 1, value: '20' },
          { path: 2, value: '10' },
        ],
        lost: [],
      },
    ],
    equal: [
      { path: 1, share: 'best' },
      { path: 2, share: 'multipath' },
      { path: 3, share: 'other-as-path' },
    ],
  };
  expect(text({ decision })).toContain(`
Decision
  med  1: 20, 2: 10; compared within one neighbouring AS only
  of equal cost: 2 shares the load, 3 does not share the load (another AS_PATH; multipath.relaxAsPath is off)

It is being decided.
`);
});

test.each([
  [{ isMartian: false, covering: null }, '10.9.0.0/16: there is no path\n'],
  [
    { isMartian: false, covering: parsePrefix('10.0.0.0/8') },
    '10.9.0.0/16: there is no path; what covers it is 10.0.0.0/8\n',
  ],
  [{ isMartian: true, covering: null }, /no path; it can never be routed, .*\(martian\)\n/],
])('nothing there: %j', (absence, expected) => {
  const decision = { isSettled: true, steps: [], equal: [] };
  const said = text({ paths: [], decision, absence });
  if (typeof expected === 'string') expect(said).toBe(expected);
  else expect(said).toMatch(expected);
});

const EXPORT: ExportExplanation = {
  state: 'advertised',
  refusal: null,
  rules: [{ rule: 'pad/far', action: 'accept', changes: ['med 5'] }],
  sent: [
    {
      pathId: null,
      isDefaultOriginated: false,
      attributes: [attribute('ORIGIN', 'igp'), attribute('MULTI_EXIT_DISC', 5)],
      nextHop: parseAddress('10.1.0.254'),
      isOwnNextHop: true,
    },
  ],
};

test('to a peer that gets it', () => {
  expect(text({ export: EXPORT })).toContain(`
To spine1: advertised
  export rules: pad/far accept (med 5)
  next hop: 10.1.0.254 (ours)
  attributes: ORIGIN igp, MULTI_EXIT_DISC 5
`);
});

test.each<[Partial<ExportExplanation>, string]>([
  [{ refusal: 'filter' }, 'not advertised: an export filter rejects it'],
  [{ refusal: 'split-horizon' }, 'not advertised: the best route is its own'],
  [{ refusal: 'host-role' }, 'not advertised: a host offers only what is its own'],
  [
    { state: 'withdrawing', refusal: 'no-export' },
    'about to be withdrawn: the route has NO_EXPORT',
  ],
  [{ state: 'pending' }, 'about to be sent'],
  [{ state: 'deferred' }, 'not yet: after the restart'],
])('to a peer that does not: %j', (change, expected) => {
  const told = { ...EXPORT, state: 'withheld', rules: [], sent: [], ...change } as const;
  expect(text({ export: told })).toContain(`To spine1: ${expected}`);
});

test('to a peer without a session: why there is none', () => {
  const told = { ...EXPORT, state: 'down', rules: [], sent: [] } as const;
  const down = neighbor({ session: null, state: 'Active', lastError: 'ECONNREFUSED' });
  expect(text({ export: told }, down)).toContain(
    'To spine1: not advertised: the session is Active: ECONNREFUSED',
  );
  const ipv6 = parsePrefix('2001:db8::/32');
  const other = { ...told, state: 'not-negotiated' } as const;
  expect(text({ export: other, prefix: ipv6 })).toContain(
    'To spine1: not advertised: the peer does not announce IPv6 Unicast',
  );
});
