import { copyFile, mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askSpeaker, replayTraceFile, type SpeakerSummary } from '@overland/bgp/node';
import { expect, test } from 'vitest';
import { type BgpRun, startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { until } from './support/until.ts';

/** Where golden traces are, if they are to be recorded anew. */
const KEEP =
  process.env.OVERLAND_RECORD_TRACES === '1'
    ? join(import.meta.dirname, '../../packages/bgp/testdata')
    : undefined;

const BIRD = (session = ''): string => `
router id 10.0.0.1;
protocol device {}
protocol static { ipv4; route 10.99.1.0/24 blackhole; route 10.99.2.0/24 blackhole; }
protocol bgp host {
  local ${THEIRS.ipv4} as 65011;
  neighbor ${OURS.ipv4} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ${session}
  ipv4 { import all; export all; };
}
`;

const FRR = `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 address-family ipv4 unicast
  network 10.99.1.0/24
  neighbor ${OURS.ipv4} activate
`;

const speakerFile = (change: object = {}): string =>
  JSON.stringify({
    asn: 65101,
    routerId: '10.0.0.5',
    originate: ['10.65.0.0/26', 'fd00:65::/64'],
    defaults: { holdSeconds: 3, connectRetrySeconds: 1 },
    peers: [{ name: 'leaf', address: THEIRS.ipv4, asn: 65011, ...change }],
  });

const stateOf = ({ peers }: SpeakerSummary): string => peers[0]?.state ?? '';

const established = (run: BgpRun): Promise<unknown> =>
  until('the session is up', async () => stateOf(await run.summary()) === 'Established', 20);

/** Runs a speaker with a trace while `scenario` lasts, ends it, and has the trace replayed. */
async function record(
  name: string,
  namespace: Parameters<typeof startBgpRun>[0],
  file: string,
  scenario: (run: BgpRun) => Promise<void>,
): Promise<void> {
  const trace = join(await mkdtemp(join(tmpdir(), 'bgp-trace-')), `${name}.jsonl`);
  await using run = await startBgpRun(namespace, file, ['--no-fib', '--record', trace]);
  await scenario(run);
  await run.kill('SIGTERM');
  expect((await stat(trace)).mode & 0o777).toBe(0o600);
  const outcome = await replayTraceFile(trace, new AbortController().signal);
  expect(outcome.difference).toBeUndefined();
  expect(outcome.lines).toBeGreaterThan(20);
  if (KEEP) await copyFile(trace, join(KEEP, `${name}.jsonl`));
}

test('a restart of BIRD that is graceful', async () => {
  await using net = await fabric();
  await using bird = await startBird(net.leaf, BIRD('graceful restart on;'));
  await record('bird-graceful-restart', net.host, speakerFile(), async (run) => {
    await established(run);
    await until('its routes are here', async () => {
      const [peer] = (await run.summary()).peers;
      return peer?.prefixesReceived.ipv4 === 2;
    });
    await bird.kill('SIGKILL');
    await until('routes are stale', async () => {
      const [peer] = (await run.summary()).peers;
      return peer?.prefixesStale.ipv4 === 2;
    });
    await bird.start('-R');
    await established(run);
    await until('they are fresh', async () => {
      const [peer] = (await run.summary()).peers;
      return peer?.prefixesReceived.ipv4 === 2 && peer.prefixesStale.ipv4 === 0;
    });
  });
});

test('BIRD and we dial at once, and BIRD closes in the end', async () => {
  await using net = await fabric();
  await record('bird-collision', net.host, speakerFile(), async (run) => {
    await using bird = await startBird(net.leaf, BIRD('connect delay time 0;'));
    await established(run);
    await bird.birdc('disable host');
    await until('it is down', async () => stateOf(await run.summary()) !== 'Established');
    await bird.birdc('enable host');
    await established(run);
  });
});

test('FRR asks for routes again, and is asked', async () => {
  await using net = await fabric();
  await using frr = await startFrr(net.leaf, FRR);
  await record('frr-refresh', net.host, speakerFile(), async (run) => {
    await established(run);
    await until('its route is here', async () => {
      const [peer] = (await run.summary()).peers;
      return peer?.prefixesReceived.ipv4 === 1;
    });
    await frr.vtysh(`clear bgp ${OURS.ipv4} soft in`);
    await until('it was sent again', async () => {
      const [peer] = (await run.summary()).peers;
      return (peer?.received.routeRefresh ?? 0) >= 1 && (peer?.sent.routeRefresh ?? 0) >= 2;
    });
    await askSpeaker(run.socket, { method: 'POST', url: '/v1/bgp/clear?peer=leaf&kind=soft' });
    await until('it was asked', async () => {
      const [peer] = (await run.summary()).peers;
      return (peer?.received.routeRefresh ?? 0) >= 3;
    });
  });
});

test('errors: the AS of BIRD is not the one that is expected', async () => {
  await using net = await fabric();
  await using _bird = await startBird(net.leaf, BIRD());
  await record('bird-errors', net.host, speakerFile({ asn: 65012 }), async (run) => {
    await until(
      'it has been told so twice',
      async () => {
        const [peer] = (await run.summary()).peers;
        return (peer?.sent.notification ?? 0) >= 2;
      },
      20,
    );
  });
});
