import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askForBfdStatus } from '@overland/bgp/bfd';
import type { PeerSummary } from '@overland/bgp/node';
import { describe, expect, test } from 'vitest';
import { type BgpRun, startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { until } from './support/until.ts';

/** The hold time is far longer than any of these tests: what ends a session in time is BFD. */
const speakerFile = (bfd: string): string => `
asn: 65101
routerId: 10.0.0.5
peers:
  - { address: ${THEIRS.ipv4}, asn: 65011, name: leaf4, holdSeconds: 90, bfd: ${bfd} }
`;
const FAST = '{ transmitMs: 50, receiveMs: 50, detectMultiplier: 3 }';
const STRICT = '{ transmitMs: 50, receiveMs: 50, strict: true }';

const birdConfig = (bfd: boolean): string => `
router id 10.0.0.1;
protocol device {}
protocol bfd { interface "eth1" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; }; }
protocol bgp host {
  local ${THEIRS.ipv4} as 65011;
  neighbor ${OURS.ipv4} as 65101;
  hold time 90;
  connect delay time 1;
  ${bfd ? 'bfd on;' : ''}
  ipv4 { import all; export none; };
}
`;

const FRR_CONFIG = `
bfd
 peer ${OURS.ipv4} interface eth1
  receive-interval 50
  transmit-interval 50
 !
!
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers 30 90
 neighbor ${OURS.ipv4} timers connect 1
 neighbor ${OURS.ipv4} bfd
`;

async function started(namespace: Parameters<typeof startBgpRun>[0], bfd: string) {
  const socket = join(await mkdtemp(join(tmpdir(), 'bfd-')), 'bfd.sock');
  const run = await startBgpRun(namespace, speakerFile(bfd), ['--bfd-socket', socket]);
  return { run, socket };
}

async function leaf(run: BgpRun): Promise<PeerSummary> {
  const found = (await run.summary()).peers.find(({ name }) => name === 'leaf4');
  if (!found) throw new Error('no peer leaf4');
  return found;
}

const reaches = (run: BgpRun, state: string, bfd: string | null): Promise<unknown> =>
  until(
    () => `the session is ${state} with BFD ${bfd}: ${run.log}`,
    async () => {
      const peer = await leaf(run);
      return peer.state === state && peer.bfd === bfd;
    },
  );

describe('with FRR', () => {
  test('a killed peer is missed at once, with Cease/10, long before the hold time', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, FRR_CONFIG, { bfd: true });
    const { run } = await started(net.host, FAST);
    await using _run = run;
    await reaches(run, 'Established', 'up');
    await frr.killBfdd('SIGKILL');
    const peer = await until('the session is down', async () => {
      const now = await leaf(run);
      return now.timesDropped > 0 ? now : undefined;
    });
    expect(peer.lastError).toContain('BFD Down');
  });

  test('a restart of the speaker is no flap of BFD', async () => {
    await using net = await fabric();
    await using _frr = await startFrr(net.leaf, FRR_CONFIG, { bfd: true });
    const { run, socket } = await started(net.host, FAST);
    await using _run = run;
    await reaches(run, 'Established', 'up');
    await run.kill('SIGKILL');
    await run.start();
    await reaches(run, 'Established', 'up');
    const [session] = (await askForBfdStatus(socket)).sessions;
    expect([session?.timesUp, session?.timesDown]).toEqual([1, 0]);
  });

  test('BFD that is shut down at the peer does not end the session', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, FRR_CONFIG, { bfd: true });
    const { run } = await started(net.host, FAST);
    await using _run = run;
    await reaches(run, 'Established', 'up');
    await frr.vtysh('configure terminal', 'bfd', `peer ${OURS.ipv4} interface eth1`, 'shutdown');
    await reaches(run, 'Established', 'admin-down');
    expect((await leaf(run)).timesDropped).toBe(0);
  });
});

const STATIC = '10.8.0.0/16';
const STATIC_FILE = `
asn: 65101
routerId: 10.0.0.5
static:
  - { prefix: ${STATIC}, nextHops: [{ address: ${THEIRS.ipv4}, bfd: ${FAST} }] }
`;

test('a static route goes when BFD misses BIRD', async () => {
  await using net = await fabric();
  const neighbour = `protocol bfd { interface "eth1" { interval 50 ms; multiplier 3; }; neighbor ${OURS.ipv4} dev "eth1"; }`;
  await using bird = await startBird(
    net.leaf,
    `router id 10.0.0.1; protocol device {} ${neighbour}`,
  );
  const socket = join(await mkdtemp(join(tmpdir(), 'bfd-')), 'bfd.sock');
  await using run = await startBgpRun(net.host, STATIC_FILE, ['--bfd-socket', socket]);
  await until(
    () => `BFD is up: ${run.log}`,
    async () =>
      (await askForBfdStatus(socket).catch(() => undefined))?.sessions[0]?.verdict === 'up',
  );
  const route = (): Promise<string> => net.host.ip('route', 'show', STATIC);
  await until('the kernel has it', async () => (await route()).includes(STATIC));
  await bird.kill('SIGKILL');
  await until('it is gone', async () => (await route()) === '');
});

test('a static route goes when BFD misses its next hop, and no session is needed', async () => {
  await using net = await fabric();
  await using frr = await startFrr(net.leaf, FRR_CONFIG, { bfd: true });
  const socket = join(await mkdtemp(join(tmpdir(), 'bfd-')), 'bfd.sock');
  await using run = await startBgpRun(net.host, STATIC_FILE, ['--bfd-socket', socket]);
  const route = (): Promise<string> => net.host.ip('route', 'show', STATIC);
  const isUp = async (): Promise<boolean> =>
    (await askForBfdStatus(socket).catch(() => undefined))?.sessions[0]?.verdict === 'up';
  await until(() => `BFD is up: ${run.log}`, isUp);
  await until('the kernel has it', async () => (await route()).includes(STATIC));
  await frr.killBfdd('SIGKILL');
  await until('it is gone', async () => (await route()) === '');
});

describe('with BIRD', () => {
  test('strict: no session before BFD is up, then one', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig(false));
    const { run } = await started(net.host, STRICT);
    await using _run = run;
    await until('BIRD is refused', async () =>
      (await bird.birdc('show protocols all host')).includes('Last error'),
    );
    expect(await leaf(run)).toMatchObject({ awaitsBfd: true, timesEstablished: 0 });
    await bird.configure(birdConfig(true));
    await reaches(run, 'Established', 'up');
  });
});
