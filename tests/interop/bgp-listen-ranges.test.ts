import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askForBfdStatus } from '@overland/bgp/bfd';
import type { SpeakerSummary } from '@overland/bgp/node';
import type { TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { type BgpRun, startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { established, peer, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const RANGES = { ipv4: '10.1.0.0/31', ipv6: 'fd00:1::/127' } as const;
const KEY = 's3cret';

interface Protection {
  readonly key?: string;
  readonly gtsm?: boolean;
  /** BIRD alone. */
  readonly bfd?: boolean;
}

/** BIRD that dials us. */
function bird(listening: string, { key, gtsm, bfd }: Protection): string {
  const protocol = (family: 'ipv4' | 'ipv6'): string => `
protocol bgp on_${family} {
  local ${THEIRS[family]} as 65011;
  neighbor ${listening === 'range' ? `range ${RANGES[family]}` : OURS[family]} as 65101;
  ${listening === 'range' ? `dynamic name "guest_${family}_"; passive on;` : ''}
  hold time 3; keepalive time 1; connect retry time 1; connect delay time 1; error wait time 1, 3;
  graceful restart on;
  ${key === undefined ? '' : `password "${key}";`} ${gtsm ? 'ttl security on;' : ''} ${bfd ? 'bfd on;' : ''}
  ${family} { import all; export all; };
}`;
  return `
router id 10.0.0.1;
protocol device {}
${bfd ? 'protocol bfd { interface "eth1" { min rx interval 50 ms; min tx interval 50 ms; }; }' : ''}
protocol static { ipv4; route 10.99.1.0/24 blackhole; }
protocol static { ipv6; route fd00:99::/64 blackhole; }
${protocol('ipv4')}
${protocol('ipv6')}
`;
}

/** FRR that dials us, or waits for us in ranges. */
function frr(listening: string, { key, gtsm }: Protection): string {
  const neighbour = (name: string): string[] => [
    ...(key === undefined ? [] : [`neighbor ${name} password ${key}`]),
    ...(gtsm ? [`neighbor ${name} ttl-security hops 1`] : []),
  ];
  const dialling = (['ipv4', 'ipv6'] as const).flatMap((family) => [
    `neighbor ${OURS[family]} remote-as 65101`,
    `neighbor ${OURS[family]} timers connect 1`,
    ...neighbour(OURS[family]),
  ]);
  const waiting = [
    'neighbor GUESTS peer-group',
    'neighbor GUESTS remote-as external',
    ...neighbour('GUESTS'),
    `bgp listen range ${RANGES.ipv4} peer-group GUESTS`,
    `bgp listen range ${RANGES.ipv6} peer-group GUESTS`,
  ];
  const active = listening === 'range' ? ['GUESTS', 'GUESTS'] : [OURS.ipv4, OURS.ipv6];
  return `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 1 3
 ${(listening === 'range' ? waiting : dialling).join('\n ')}
 address-family ipv4 unicast
  network 10.99.1.0/24
  neighbor ${active[0]} activate
 address-family ipv6 unicast
  network fd00:99::/64
  neighbor ${active[1]} activate
`;
}

const START: Record<
  string,
  (namespace: TestNamespace, protection: Protection, listening?: string) => Promise<AsyncDisposable>
> = {
  BIRD: (namespace, protection, listening = '') =>
    startBird(namespace, bird(listening, protection)),
  FRR: (namespace, protection, listening = '') => startFrr(namespace, frr(listening, protection)),
};

/** `overland bgp run` that knows ranges, and no peer. */
function ranged(
  namespace: TestNamespace,
  more: readonly string[] = [],
  options: readonly string[] = [],
): Promise<BgpRun> {
  const settings = ['asn: external, holdSeconds: 3', ...more].join(', ');
  return startBgpRun(
    namespace,
    `
asn: 65101
routerId: 10.0.0.5
listenRanges:
  - { prefix: ${RANGES.ipv4}, limit: 1, ${settings} }
  - { prefix: "${RANGES.ipv6}", ${settings} }
`,
    ['--no-fib', ...options],
  );
}

const states = ({ peers }: SpeakerSummary): string[] =>
  peers
    .map(({ address, range, asn, state }) => `${address} in ${range}, AS ${asn}: ${state}`)
    .sort();

const UP = [
  `${THEIRS.ipv4} in ${RANGES.ipv4}, AS 65011: Established`,
  `${THEIRS.ipv6} in ${RANGES.ipv6}, AS 65011: Established`,
];

async function bothUp(run: BgpRun): Promise<void> {
  let seen: string[] = [];
  await until(
    () => `both are Established: ${seen} ${run.log}`,
    async () => {
      seen = states(await run.summary());
      return JSON.stringify(seen) === JSON.stringify(UP);
    },
  );
}

const dropped = async (namespace: TestNamespace, counter: string): Promise<boolean> =>
  /[1-9]/.test(
    (await namespace.exec(['nstat', '-asz', counter])).split(`${counter} `)[1]?.split('\n')[0] ??
      '',
  );

test('BIRD is killed: its routes and its place stay until it is back', async () => {
  await using net = await fabric();
  await using run = await ranged(net.host);
  await using guest = await startBird(net.leaf, bird('', {}));
  await bothUp(run);
  await until('its routes are here', async () => {
    const { peers } = await run.summary();
    return peers.every(({ prefixesReceived: { ipv4, ipv6 } }) => ipv4 + ipv6 === 1);
  });
  await guest.kill('SIGKILL');
  await until('its routes are stale', async () => {
    const { peers } = await run.summary();
    const stale = peers.map(({ prefixesStale: { ipv4, ipv6 } }) => ipv4 + ipv6);
    return JSON.stringify(stale) === '[1,1]';
  });
  await guest.start('-R');
  await bothUp(run);
  const { peers } = await run.summary();
  expect(peers.map(({ timesEstablished }) => timesEstablished)).toEqual([2, 2]);
});

test('FRR is killed, which keeps no routes: it is gone, and may come again', async () => {
  await using net = await fabric();
  await using run = await ranged(net.host);
  await using guest = await startFrr(net.leaf, frr('', {}));
  await bothUp(run);
  await guest.killBgpd('SIGKILL');
  await until('it is gone', async () => (await run.summary()).peers.length === 0);
  await guest.startBgpd();
  await bothUp(run);
});

test('BFD with a peer of a range begins and ends with it', async () => {
  await using net = await fabric();
  const socket = join(await mkdtemp(join(tmpdir(), 'bfd-')), 'bfd.sock');
  const bfd = 'bfd: { transmitMs: 50, receiveMs: 50 }';
  await using run = await ranged(net.host, [bfd], ['--bfd-socket', socket]);
  await using guest = await startBird(net.leaf, bird('', { bfd: true }));
  await until('BFD is up', async () => {
    const { peers } = await run.summary();
    return peers.length === 2 && peers.every((peer) => peer.bfd === 'up');
  });
  await bothUp(run);
  await guest.configure(bird('', { bfd: true }).replaceAll('neighbor ', 'disabled; neighbor '));
  const sessions = async () => (await askForBfdStatus(socket)).sessions.length;
  await until('both are gone', async () => (await run.summary()).peers.length === 0);
  await until('BFD, too', async () => (await sessions()) === 0);
});

for (const [name, start] of Object.entries(START)) {
  test(`${name} dials into a range with TCP-MD5 and GTSM`, async () => {
    await using net = await fabric();
    await using run = await ranged(net.host, [`password: ${KEY}`, 'ttlSecurity: 1']);
    await using _guest = await start(net.leaf, { key: KEY, gtsm: true });
    await bothUp(run);
  });

  test.each([
    ['a wrong key', { key: 'wrong' }, 'TcpExtTCPMD5Failure'],
    ['no key', {}, 'TcpExtTCPMD5NotFound'],
  ])(`${name} with %s gets nothing from a range with one`, async (_what, protection, counter) => {
    await using net = await fabric();
    await using run = await ranged(net.host, [`password: ${KEY}`]);
    await using _guest = await start(net.leaf, protection);
    await until('its segments are dropped', () => dropped(net.host, counter));
    expect(await run.summary()).toMatchObject({ peers: [], connectionsRefused: 0 });
  });

  test(`we dial into a range of ${name}`, async () => {
    await using net = await fabric();
    await using _host = await start(net.leaf, { key: KEY }, 'range');
    const key = { password: { value: KEY } };
    const peers = [peer('leaf4', THEIRS.ipv4, key), peer('leaf6', THEIRS.ipv6, key)];
    await using speaker = await speakerIn(net.host, speakerConfig(peers));
    await established(speaker, 'leaf4', 'leaf6');
  });
}
