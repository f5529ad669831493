import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { type BgpRun, startBgpRun } from './bgp-run.ts';
import { type Bird, startBird } from './bird.ts';
import { type Frr, startFrr } from './frr.ts';

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

/** BFD of all sessions: milliseconds, three times. */
const BFD_MS = 100;

/** Without next-hop groups: with them zebra leaves the kernel with a part of a route once a link was down (decision 0053). */
const frrConfig = (bfd: boolean): string => `
no zebra nexthop kernel enable
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
 bgp graceful-restart preserve-fw-state
 timers bgp 1 3
${[1, 2]
  .flatMap((link) => [address4(link, 1), address6(link, 1)])
  .flatMap((address) => [
    ` neighbor ${address} remote-as external`,
    ` neighbor ${address} timers connect 1`,
    ...(bfd ? [` neighbor ${address} bfd 3 ${BFD_MS} ${BFD_MS}`] : []),
  ])
  .join('\n')}
 address-family ipv4 unicast
  network 10.0.0.1/32
 address-family ipv6 unicast
  network fd00::1/128
${[1, 2].map((link) => `  neighbor ${address6(link, 1)} activate`).join('\n')}
`;

const birdSession = (link: number, family: 'ipv4' | 'ipv6', bfd: boolean): string => {
  const [local, remote] =
    family === 'ipv4'
      ? [address4(link, 0), address4(link, 1)]
      : [address6(link, 0), address6(link, 1)];
  return `
protocol bgp ${family}_${link} {
  local ${local} as 65002;
  neighbor ${remote} external;
  hold time 3; connect retry time 1; connect delay time 1; error wait time 1, 2;
  graceful restart on;
  ${bfd ? 'bfd on;' : ''}
  ${family} { import filter graceful_shutdown; export where source = RTS_STATIC; };
}`;
};

/** BIRD leaves it to its filters to honour GRACEFUL_SHUTDOWN. */
const birdConfig = (bfd: boolean): string => `
router id 10.0.0.2;
protocol device {}
${bfd ? `protocol bfd { interface "*" { interval ${BFD_MS} ms; multiplier 3; }; }` : ''}
filter graceful_shutdown {
  if (65535, 0) ~ bgp_community then bgp_local_pref = 0;
  accept;
}
protocol kernel kernel4 { merge paths yes; graceful restart yes; ipv4 { export filter { krt_prefsrc = 10.0.0.2; accept; }; }; }
protocol kernel kernel6 { merge paths yes; graceful restart yes; ipv6 { export filter { krt_prefsrc = fd00::2; accept; }; }; }
protocol static { ipv4; route 10.0.0.2/32 blackhole; }
protocol static { ipv6; route fd00::2/128 blackhole; }
${[3, 4].flatMap((link) => [birdSession(link, 'ipv4', bfd), birdSession(link, 'ipv6', bfd)]).join('')}
`;

function speakerFile(asn: number, n: number, links: readonly [number, number], bfd: boolean) {
  const peers = links.flatMap((link, i) => {
    const shared = {
      asn: 65001 + i,
      ...(bfd && { bfd: { transmitMs: BFD_MS, receiveMs: BFD_MS } }),
    };
    const name = i === 0 ? 'left' : 'right';
    return [
      { name: `${name}4`, address: address4(link, 0), ...shared },
      { name: `${name}6`, address: address6(link, 0), ...shared },
    ];
  });
  return {
    asn,
    routerId: `10.0.0.${n}`,
    role: 'router',
    defaults: { holdSeconds: 3, connectRetrySeconds: 1 },
    peers,
  };
}

/** The speaker file of the upper router. */
export const upperFile = (bfd = false) => speakerFile(65010, 3, [1, 3], bfd);

export interface Diamond extends AsyncDisposable {
  readonly nets: Readonly<Record<Name, TestNamespace>>;
  readonly frr: Frr;
  readonly bird: Bird;
  readonly upper: BgpRun;
}

/** @param options Whether all sessions have BFD. */
export async function diamond({ bfd = false } = {}): Promise<Diamond> {
  const made = await Promise.all(NAMES.map(async (name) => [name, await netns()] as const));
  const nets = Object.fromEntries(made) as Record<Name, TestNamespace>;
  for (const [name, namespace] of made) {
    await namespace.ip('address', 'add', `10.0.0.${LOOPBACKS[name]}/32`, 'dev', 'lo');
    await namespace.ip('address', 'add', `fd00::${LOOPBACKS[name]}/128`, 'dev', 'lo', 'nodad');
    const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
    // Linux forgets the IPv6 addresses of a link that goes down, unless it is told not to.
    const keep = ['net.ipv6.conf.all.keep_addr_on_down=1'];
    await namespace.exec(['sysctl', '-q', '-w', ...forwarding, ...keep]);
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
  const frr = await startFrr(nets.left, frrConfig(bfd), { bfd });
  const bird = await startBird(nets.right, birdConfig(bfd));
  const run = async (name: 'upper' | 'lower', file: object): Promise<BgpRun> => {
    const socket = join(await mkdtemp(join(tmpdir(), 'bfd-')), 'bfd.sock');
    return startBgpRun(nets[name], JSON.stringify(file), ['--bfd-socket', socket]);
  };
  const upper = await run('upper', upperFile(bfd));
  const lower = await run('lower', speakerFile(65020, 4, [2, 4], bfd));
  return {
    nets,
    frr,
    bird,
    upper,
    async [Symbol.asyncDispose]() {
      for (const part of [upper, lower, frr, bird]) await part[Symbol.asyncDispose]();
      for (const namespace of Object.values(nets)) await namespace[Symbol.asyncDispose]();
    },
  };
}

/** Whether both edges use these middle routers and no others, in both families. */
export async function uses(
  { nets }: Diamond,
  routers: readonly ('upper' | 'lower')[],
): Promise<boolean> {
  const routes = await Promise.all([
    nets.left.ip('route', 'show', '10.0.0.2'),
    nets.left.ip('-6', 'route', 'show', 'fd00::2'),
    nets.right.ip('route', 'show', '10.0.0.1'),
    nets.right.ip('-6', 'route', 'show', 'fd00::1'),
  ]);
  return routes.every((text, i) =>
    LINKS.every(([edge, middle], at) => {
      if (edge !== (i < 2 ? 'left' : 'right')) return true;
      return text.includes(`eth${at + 1}`) === routers.includes(middle);
    }),
  );
}
