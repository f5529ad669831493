import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { PeerSummary, SpeakerSummary } from '@overland/bgp/node';
import { cable, netns } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { COMPILED, startBgpRun } from './support/bgp-run.ts';
import { type Bird, startBird } from './support/bird.ts';
import { Daemon } from './support/daemon.ts';
import { LEFT, RIGHT, type Side, transit } from './support/transit.ts';
import { until } from './support/until.ts';

const BAD_PEER = fileURLToPath(new URL('./support/bad-peer.ts', import.meta.url));
/** Hold time of the peers that behave, seconds. */
const HOLD = 3;
/** How long it goes on: more than two hold times. */
const SECONDS = 7;
/** From one BIRD to the other, through us: what a route may take while somebody misbehaves, on a machine that is busy. */
const MOST_MS = 2500;
/** What misbehaving may cost, MB: of the garbage collector's heap, mostly. */
const MOST_MB = 96;
const MOST_DESCRIPTORS = 64;
/** Octets of one peer that the kernel has not taken: the high-water mark and a buffer. */
const MOST_QUEUED = 192 * 1024;
const BACKGROUND = 10_000;

/** Who misbehaves: from the address of a peer, from one in a listen range, and from one that is nobody's. */
const FROM = { peer: '10.9.0.1', guest: '10.9.1.1', stranger: '10.9.2.1' } as const;

function birdConfig(side: Side, routes: string): string {
  return `
router id ${side.theirs.ipv4};
protocol device {}
${routes}
protocol static marker { disabled; ipv4; route 192.0.2.0/24 blackhole; }
protocol bgp overland {
  local ${side.theirs.ipv4} as ${side.asn};
  neighbor ${side.ours.ipv4} as 65101;
  hold time ${HOLD}; keepalive time 1; connect retry time 1; connect delay time 1; error wait time 1, 2;
  ipv4 { import all; export where source = RTS_STATIC; };
}
`;
}

/** Enough that they do not fit into a socket that nobody reads. */
const background = Array.from(
  { length: BACKGROUND },
  (_, i) =>
    `route 10.${100 + (i >> 8)}.${i & 255}.0/24 blackhole { bgp_community.add((1,${i})); };`,
).join('\n');

const COMMUNITIES = Array.from({ length: 60 }, (_, i) => `"2:${i}"`).join(', ');

const SPEAKER = `
asn: 65101
routerId: 10.0.0.5
role: router
defaults: { holdSeconds: ${HOLD}, passive: true }
filters:
  - name: heavy
    rules: [{ action: accept, set: { communities: { add: [${COMMUNITIES}] } } }]
peers:
  - { address: ${LEFT.theirs.ipv4}, asn: ${LEFT.asn}, name: left }
  - { address: ${RIGHT.theirs.ipv4}, asn: ${RIGHT.asn}, name: right }
  - { address: ${FROM.peer}, asn: 65099, name: bad, holdSeconds: 30, export: [heavy] }
listenRanges:
  - { prefix: 10.9.1.0/24, asn: external, limit: 20, holdSeconds: 30, export: [heavy] }
`;

/** A router of ours between two BIRDs and somebody who has several addresses. */
async function scene() {
  const stack = new AsyncDisposableStack();
  const net = stack.use(await transit());
  const bad = stack.use(await netns());
  const addresses = Object.values(FROM).map((address) => `${address}/16`);
  await cable(
    { namespace: net.router, device: 'bad', addresses: ['10.9.0.254/16'] },
    { namespace: bad, device: 'eth0', addresses },
  );
  const run = stack.use(await startBgpRun(net.router, SPEAKER, ['--no-fib'], COMPILED));
  const routes = `protocol static { ipv4; ${background} }`;
  const left = stack.use(await startBird(net.left, birdConfig(LEFT, routes)));
  const right = stack.use(await startBird(net.right, birdConfig(RIGHT, '')));
  await until(
    () => `the routes have passed through: ${run.log}`,
    async () => (await right.birdc('show route count')).includes(`${BACKGROUND} of`),
    30,
  );
  return { bad, run, left, right, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Resident memory of a process, MB, and its descriptors. */
async function costs(pid: number): Promise<{ megabytes: number; descriptors: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return {
    megabytes: kilobytes / 1024,
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
  };
}

/** Brings a route from one BIRD to the other, and takes it away again. @returns The longer of the two, milliseconds. */
async function passes(left: Bird, right: Bird): Promise<number> {
  let longest = 0;
  for (const isThere of [true, false]) {
    const startMs = performance.now();
    await left.birdc(`${isThere ? 'enable' : 'disable'} marker`);
    await until(
      `the route is ${isThere ? 'there' : 'gone'}`,
      async () => (await right.birdc('show route 192.0.2.0/24')).includes('unicast') === isThere,
    );
    longest = Math.max(longest, performance.now() - startMs);
  }
  return longest;
}

/** State of the two, and how often they have lost their session. */
const wellBehaved = ({ peers }: SpeakerSummary): string[] =>
  peers
    .filter(({ name }) => name === 'left' || name === 'right')
    .map(({ name, state, timesDropped }) => `${name} ${state} ${timesDropped}`);

/** The ways of support/bad-peer.ts, and a sign that each has been gone: in the summary of the peer, or of all. */
const WAYS: Readonly<Record<string, (bad: PeerSummary, all: SpeakerSummary) => boolean>> = {
  'stops reading': ({ outQueueOctets }) => outQueueOctets > 0,
  'reads one octet per second': ({ outQueueOctets }) => outQueueOctets > 0,
  'sends one octet per second': ({ state, sent }) => state !== 'Established' && sent.open > 0,
  floods: ({ received }) => received.update > 2000,
  'opens 1,000 connections and says nothing': (_, all) => all.connectionsRefused > 1000,
  'sends 4 kB of garbage': ({ sent }) => sent.notification > 2,
  'flips every second': ({ timesDropped, received }) => timesDropped > 1 && received.update > 20,
};

test.each(Object.entries(WAYS))(
  'a peer that %s costs bounded memory, and the others nothing',
  async (way, isSeen) => {
    await using net = await scene();
    const { run, left, right } = net;
    const before = await costs(run.pid);
    await using programs = new AsyncDisposableStack();
    for (const from of Object.values(FROM)) {
      const program = [BAD_PEER, way, '10.9.0.254', from];
      const bad = programs.use(new Daemon(net.bad, [process.execPath, ...program]));
      await until('it has begun', () => bad.output.includes('begun'));
    }
    const startMs = performance.now();
    let [longestMs, queued] = [0, 0];
    while (performance.now() - startMs < 1000 * SECONDS) {
      longestMs = Math.max(longestMs, await passes(left, right));
      const { peers } = await run.summary();
      queued = Math.max(queued, ...peers.map(({ outQueueOctets }) => outQueueOctets));
    }
    const after = await costs(run.pid);
    const summary = await run.summary();
    const bad = summary.peers.find(({ name }) => name === 'bad');
    expect(bad && isSeen(bad, summary), `it has gone its way: ${JSON.stringify(bad)}`).toBe(true);
    expect(wellBehaved(summary)).toEqual(['left Established 0', 'right Established 0']);
    expect(longestMs).toBeLessThan(MOST_MS);
    expect(after.megabytes - before.megabytes).toBeLessThan(MOST_MB);
    expect(after.descriptors - before.descriptors).toBeLessThan(MOST_DESCRIPTORS);
    expect(queued).toBeLessThan(MOST_QUEUED);
  },
);
