import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { type CapturedRun, captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { type BgpRun, startBgpRun } from './support/bgp-run.ts';
import { type Bird, startBird } from './support/bird.ts';
import { type Frr, startFrr } from './support/frr.ts';
import { startPings } from './support/pings.ts';
import { until } from './support/until.ts';

/**
 * left (FRR, AS 65001) — upper, lower (ours, AS 65010 and 65020) — right (BIRD, AS 65002). Links 1 and 2 are left's, 3 and
 * 4 right's, the first of each to upper.
 */
const NAMES = ['left', 'upper', 'lower', 'right'] as const;
type Name = (typeof NAMES)[number];
const LINKS = [
  ['left', 'upper'],
  ['left', 'lower'],
  ['right', 'upper'],
  ['right', 'lower'],
] as const satisfies [Name, Name][];

const address4 = (link: number, end: 0 | 1): string => `10.1.${link}.${end}`;
const address6 = (link: number, end: 0 | 1): string => `fd00:1:${link}::${end}`;
const LOOPBACKS: Readonly<Record<Name, number>> = { left: 1, right: 2, upper: 3, lower: 4 };

const FRR = `
route-map SRC permit 10
 set src 10.0.0.1
route-map SRC6 permit 10
 set src fd00::1
ip protocol bgp route-map SRC
ipv6 protocol bgp route-map SRC6
router bgp 65001
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 bgp bestpath as-path multipath-relax
 bgp graceful-restart
 timers bgp 1 3
${[1, 2]
  .flatMap((link) =>
    [address4(link, 1), address6(link, 1)].map(
      (address) => ` neighbor ${address} remote-as external\n neighbor ${address} timers connect 1`,
    ),
  )
  .join('\n')}
 address-family ipv4 unicast
  network 10.0.0.1/32
 address-family ipv6 unicast
  network fd00::1/128
${[1, 2].map((link) => `  neighbor ${address6(link, 1)} activate`).join('\n')}
`;

const birdSession = (link: number, family: 'ipv4' | 'ipv6'): string => {
  const [local, remote] =
    family === 'ipv4'
      ? [address4(link, 0), address4(link, 1)]
      : [address6(link, 0), address6(link, 1)];
  return `
protocol bgp ${family}_${link} {
  local ${local} as 65002;
  neighbor ${remote} external;
  hold time 3; connect retry time 1; connect delay time 1; error wait time 1, 2;
  ${family} { import filter graceful_shutdown; export where source = RTS_STATIC; };
}`;
};

/** BIRD leaves it to its filters to honour GRACEFUL_SHUTDOWN. */
const BIRD = `
router id 10.0.0.2;
protocol device {}
filter graceful_shutdown {
  if (65535, 0) ~ bgp_community then bgp_local_pref = 0;
  accept;
}
protocol kernel kernel4 { merge paths yes; ipv4 { export filter { krt_prefsrc = 10.0.0.2; accept; }; }; }
protocol kernel kernel6 { merge paths yes; ipv6 { export filter { krt_prefsrc = fd00::2; accept; }; }; }
protocol static { ipv4 { export none; }; route 10.0.0.2/32 blackhole; }
protocol static { ipv6 { export none; }; route fd00::2/128 blackhole; }
${[3, 4].flatMap((link) => [birdSession(link, 'ipv4'), birdSession(link, 'ipv6')]).join('')}
`.replaceAll('export none', 'import all');

function speakerFile(asn: number, n: number, links: readonly [number, number]): string {
  const [toLeft, toRight] = links;
  return JSON.stringify({
    asn,
    routerId: `10.0.0.${n}`,
    role: 'router',
    originate: [],
    defaults: { holdSeconds: 3, connectRetrySeconds: 1 },
    peers: [
      { name: 'left4', address: address4(toLeft, 0), asn: 65001 },
      { name: 'left6', address: address6(toLeft, 0), asn: 65001 },
      { name: 'right4', address: address4(toRight, 0), asn: 65002 },
      { name: 'right6', address: address6(toRight, 0), asn: 65002 },
    ],
  });
}

interface Diamond extends AsyncDisposable {
  readonly nets: Readonly<Record<Name, TestNamespace>>;
  readonly frr: Frr;
  readonly bird: Bird;
  readonly upper: BgpRun;
  /** `overland …` against the upper router. */
  overland(...args: readonly string[]): Promise<CapturedRun>;
}

async function diamond(): Promise<Diamond> {
  const made = await Promise.all(NAMES.map(async (name) => [name, await netns()] as const));
  const nets = Object.fromEntries(made) as Record<Name, TestNamespace>;
  for (const [name, namespace] of made) {
    await namespace.ip('address', 'add', `10.0.0.${LOOPBACKS[name]}/32`, 'dev', 'lo');
    await namespace.ip('address', 'add', `fd00::${LOOPBACKS[name]}/128`, 'dev', 'lo', 'nodad');
    const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
    await namespace.exec(['sysctl', '-q', '-w', ...forwarding]);
  }
  for (const [i, [edge, middle]] of LINKS.entries()) {
    const link = i + 1;
    const ends = ([0, 1] as const).map((end) => [
      `${address4(link, end)}/31`,
      `${address6(link, end)}/127`,
    ]);
    await cable(
      { namespace: nets[edge], device: `eth${link}`, addresses: ends[0] ?? [] },
      { namespace: nets[middle], device: `eth${link}`, addresses: ends[1] ?? [] },
    );
  }
  const frr = await startFrr(nets.left, FRR);
  const bird = await startBird(nets.right, BIRD);
  const upper = await startBgpRun(nets.upper, speakerFile(65010, 3, [1, 3]));
  const lower = await startBgpRun(nets.lower, speakerFile(65020, 4, [2, 4]));
  const overland = (...args: readonly string[]): Promise<CapturedRun> =>
    captureRun([...args, '--socket', upper.socket]);
  return {
    nets,
    frr,
    bird,
    upper,
    overland,
    async [Symbol.asyncDispose]() {
      for (const part of [upper, lower, frr, bird]) await part[Symbol.asyncDispose]();
      for (const namespace of Object.values(nets)) await namespace[Symbol.asyncDispose]();
    },
  };
}

/** Whether both edges use both middle routers, in both families. */
async function usesBoth({ nets }: Diamond): Promise<boolean> {
  const routes = await Promise.all([
    nets.left.ip('route', 'show', '10.0.0.2'),
    nets.left.ip('-6', 'route', 'show', 'fd00::2'),
    nets.right.ip('route', 'show', '10.0.0.1'),
    nets.right.ip('-6', 'route', 'show', 'fd00::1'),
  ]);
  return routes.every((text, i) =>
    (i < 2 ? ['eth1', 'eth2'] : ['eth3', 'eth4']).every((device) => text.includes(device)),
  );
}

test('a router is drained without the loss of a packet, and comes back without one', async () => {
  await using lab = await diamond();
  const { nets, frr, bird, upper, overland } = lab;
  await until('both ways are in use', () => usesBoth(lab));
  const loss = [
    startPings(nets.left, ['10.0.0.2', 'fd00::2']),
    startPings(nets.right, ['10.0.0.1', 'fd00::1']),
  ];

  // The peers' own records of the first step: everything that goes through us is their last choice.
  const drained = overland('node', 'drain', '--wait', '4');
  await until('FRR prefers the other way', async () =>
    /localpref 0.*Community: graceful-shutdown/s.test(
      await frr.vtysh('show bgp ipv4 unicast 10.0.0.2/32'),
    ),
  );
  await until('BIRD has the mark', async () =>
    (await bird.birdc('show route for 10.0.0.1 all')).includes('(65535,0)'),
  );
  expect((await overland('bgp', 'summary')).out).toContain('draining: ');
  expect((await upper.summary()).peers.map(({ state }) => state)).toEqual(
    new Array(4).fill('Established'),
  );

  expect(await drained).toMatchObject({ code: 0, out: 'drained: 4 peers are kept down\n' });
  expect((await overland('bgp', 'summary')).out).toContain(
    "drained: 4 peers are kept down; 'overland node undrain' ends this",
  );
  await until('FRR says why', async () =>
    /Administrative Shutdown/.test(await frr.vtysh('show bgp neighbors 10.1.1.1')),
  );
  expect(await bird.birdc('show protocols ipv4_3')).toContain('Administrative shutdown');
  expect(await nets.left.ip('route', 'show', '10.0.0.2')).not.toContain('eth1');

  expect(await overland('node', 'undrain')).toMatchObject({ code: 0, out: 'in service\n' });
  await until('both ways are in use again', () => usesBoth(lab));
  expect(await Promise.all(loss.map((pings) => pings.lost()))).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

test('a drained router stays so when its file is read again, and is back with what the file says then', async () => {
  await using lab = await diamond();
  const { upper, overland } = lab;
  const up = async (peers: number): Promise<boolean> => {
    const { peers: all } = await upper.summary();
    return all.length === peers && all.every(({ state }) => state === 'Established');
  };
  await until('sessions are up', () => up(4));
  const { out } = await overland('node', 'drain', '--wait', '0', '-o', 'json');
  expect(JSON.parse(out)).toEqual({ phase: 'drained', peersKeptDown: 4 });
  const file = JSON.parse(speakerFile(65010, 3, [1, 3]));
  await upper.reload(JSON.stringify({ ...file, peers: file.peers.slice(0, 2) }));
  expect((await upper.summary()).drain).toEqual({ phase: 'drained', peersKeptDown: 2 });
  expect((await upper.summary()).peers).toEqual([]);
  await overland('node', 'undrain');
  await until('the sessions of the new file are up', () => up(2));
});
