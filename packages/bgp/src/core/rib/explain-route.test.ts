import { type Family, parseAddress, parseAsn, parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { type UpdateText, updateOctets } from '../../../test/update-octets.ts';
import type { EstablishedSession, PeerConfig, RouteFilter, SpeakerConfig } from '../index.ts';

const LOCAL = { asn: 65000, address: '10.1.0.254' };
const ROUTE = '10.9.0.0/16';

interface PeerText extends Partial<PeerConfig> {
  readonly session?: Partial<EstablishedSession>;
}

/**
 * A speaker of AS 65000 on one subnet with its peers 10.1.0.1, 10.1.0.2, …: the first is of AS 65001, and so on, unless
 * it says otherwise. Ids are places in the list.
 */
class Subject {
  readonly speaker: Speaker;
  readonly #config: SpeakerConfig;

  constructor(peers: readonly PeerText[], change: Parameters<typeof speakerConfig>[1] = {}) {
    const configs = peers.map(({ session: _, ...overrides }, n) =>
      peerConfig(`10.1.0.${n + 1}`, 65001 + n, {
        name: `p${n + 1}`,
        ...overrides,
      }),
    );
    this.#config = speakerConfig(65000, { peers: configs, ...change });
    this.speaker = new Speaker(this.#config);
    this.links();
    this.speaker.engine.endDeferral();
    for (const [n, config] of configs.entries()) {
      const routerId = parseAddress(`192.0.2.${n + 1}`);
      const session = { peerRouterId: routerId, ...peers[n]?.session };
      this.speaker.engine.peerUp(sessionWith(n, config, LOCAL, session));
      this.speaker.plug(n, () => {});
    }
  }

  links(usable = true, unreachable: readonly string[] = []): void {
    const eth1 = link('eth1', ['10.1.0.254/24', 'fd00:1::ffff/64'], usable);
    const state = { ...eth1, unreachable: unreachable.map(parseAddress) };
    this.speaker.engine.setInterfaces([state]);
  }

  configure(change: Partial<SpeakerConfig>): void {
    this.speaker.engine.configure({ ...this.#config, ...change });
  }

  /** The peer announces {@link ROUTE}, its own AS in the path, unless the update says otherwise. */
  learn(peer: number, update: UpdateText = {}): this {
    const isIpv6 = update.announce?.[0]?.includes(':');
    const nextHop = isIpv6 ? `fd00:1::${peer + 1}` : `10.1.0.${peer + 1}`;
    const asPath = [65001 + peer];
    const body = updateOctets({ announce: [ROUTE], nextHop, asPath, ...update });
    expect(this.speaker.engine.receiveUpdate(peer, body)).toBeUndefined();
    return this;
  }

  explain(text = ROUTE, to?: number, match: 'exact' | 'longest' = 'exact') {
    settle(this.speaker);
    return this.glance(text, to, match);
  }

  /** As things are, before what is to be done. */
  glance(text = ROUTE, to?: number, match: 'exact' | 'longest' = 'exact') {
    const prefix = { prefix: parsePrefix(text), match };
    return this.speaker.engine.explain({ prefix, ...(to !== undefined && { to }) });
  }

  /** `STEP: PATH (peer) VALUE < VALUE` of each step that decided against something. */
  losses(text = ROUTE): string[] {
    const { decision, paths } = this.explain(text);
    return decision.steps.flatMap(({ step, values, lost }) =>
      lost.map(({ path, against }) => {
        const of = (n: number) =>
          `${paths[n - 1]?.path.peer ?? 'self'} ${values.find((one) => one.path === n)?.value}`;
        return `${step}: ${of(path)} loses to ${of(against)}`;
      }),
    );
  }

  census(peer: number, family: Family = 'ipv4') {
    settle(this.speaker);
    const search = this.speaker.engine.census(peer, family);
    while (search.step(1));
    const { received, sent } = search.result();
    const text = (tallies: typeof received) =>
      tallies.map(({ what, detail, count, example }) =>
        [what, detail ?? '', count, example].filter((part) => part !== '').join(' '),
      );
    return { received: text(received), sent: sent && text(sent) };
  }
}

test.each<[step: string, a: UpdateText, b: UpdateText, loss: string]>([
  ['AS_PATH length', { asPath: [65001, 65009] }, {}, 'as-path-length: p1 2 loses to p2 1'],
  ['ORIGIN', { origin: 2 }, { origin: 0 }, 'origin: p1 incomplete loses to p2 igp'],
  [
    'MED of one neighbouring AS',
    { med: 20, asPath: [65009] },
    { med: 10, asPath: [65009] },
    'med: p1 20 loses to p2 10',
  ],
  ['BGP Identifier', {}, {}, 'router-id: p2 192.0.2.2 loses to p1 192.0.2.1'],
])('%s decides, and the explanation names both values', (_, a, b, loss) => {
  const subject = new Subject([{}, {}]).learn(0, a).learn(1, b);
  expect(subject.losses()).toEqual([loss]);
  const { paths } = subject.explain();
  expect(paths.map(({ path }) => path.best)).toEqual([true, false]);
});

test('MED of different neighbouring AS is not compared', () => {
  const subject = new Subject([{}, {}]).learn(0, { med: 20 }).learn(1, { med: 10 });
  expect(subject.losses()).toEqual(['router-id: p2 192.0.2.2 loses to p1 192.0.2.1']);
});

test('LOCAL_PREF, eBGP before iBGP, and our own before all', () => {
  const ibgp = { asn: parseAsn(65000) };
  const preferred = new Subject([ibgp, {}]).learn(0, { localPref: 200, asPath: [65009] }).learn(1);
  expect(preferred.losses()).toEqual(['local-pref: p2 100 loses to p1 200']);
  const kinds = new Subject([ibgp, {}]).learn(0, { localPref: 100, asPath: [65009] }).learn(1);
  expect(kinds.losses()).toEqual(['ebgp-over-ibgp: p1 iBGP loses to p2 eBGP']);
  const own = new Subject([{}], { originate: [ROUTE] }).learn(0);
  expect(own.losses()).toEqual(['originated: p1 learned loses to self own']);
  expect(own.explain().paths[0]).toMatchObject({ imported: null, nextHop: { state: 'own' } });
});

test('the cluster list and the address of the peer break ties', () => {
  const peers = [{ asn: parseAsn(65000) }, { asn: parseAsn(65000) }];
  const clusters = new Subject(peers)
    .learn(0, { originatorId: 7, clusterList: [1, 2] })
    .learn(1, { originatorId: 7, clusterList: [3] });
  const lengths = 'cluster-list-length: p1 2 loses to p2 1';
  expect(clusters.losses()).toEqual([lengths]);
  const addresses = new Subject(peers).learn(0, { originatorId: 7 }).learn(1, { originatorId: 7 });
  expect(addresses.losses()).toEqual(['peer-address: p2 1 loses to p1 0']);
});

test('of several paths of one peer the next hop decides, and what they are at last (RFC 7911)', () => {
  const session = { addPath: { receive: ['ipv4'], send: [] } } as const;
  const subject = new Subject([{ session }])
    .learn(0, { pathIds: [1], nextHop: '10.1.0.7' })
    .learn(0, { pathIds: [2], nextHop: '10.1.0.6', communities: [1] })
    .learn(0, { pathIds: [3], nextHop: '10.1.0.6' });
  expect(subject.losses()).toEqual([
    'next-hop: p1 10.1.0.7 loses to p1 10.1.0.6',
    'attributes: p1 - loses to p1 -',
  ]);
});

test('one path needs no decision; of several, each step that was needed is named', () => {
  expect(new Subject([{}]).learn(0).explain().decision).toEqual({
    isSettled: true,
    steps: [],
    equal: [{ path: 1, share: 'best' }],
  });
  const { decision } = new Subject([{}, {}, {}])
    .learn(0, { origin: 1 })
    .learn(1)
    .learn(2)
    .explain();
  expect(decision.steps.map(({ step, values }) => `${step} ${values.length}`)).toEqual([
    'originated 3',
    'long-lived-stale 3',
    'local-pref 3',
    'as-path-length 3',
    'origin 3',
    'med 2',
    'ebgp-over-ibgp 2',
    'router-id 2',
  ]);
});

test('paths of equal cost share the load, or it is said why not', () => {
  const shares = (multipath: SpeakerConfig['multipath'], asPaths: readonly number[]) => {
    const subject = new Subject([{}, {}, {}], { multipath });
    for (const [n, asn] of asPaths.entries()) subject.learn(n, { asPath: [asn] });
    return subject.explain().decision.equal.map(({ share }) => share);
  };
  const two = { maxPaths: 2, relaxAsPath: true };
  expect(shares(two, [1, 2, 3])).toEqual(['best', 'multipath', 'above-max-paths']);
  const strict = { maxPaths: 8, relaxAsPath: false };
  expect(shares(strict, [1, 2, 1])).toEqual(['best', 'other-as-path', 'multipath']);
});

const FILTERS: RouteFilter[] = [
  {
    name: 'in',
    rules: [
      {
        name: 'raise',
        action: 'continue',
        set: { localPref: 200, communities: { add: ['65000:1'] } },
      },
      { name: 'other', match: { med: 9 }, action: 'reject' },
      {
        name: 'small',
        match: { prefix: { prefix: parsePrefix('10.9.0.0/16'), operator: 'in', minLength: 25 } },
        action: 'reject',
      },
    ],
  },
  { name: 'out', rules: [{ action: 'reject' }] },
  {
    name: 'pad',
    rules: [{ name: 'far', action: 'accept', set: { prepend: [parseAsn(65000)], med: 5 } }],
  },
];

test('import: each rule that holds is named with what it changes, and the attributes before and after', () => {
  const subject = new Subject([{ importFilters: ['in'] }], { filters: FILTERS });
  subject.learn(0, { announce: [ROUTE, '10.9.1.0/26'] });
  const raise = {
    rule: 'in/raise',
    action: 'continue',
    changes: ['local-pref 200', 'communities + 65000:1'],
  };
  const [accepted] = subject.explain().paths;
  expect(accepted).toMatchObject({
    ineligible: null,
    imported: { unsafe: null, rules: [raise], isPending: false },
    path: { localPref: 200, communities: ['65000:1'] },
  });
  expect(accepted?.received.map(({ name }) => name)).not.toContain('COMMUNITIES');
  expect(accepted?.accepted).toContainEqual(
    expect.objectContaining({ name: 'COMMUNITIES', value: ['65000:1'] }),
  );
  const [refused] = subject.explain('10.9.1.0/26').paths;
  expect(refused).toMatchObject({
    ineligible: 'refused',
    path: { refused: 'filter in/small', best: false },
    imported: { rules: [raise, { rule: 'in/small', action: 'reject', changes: [] }] },
  });
});

test('a filter that has just changed is told to be pending until it has been applied', () => {
  const subject = new Subject([{ importFilters: ['in'] }], { filters: FILTERS }).learn(0);
  subject.explain();
  subject.configure({ filters: [{ name: 'in', rules: [{ action: 'reject' }] }] });
  expect(subject.glance().paths[0]?.imported).toMatchObject({ isPending: true });
  expect(subject.explain().paths[0]).toMatchObject({
    ineligible: 'refused',
    imported: { isPending: false, rules: [{ rule: 'in[0]', action: 'reject' }] },
  });
});

test.each<[reason: string, prefix: string, update: UpdateText]>([
  ['own-prefix', '10.65.0.0/27', {}],
  ['longer-than-block', '10.65.1.0/28', {}],
  ['default-route', '0.0.0.0/0', {}],
])('import safety: %s', (unsafe, prefix, update) => {
  const pool = { prefix: parsePrefix('10.65.0.0/16'), blockLength: 26, takesHosts: true };
  const subject = new Subject([{ importSafety: { defaultRoute: false, isNode: false } }], {
    importSafety: { pools: [pool], lent: [] },
    originate: ['10.65.0.0/26'],
  });
  subject.learn(0, { announce: [prefix], ...update });
  expect(subject.explain(prefix).paths[0]).toMatchObject({
    ineligible: 'refused',
    path: { refused: unsafe },
    imported: { unsafe, rules: [] },
  });
  expect(subject.census(0).received).toEqual([`refused ${unsafe} 1 ${prefix}`]);
});

test('loops are refused before any filter', () => {
  const subject = new Subject([{}]).learn(0, { asPath: [65001, 65000] });
  expect(subject.explain().paths[0]).toMatchObject({
    ineligible: 'refused',
    path: { refused: 'as-path-loop' },
    imported: { unsafe: null, rules: [] },
  });
});

test('next hops: on no link, our own, not answering', () => {
  const stateOf = (nextHop: string) => {
    const subject = new Subject([{}]).learn(0, { nextHop });
    return subject
      .explain()
      .paths.map(({ ineligible, nextHop: { state, device } }) =>
        [ineligible, state, device].join(' '),
      );
  };
  expect(stateOf('10.1.0.1')).toEqual([' usable eth1']);
  expect(stateOf('192.0.2.77')).toEqual(['next-hop not-on-a-link ']);
  expect(stateOf('10.1.0.254')).toEqual(['next-hop own-address ']);
  const silent = new Subject([{}]).learn(0);
  silent.links(true, ['10.1.0.1']);
  expect(silent.explain().paths[0]).toMatchObject({
    ineligible: 'next-hop',
    nextHop: { address: '10.1.0.1', state: 'unanswered', device: 'eth1' },
  });
  expect(silent.census(0).received).toEqual([`next-hop unanswered 1 ${ROUTE}`]);
});

test('what a session leaves behind is told to be of a session that has ended until it is flushed', () => {
  const subject = new Subject([{}, {}]).learn(0).learn(1);
  subject.explain();
  subject.speaker.unplug(0);
  subject.speaker.engine.peerDown(0, []);
  expect(subject.glance().paths).toMatchObject([
    { path: { peer: 'p2' }, ineligible: null },
    { path: { peer: 'p1' }, ineligible: 'session-ended' },
  ]);
  expect(subject.explain().paths).toHaveLength(1);
});

test('a change that has not been decided yet is told so', () => {
  const subject = new Subject([{}]).learn(0);
  expect(subject.glance().decision.isSettled).toBe(false);
  expect(subject.explain().decision.isSettled).toBe(true);
});

test('nothing there: what covers it, and whether it could ever be', () => {
  const subject = new Subject([{}]).learn(0);
  expect(subject.explain('10.9.1.0/24')).toMatchObject({
    prefix: '10.9.1.0/24',
    paths: [],
    absence: { isMartian: false, covering: ROUTE },
  });
  expect(subject.explain('127.0.0.0/8')).toMatchObject({
    absence: { isMartian: true, covering: null },
  });
  expect(subject.explain('10.9.1.0/24', undefined, 'longest')).toMatchObject({
    prefix: ROUTE,
    absence: null,
  });
});

const CLIENT = { asn: parseAsn(65000), routeReflectorClient: true };
const INTERNAL = { asn: parseAsn(65000) };

interface Withheld {
  readonly refusal: string;
  readonly from?: PeerText;
  readonly update?: UpdateText;
  readonly to?: PeerText;
  readonly speaker?: Partial<Omit<SpeakerConfig, 'originate'>>;
}

test.each<Withheld>([
  { refusal: 'no-advertise', update: { communities: [0xffff_ff02] } },
  { refusal: 'no-export', update: { communities: [0xffff_ff01] } },
  { refusal: 'long-lived-stale', update: { communities: [0xffff_0006] } },
  { refusal: 'not-reflected', from: INTERNAL, to: INTERNAL },
  { refusal: 'not-reflected', from: CLIENT, to: CLIENT, speaker: { clientToClient: false } },
  { refusal: 'host-role', speaker: { role: 'host' } },
  { refusal: 'reflector-role', speaker: { role: 'reflector' } },
  { refusal: 'filter', to: { exportFilters: ['out'] } },
  // Both roles are ours: what comes from a provider is marked.
  { refusal: 'only-to-customer', from: { role: 'customer' }, to: { role: 'peer' } },
])('to a peer: %j', ({ refusal, from = {}, update = {}, to = {}, speaker = {} }) => {
  const subject = new Subject([from, to], { filters: FILTERS, ...speaker }).learn(0, update);
  const { export: told } = subject.explain(ROUTE, 1);
  expect(told).toMatchObject({ state: 'withheld', refusal, sent: [] });
  const rules = refusal === 'filter' ? [{ rule: 'out[0]', action: 'reject', changes: [] }] : [];
  expect(told?.rules).toEqual(rules);
  const detail = refusal === 'filter' ? 'filter out[0]' : refusal;
  expect(subject.census(1).sent).toEqual([`withheld ${detail} 1 ${ROUTE}`]);
});

test('to a peer that is offered an aggregate instead', () => {
  const aggregates = [{ prefix: parsePrefix('10.0.0.0/8'), summaryOnly: true }];
  const subject = new Subject([{}, {}], { aggregates }).learn(0);
  expect(subject.explain(ROUTE, 1).export?.refusal).toBe('summarised');
  expect(subject.census(1).sent).toEqual([
    `withheld summarised 1 ${ROUTE}`,
    'advertised 1 10.0.0.0/8',
  ]);
});

test('to a peer: what it gets, and which rule changed it', () => {
  const subject = new Subject([{}, { exportFilters: ['pad'], nextHop: 'self' }], {
    filters: FILTERS,
  });
  const { export: told } = subject.learn(0).explain(ROUTE, 1);
  expect(told).toMatchObject({
    state: 'advertised',
    refusal: null,
    rules: [{ rule: 'pad/far', action: 'accept', changes: ['med 5', 'prepend 65000'] }],
    sent: [{ isDefaultOriginated: false, nextHop: '10.1.0.254', isOwnNextHop: true }],
  });
  expect(told?.sent[0]?.attributes.map(({ name, value }) => [name, value])).toEqual([
    ['ORIGIN', 'igp'],
    ['AS_PATH', [{ type: 'sequence', asns: [65000, 65000, 65001] }]],
    ['MULTI_EXIT_DISC', 5],
  ]);
  expect(subject.census(1).sent).toEqual([`advertised 1 ${ROUTE}`]);
});

test('to a peer: its own route, no session, no such family, nothing to send', () => {
  const subject = new Subject([{}, { families: ['ipv4'] }]).learn(0);
  subject.learn(0, { announce: ['2001:db8::/32'] });
  expect(subject.explain(ROUTE, 0).export).toMatchObject({
    state: 'withheld',
    refusal: 'split-horizon',
    rules: [],
  });
  expect(subject.explain('2001:db8::/32', 1).export?.state).toBe('not-negotiated');
  expect(subject.explain('10.8.0.0/16', 1).export).toMatchObject({ refusal: 'no-route' });
  subject.speaker.unplug(1);
  subject.speaker.engine.peerDown(1, []);
  expect(subject.explain(ROUTE, 1).export?.state).toBe('down');
  expect(subject.census(1)).toEqual({ received: [], sent: null });
});

test('to a peer: a next hop that it cannot be told', () => {
  const subject = new Subject([{}], { originate: ['2001:db8::/32'] });
  subject.speaker.engine.setInterfaces([link('eth1', ['10.1.0.254/24'])]);
  expect(subject.explain('2001:db8::/32', 0).export).toMatchObject({ refusal: 'no-next-hop' });
});

test('to a peer: pending before it is sent, deferred while a restart holds everything back', () => {
  const subject = new Subject([{}, {}]);
  subject.speaker.unplug(1);
  subject.learn(0);
  while (subject.speaker.engine.step(64));
  expect(subject.glance(ROUTE, 1).export?.state).toBe('pending');
  const restarted = new Speaker(speakerConfig(65000, { originate: [ROUTE] }));
  restarted.engine.setInterfaces([link('eth1', ['10.1.0.254/24'])]);
  restarted.engine.peerUp(sessionWith(1, peerConfig('10.1.0.1', 65001), LOCAL));
  while (restarted.engine.step(64));
  const prefix = { prefix: parsePrefix(ROUTE), match: 'exact' } as const;
  expect(restarted.engine.explain({ prefix, to: 1 }).export?.state).toBe('deferred');
});

test('to a peer: the default route that it is offered by itself', () => {
  const subject = new Subject([{ defaultOriginate: true }]);
  expect(subject.explain('0.0.0.0/0', 0)).toMatchObject({
    paths: [],
    export: { state: 'advertised', rules: [], sent: [{ isDefaultOriginated: true }] },
  });
});

test('several paths of one peer (add-path): which identifiers, each with its fate', () => {
  const session = { addPath: { receive: ['ipv4' as const], send: [] } };
  const subject = new Subject([{ addPath: { receive: true }, session }]);
  subject.learn(0, { announce: [ROUTE, ROUTE], pathIds: [7, 2] });
  subject.learn(0, { pathIds: [9], asPath: [65001, 65009] });
  expect(subject.explain().paths).toMatchObject([
    { pathIds: [2, 7], path: { best: true } },
    { pathIds: [9], path: { best: false } },
  ]);
  expect(subject.losses()).toEqual(['as-path-length: p1 2 loses to p1 1']);
  expect(subject.census(0).received).toEqual([`best 2 ${ROUTE}`, `other 1 ${ROUTE}`]);
});

test('to a peer that takes path identifiers: each path that it gets, or the rule that keeps all from it', () => {
  const session = { addPath: { receive: [], send: ['ipv4' as const] } };
  const learned = (receiver: PeerText): Subject => {
    const subject = new Subject([{}, {}, { session, ...receiver }], { filters: FILTERS });
    return subject.learn(0).learn(1, { origin: 2 });
  };
  const { export: told } = learned({ addPath: { receive: false, send: 'all' } }).explain(ROUTE, 2);
  expect(told).toMatchObject({ state: 'advertised', refusal: null });
  const origins = told?.sent.map(({ pathId, attributes }) => [
    typeof pathId,
    attributes.find(({ name }) => name === 'ORIGIN')?.value,
  ]);
  expect(origins?.toSorted()).toEqual([
    ['number', 'igp'],
    ['number', 'incomplete'],
  ]);
  const none = learned({
    addPath: { receive: false, send: 'all' },
    exportFilters: ['out'],
  }).explain(ROUTE, 2);
  expect(none.export).toMatchObject({
    state: 'withheld',
    refusal: 'filter',
    rules: [{ rule: 'out[0]' }],
    sent: [],
  });
});

test('a peer whose routes are made the last choice: the change that is made to all of them', () => {
  const subject = new Subject([{ gracefulShutdown: true }]).learn(0);
  expect(subject.explain().paths[0]?.imported?.rules).toEqual([
    {
      rule: 'always',
      action: 'continue',
      changes: expect.arrayContaining([expect.stringContaining('GRACEFUL_SHUTDOWN')]),
    },
  ]);
});

test('IPv6', () => {
  const announce = ['2001:db8::/32'];
  const subject = new Subject([{}, {}, {}])
    .learn(0, { announce, asPath: [65001, 65009] })
    .learn(1, { announce });
  expect(subject.losses('2001:db8::/32')).toEqual(['as-path-length: p1 2 loses to p2 1']);
  const told = subject.explain('2001:db8::/32', 2);
  expect(told).toMatchObject({
    paths: [{ nextHop: { address: 'fd00:1::2', state: 'usable', device: 'eth1' } }, {}],
    export: { state: 'advertised', sent: [{ nextHop: expect.stringMatching(/^fd00:1::/) }] },
  });
  expect(subject.census(1, 'ipv6').received).toEqual(['best 1 2001:db8::/32']);
  expect(subject.census(0, 'ipv6').received).toEqual(['other 1 2001:db8::/32']);
});

/** Of few values, so that every step comes to decide. */
const anyRoute = fc.record({
  origin: fc.constantFrom<0 | 1 | 2>(0, 2),
  asPath: fc.constantFrom([65001], [65002], [65002, 65003], [65001, 65000]),
  med: fc.constantFrom(0, 10, 20),
  nextHop: fc.constantFrom('10.1.0.1', '192.0.2.1'),
});

test('whatever the paths: each that is eligible and not best has lost one step, to one that stayed', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { minLength: 1, maxLength: 6 }), (routes) => {
      const multipath = { maxPaths: 3, relaxAsPath: false };
      const subject = new Subject(
        Array.from(routes, () => ({})),
        { multipath },
      );
      for (const [n, route] of routes.entries()) subject.learn(n, route);
      const { paths, decision } = subject.explain();
      const eligible = paths.filter(({ ineligible }) => ineligible === null);
      const losers = decision.steps.flatMap(({ lost }) => lost.map(({ path }) => path));
      expect(new Set(losers).size).toBe(losers.length);
      expect(losers).toHaveLength(Math.max(0, eligible.length - 1));
      for (const [n, { path, ineligible }] of paths.entries()) {
        expect(losers.includes(n + 1)).toBe(ineligible === null && !path.best);
        const share = decision.equal.find((one) => one.path === n + 1)?.share;
        expect(path.best).toBe(share === 'best');
        expect(path.multipath && !path.best).toBe(share === 'multipath');
      }
      for (const { lost } of decision.steps) {
        for (const { path, against } of lost) {
          expect(lost.some((one) => one.path === against)).toBe(false);
          expect(against).toBeGreaterThan(0);
          expect(path).not.toBe(against);
        }
      }
    }),
    { numRuns: 200 },
  );
});
