import type { OriginAnswer, RpkiStatus, VrpPage } from '@overland/bgp/node';
import type { TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { type BgpRun, startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { startGobgp } from './support/gobgp.ts';
import { startOpenbgpd } from './support/openbgpd.ts';
import { type Roa, startStayrtr } from './support/stayrtr.ts';
import { until } from './support/until.ts';

/** Feeds three routes, and validates for itself with the same cache. */
const BIRD = `
router id 10.0.0.1;
roa4 table r4;
roa6 table r6;
protocol device {}
protocol rpki { roa4 { table r4; }; roa6 { table r6; }; remote ${THEIRS.ipv4} port 8282; retry 1; }
protocol static {
  ipv4;
  route 10.99.1.0/24 blackhole;
  route 10.99.2.0/24 blackhole;
  route 10.99.3.0/24 blackhole;
}
protocol bgp on_ipv4 {
  local ${THEIRS.ipv4} as 65011;
  neighbor ${OURS.ipv4} as 65101;
  hold time 9; connect retry time 1; connect delay time 1; error wait time 1, 3;
  ipv4 { import all; export where source = RTS_STATIC; };
}
`;

const ROAS: readonly Roa[] = [
  { prefix: '10.99.1.0/24', maxLength: 24, asn: 65011 },
  { prefix: '10.99.2.0/23', maxLength: 23, asn: 65011 },
  { prefix: '10.99.3.0/24', maxLength: 32, asn: 65009 },
  { prefix: 'fd00:99::/32', maxLength: 48, asn: 65011 },
];

/** BIRD's numbers of what `roa_check` says. */
const BIRD_STATES = { 'not-found': 0, valid: 1, invalid: 2 } as const;

const speakerWith = (ports: readonly number[]): string =>
  JSON.stringify({
    asn: 65101,
    routerId: '10.0.0.5',
    rpki: {
      caches: ports.map((port) => ({ address: THEIRS.ipv4, port })),
      refreshSeconds: 1,
      retrySeconds: 1,
    },
    filters: [
      {
        name: 'validate',
        rules: [
          { name: 'invalid', match: { rpki: 'invalid' }, action: 'reject' },
          { match: { rpki: 'valid' }, action: 'accept', set: { localPref: 200 } },
        ],
      },
    ],
    defaults: { holdSeconds: 9, connectRetrySeconds: 1, import: ['validate'] },
    peers: [{ name: 'leaf', address: THEIRS.ipv4, asn: 65011 }],
  });

const ask =
  (ours: BgpRun) =>
  async <T>(...args: readonly string[]): Promise<T> => {
    const { out, err } = await captureRun(['bgp', ...args, '-o', 'json', '--socket', ours.socket]);
    expect(err).toBe('');
    return JSON.parse(out) as T;
  };

const stateOf = async (ours: BgpRun): Promise<RpkiStatus['caches'][number]['state'][]> =>
  (await ask(ours)<RpkiStatus>('rpki')).caches.map(({ state }) => state);

const refused = async (ours: BgpRun): Promise<number> => {
  const { out } = await captureRun([
    ...['bgp', 'routes', '--filtered', '-o', 'json'],
    ...['--socket', ours.socket],
  ]);
  return [...out.matchAll(/"10\.99\./g)].length;
};

test('routes are refused and preferred by what StayRTR tells, as BIRD judges them, and follow its changes', async () => {
  await using net = await fabric();
  await using cache = await startStayrtr(net.leaf, ROAS);
  await using bird = await startBird(net.leaf, BIRD);
  await using ours = await startBgpRun(net.host as TestNamespace, speakerWith([8282]), [
    '--no-fib',
  ]);
  await until(
    () => `VRPs and routes are here: ${ours.log}`,
    async () => (await stateOf(ours))[0] === 'in-use' && (await refused(ours)) > 0,
  );
  await until('BIRD has the VRPs', async () =>
    (await bird.birdc('show route table r4')).includes('65009'),
  );

  const verdicts: Record<string, string> = {};
  for (const [prefix, asn] of [
    ['10.99.1.0/24', 65011],
    ['10.99.2.0/24', 65011],
    ['10.99.2.0/23', 65011],
    ['10.99.3.0/24', 65011],
    ['10.99.3.128/25', 65009],
    ['10.99.0.0/16', 65011],
  ] as const) {
    const { state } = await ask(ours)<OriginAnswer>('rpki', 'check', prefix, `${asn}`);
    const theirs = await bird.birdc(`eval roa_check(r4, ${prefix}, ${asn})`);
    verdicts[prefix] = state;
    expect(theirs).toContain(`(enum 35)${BIRD_STATES[state]}`);
  }
  expect(verdicts).toMatchObject({
    '10.99.1.0/24': 'valid',
    '10.99.2.0/24': 'invalid',
    '10.99.0.0/16': 'not-found',
  });
  const { out } = await captureRun([
    ...['bgp', 'routes', '--received', '-o', 'json', '--socket', ours.socket],
  ]);
  expect([...out.matchAll(/"rpkiValidationState":"([a-z-]+)"/g)].map(([, state]) => state)).toEqual(
    ['valid', 'invalid', 'invalid'],
  );
  const explained = await captureRun(['bgp', 'explain', '10.99.2.0/24', '--socket', ours.socket]);
  expect(explained.out).toContain('origin: invalid');
  const summary = await ours.summary();
  expect(summary.peers[0]?.prefixesReceived.ipv4).toBe(1);

  await cache.set([...ROAS.slice(0, 1), { prefix: '10.99.2.0/23', maxLength: 24, asn: 65011 }]);
  await until('what was invalid is valid now', async () => (await refused(ours)) === 0);
  expect((await ours.summary()).peers[0]?.timesEstablished).toBe(1);
  const table = await captureRun(['bgp', 'rpki', 'table', '10.99.2.0/24', '--socket', ours.socket]);
  expect(table.out).toBe('10.99.2.0/23 max 24 AS65011\n');
  const { serial } = (await ask(ours)<RpkiStatus>('rpki')).caches[0] ?? {};
  expect(serial).toBeGreaterThan(0);
});

test('the second of two caches steps in, the first one takes over again, and version 0 will do', async () => {
  await using net = await fabric();
  await using first = await startStayrtr(net.leaf, ROAS);
  await using _second = await startStayrtr(net.leaf, ROAS.slice(0, 1), { port: 8283, protocol: 0 });
  await using ours = await startBgpRun(net.host as TestNamespace, speakerWith([8282, 8283]), [
    '--no-fib',
  ]);
  const becomes = (...states: readonly string[]): Promise<unknown> =>
    until(
      () => `caches become ${states}: ${ours.log}`,
      async () => JSON.stringify(await stateOf(ours)) === JSON.stringify(states),
    );
  await becomes('in-use', 'standby');
  await first.kill();
  await becomes('waiting', 'in-use');
  const status = await ask(ours)<RpkiStatus>('rpki');
  expect(status.vrps).toEqual({ ipv4: 1, ipv6: 0 });
  expect(status.caches.map(({ version }) => version)).toEqual([1, 0]);
  await first.start();
  await becomes('in-use', 'standby');
  const all = await captureRun(['bgp', 'rpki', 'table', '-o', 'json', '--socket', ours.socket]);
  const vrps = all.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as VrpPage['vrps'][number]);
  expect(vrps).toHaveLength(4);
  expect(vrps).toContainEqual({ prefix: 'fd00:99::/32', maxLength: 48, asn: 65011 });
});

/** Ours, of AS 65101: valid, invalid, and of nobody. */
const OF_OURS = { '10.98.1.0/24': 'valid', '10.98.2.0/24': 'invalid', '10.98.3.0/24': 'not-found' };
const ROAS_FOR_OURS: readonly Roa[] = [
  { prefix: '10.98.1.0/24', maxLength: 24, asn: 65101 },
  { prefix: '10.98.2.0/24', maxLength: 24, asn: 65009 },
];
const ORIGINATING = JSON.stringify({
  asn: 65101,
  routerId: '10.0.0.5',
  rpki: { caches: [{ address: THEIRS.ipv4, port: 8282 }], refreshSeconds: 1, retrySeconds: 1 },
  originate: Object.keys(OF_OURS),
  defaults: { holdSeconds: 9, connectRetrySeconds: 1 },
  peers: [{ name: 'leaf', address: THEIRS.ipv4, asn: 65011 }],
});

test('OpenBGPD judges our routes by StayRTR as we do', async () => {
  await using net = await fabric();
  await using _cache = await startStayrtr(net.leaf, ROAS_FOR_OURS);
  await using openbgpd = await startOpenbgpd(
    net.leaf,
    `AS 65011
router-id 10.0.0.1
holdtime min 3
rtr ${THEIRS.ipv4} {
  port 8282
}
neighbor ${OURS.ipv4} {
  remote-as 65101
}
allow from any
allow to any
`,
  );
  await using ours = await startBgpRun(net.host as TestNamespace, ORIGINATING, ['--no-fib']);
  for (const [prefix, expected] of Object.entries(OF_OURS)) {
    let text = '';
    await until(
      () => `${prefix} is ${expected}: ${text}`,
      async () => {
        text = await openbgpd.bgpctl('show', 'rib', 'detail', prefix);
        return new RegExp(`ovs ${expected}`).test(text);
      },
      30,
    );
    const { state } = await ask(ours)<OriginAnswer>('rpki', 'check', prefix, '65101');
    expect(state).toBe(expected);
  }
});

/** GoBGP's letters in front of a route. */
const GOBGP_STATES = { valid: 'V', invalid: 'I', 'not-found': 'N' } as const;

test('GoBGP judges our routes by StayRTR as we do', async () => {
  await using net = await fabric();
  await using _cache = await startStayrtr(net.leaf, ROAS_FOR_OURS);
  await using gobgp = await startGobgp(
    net.leaf,
    `[global.config]
as = 65011
router-id = "10.0.0.1"
[[rpki-servers]]
[rpki-servers.config]
address = "${THEIRS.ipv4}"
port = 8282
[[neighbors]]
[neighbors.config]
neighbor-address = "${OURS.ipv4}"
peer-as = 65101
[neighbors.transport.config]
local-address = "${THEIRS.ipv4}"
`,
  );
  await using ours = await startBgpRun(net.host as TestNamespace, ORIGINATING, ['--no-fib']);
  for (const [prefix, expected] of Object.entries(OF_OURS)) {
    const letter = GOBGP_STATES[expected as keyof typeof GOBGP_STATES];
    let text = '';
    await until(
      () => `${prefix} is ${expected}: ${text}`,
      async () => {
        text = await gobgp.gobgp(`neighbor ${OURS.ipv4} adj-in ${prefix}`).catch(String);
        return new RegExp(`^ *${letter}.*${prefix.replace('/', '.')}`, 'm').test(text);
      },
      20,
    );
    const { state } = await ask(ours)<OriginAnswer>('rpki', 'check', prefix, '65101');
    expect(state).toBe(expected);
  }
});
