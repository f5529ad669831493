import { execFile as execFileCallback } from 'node:child_process';
import { mkdtemp, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { TestNamespace } from '@overland/linux/testing';
import { describe, expect, test } from 'vitest';
import { type CapturedRun, captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { type BgpRun, startBgpRun } from './support/bgp-run.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { type Frr, startFrr } from './support/frr.ts';
import { until } from './support/until.ts';

const execFile = promisify(execFileCallback);

const FRR = `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 address-family ipv4 unicast
  network 10.99.1.0/24
  network 10.99.2.0/24
`;

const SPEAKER = JSON.stringify({
  asn: 65101,
  routerId: '10.0.0.5',
  originate: ['10.65.0.0/26'],
  defaults: { holdSeconds: 3, connectRetrySeconds: 1 },
  peers: [
    { name: 'leaf', address: THEIRS.ipv4, asn: 65011, families: ['ipv4', 'ipv6'] },
    { name: 'nobody', address: '10.1.9.1', asn: 65012 },
  ],
});

interface Pair extends AsyncDisposable {
  /** Name of the namespace of our router. */
  readonly host: string;
  readonly frr: Frr;
  readonly ours: BgpRun;
  /** `overland bgp …` against our speaker. */
  bgp(...args: readonly string[]): Promise<CapturedRun>;
}

/** FRR and our router, with a session that is up and has said everything. */
async function pair(): Promise<Pair> {
  const net = await fabric();
  const frr = await startFrr(net.leaf, FRR);
  const ours = await startBgpRun(net.host as TestNamespace, SPEAKER, ['--metrics-port', '9179']);
  const bgp = (...args: readonly string[]): Promise<CapturedRun> =>
    captureRun(['bgp', ...args, '--socket', ours.socket]);
  await until('routes have come and gone', async () => {
    const { peers } = await ours.summary();
    const [leaf] = peers;
    return leaf?.prefixesReceived.ipv4 === 2 && leaf.prefixesSent.ipv4 > 0;
  });
  return {
    host: net.host.name,
    frr,
    ours,
    bgp,
    async [Symbol.asyncDispose]() {
      await ours[Symbol.asyncDispose]();
      await frr[Symbol.asyncDispose]();
      await net[Symbol.asyncDispose]();
    },
  };
}

type Json = Record<string, unknown>;

describe('bgp neighbor', () => {
  test('says what FRR says of the same session, under the same keys', async () => {
    await using lab = await pair();
    const { code, out } = await lab.bgp('neighbor', 'leaf', '-o', 'json');
    expect(code).toBe(0);
    const ours = (JSON.parse(out) as Record<string, Json>)[THEIRS.ipv4] ?? {};
    const shown = await lab.frr.vtysh(`show bgp neighbors ${OURS.ipv4} json`);
    const theirs = (JSON.parse(shown) as Record<string, Json>)[OURS.ipv4] ?? {};

    expect(ours).toMatchObject({
      remoteAs: theirs.localAs,
      localAs: theirs.remoteAs,
      bgpState: theirs.bgpState,
      remoteRouterId: theirs.localRouterId,
      localRouterId: theirs.remoteRouterId,
      bgpTimerHoldTimeMsecs: theirs.bgpTimerHoldTimeMsecs,
      bgpTimerKeepAliveIntervalMsecs: theirs.bgpTimerKeepAliveIntervalMsecs,
      hostLocal: theirs.hostForeign,
      portLocal: theirs.portForeign,
      hostForeign: theirs.hostLocal,
      portForeign: theirs.portLocal,
      neighborCapabilities: {
        '4byteAs': 'advertisedAndReceived',
        multiprotocolExtensions: {
          ipv4Unicast: { advertisedAndReceived: true },
          ipv6Unicast: { advertised: true },
        },
      },
      gracefulRestartInfo: { endOfRibSend: { ipv4Unicast: true } },
    });
    const mine = ['peerName', 'refused', 'refusedByRule', 'passive', 'lastError'];
    const unknown = Object.keys(ours).filter((key) => !(key in theirs) && !mine.includes(key));
    expect(unknown).toEqual([]);
  });

  test('tells why there are no prefixes, and why the last session ended, in words', async () => {
    await using lab = await pair();
    const family = await lab.bgp('neighbor', 'leaf');
    expect(family.out).toContain('no prefixes: the peer does not announce IPv6 Unicast');
    const down = await lab.bgp('neighbor', '10.1.9.1');
    expect(down.out).toMatch(/BGP state = (Idle|Connect|Active)\n/);
    expect(down.out).toMatch(/no prefixes: the session is (Idle|Connect|Active)/);
    await lab.frr.vtysh(
      'configure terminal',
      'router bgp 65011',
      `neighbor ${OURS.ipv4} shutdown message new fibre`,
    );
    await until('the session is down', async () =>
      (await lab.ours.summary()).peers.every(({ state }) => state !== 'Established'),
    );
    const { out } = await lab.bgp('neighbor', THEIRS.ipv4);
    expect(out).toMatch(
      /Last reset 00:00:0\d ago, due to received Cease\/Administrative Shutdown\n {4}Notification received: Cease\/Administrative Shutdown \(6\/2\) 096e6577206669627265\n {4}The peer's operator: "new fibre"/,
    );
  });

  test('a peer that there is not is exit code 3', async () => {
    await using lab = await pair();
    expect(await lab.bgp('neighbor', 'spine7')).toMatchObject({
      code: 3,
      err: expect.stringContaining('no peer is called spine7'),
    });
  });
});

describe('bgp routes', () => {
  test('lists what FRR has sent, what it has from us, and finds an address', async () => {
    await using lab = await pair();
    const received = await lab.bgp('routes', '--from', 'leaf');
    expect(received.out).toMatch(/ \*> +10\.99\.1\.0\/24 +10\.1\.0\.1 +leaf +0? +65011 i\n/);
    expect(received.out).toContain('Displayed 2 routes and 2 total paths');

    const shown = await lab.frr.vtysh('show bgp ipv4 unicast json');
    const { routes: theirs } = JSON.parse(shown) as { routes: Record<string, readonly Json[]> };
    const sent = await lab.bgp('routes', '--advertised', 'leaf', '-o', 'json');
    const { routes: ours } = JSON.parse(sent.out) as { routes: Record<string, readonly Json[]> };
    expect(Object.keys(ours)).toEqual(['10.65.0.0/26']);
    const [mine] = ours['10.65.0.0/26'] ?? [];
    const [seen] = theirs['10.65.0.0/26'] ?? [];
    expect(mine).toMatchObject({ nexthops: [{ ip: OURS.ipv4 }], path: '65101', origin: 'IGP' });
    expect(seen).toMatchObject({ nexthops: [{ ip: OURS.ipv4 }] });
    const unknown = Object.keys(mine ?? {}).filter((key) => !(key in (seen ?? {})));
    expect(unknown).toEqual(['peerName']);

    expect((await lab.bgp('routes', '10.99.2.77')).out).toContain('10.99.2.0/24');
    expect(await lab.bgp('routes', '10.98.0.0/16')).toMatchObject({ code: 3, out: 'no routes\n' });
    expect(await lab.bgp('routes', '--from', 'spine7')).toMatchObject({ code: 3 });
    expect(await lab.bgp('routes', '10.99.1.0/33')).toMatchObject({ code: 2 });
  });
});

describe('bgp explain', () => {
  test('a route of FRR: the path, its next hop, what it compared, and to whom it goes', async () => {
    await using lab = await pair();
    const learned = await lab.bgp('explain', '10.99.1.77');
    expect(learned).toMatchObject({ code: 0 });
    expect(learned.out).toMatch(
      /^10\.99\.1\.0\/24: 1 path\n\nPath 1 from leaf, eBGP, next hop 10\.1\.0\.1 \(\S+\): best\n {2}attributes: ORIGIN igp, AS_PATH 65011/,
    );
    const own = await lab.bgp('explain', '10.65.0.0/26', '--to', 'leaf', '-o', 'json');
    const { export: told } = JSON.parse(own.out) as { export: Json };
    expect(told).toMatchObject({
      peer: 'leaf',
      state: 'advertised',
      reason: 'advertised',
      sent: [{ nextHop: OURS.ipv4, isOwnNextHop: true }],
    });
    const back = await lab.bgp('explain', '10.99.1.0/24', '--to', 'leaf');
    expect(back.out).toContain('To leaf: not advertised: the best route is its own\n');
    const down = await lab.bgp('explain', '10.99.1.0/24', '--to', 'nobody');
    expect(down.out).toMatch(/To nobody: not advertised: the session is (Idle|Connect|Active)/);
    const absent = await lab.bgp('explain', '10.98.0.0/16');
    expect(absent).toMatchObject({ code: 3, out: '10.98.0.0/16: there is no path\n' });
    expect(await lab.bgp('explain')).toMatchObject({ code: 2 });
  });

  test('a peer: how its routes fare, and why there are none', async () => {
    await using lab = await pair();
    const { out } = await lab.bgp('explain', '--peer', 'leaf');
    expect(out).toContain('IPv4 Unicast\n  from it:\n    2 best\n');
    expect(out).toContain('    1 advertised\n');
    expect(out).toContain('2 not advertised: the best route is its own');
    expect(out).toContain('none: the peer does not announce IPv6 Unicast');
    const down = await lab.bgp('explain', '--peer', 'nobody', '-o', 'json');
    const { peers } = JSON.parse(down.out) as { peers: readonly Json[] };
    expect(peers).toMatchObject([
      {
        name: 'nobody',
        findings: [{ received: [expect.stringContaining('none: the session is')] }],
      },
    ]);
    expect(await lab.bgp('explain', '--peer', 'spine7')).toMatchObject({ code: 3 });
  });
});

describe('bgp statistics, bgp update-groups', () => {
  test('what was said and done, who is sent the same, and the same numbers as metrics', async () => {
    await using lab = await pair();
    const json = await lab.bgp('statistics', '-o', 'json');
    expect(JSON.parse(json.out)).toMatchObject({
      sessions: { Established: 1 },
      received: { open: expect.any(Number), update: expect.any(Number) },
      refused: { 'as-path-loop': expect.any(Number) },
      tables: { families: { ipv4: { paths: 4, undecided: 0 } } },
      queues: { announcing: 0, withdrawing: 0 },
      convergence: { lastMs: expect.any(Number) },
    });
    const { out } = await lab.bgp('statistics');
    expect(out).toMatch(/^Sessions: (.*, )?Established 1/);
    expect(out).toMatch(/\n {2}Updates +\d+ +\d+\n/);
    expect(out).toMatch(/\nConvergence: \d+ times, last \d+\.\d ms/);
    const groups = await lab.bgp('update-groups');
    expect(groups.out).toMatch(
      /^Update group 1, IPv4 Unicast, eBGP\nMember +Advertised .*\n {2}leaf +1 +0 +0\n$/,
    );
    const curl = ['exec', lab.host, 'curl', '-s', 'http://127.0.0.1:9179/metrics'];
    expect((await execFile('ip', ['netns', ...curl])).stdout).toContain('overland_bgp_sessions');
    const metrics = await scrape(lab.ours.socket);
    expect(metrics).toContain('overland_bgp_sessions{state="Established"} 1\n');
    expect(metrics).toContain(
      'overland_bgp_prefixes_accepted{peer="leaf",address="10.1.0.1",family="ipv4"} 2\n',
    );
  });
});

/** `/metrics` of a control socket. */
async function scrape(socketPath: string): Promise<string> {
  const answer = Promise.withResolvers<string>();
  const path = '/metrics';
  request({ socketPath, path, agent: false }, (response) => {
    text(response).then(answer.resolve, answer.reject);
  })
    .on('error', answer.reject)
    .end();
  return await answer.promise;
}

describe('bgp capture', () => {
  test('tcpdump reads what went over the session, checksums and all; without a file it is lines', async () => {
    await using lab = await pair();
    const file = join(await mkdtemp(join(tmpdir(), 'capture-')), 'leaf.pcapng');
    const capture = lab.bgp('capture', 'leaf', '-w', file, '--count', '8');
    const lines = lab.bgp('capture', 'leaf', '--count', '6');
    await until('a capture has begun and messages have gone', async () => {
      await lab.bgp('clear', 'leaf', 'soft');
      const { size } = await stat(file).catch(() => ({ size: 0 }));
      return size > 500;
    });
    expect(await capture).toMatchObject({ code: 0, err: '8 packets\n' });
    const { stdout } = await execFile('tcpdump', ['-nn', '-vvv', '-r', file]);
    expect(stdout).toContain(`${OURS.ipv4}.`);
    expect(stdout).toMatch(/BGP, length|Keepalive Message|Update Message/);
    expect(stdout).not.toMatch(/incorrect|bad cksum|bad-len|truncated/);
    expect((await lines).out).toMatch(/^\S+Z {2}(sent|received) +\S+ \d+ octets/);
    expect(await lab.bgp('capture', 'spine7')).toMatchObject({ code: 3 });
    expect(await lab.bgp('capture', 'leaf', '--count', 'x')).toMatchObject({ code: 2 });
    expect(await lab.bgp('capture', 'leaf', '-w', '/nowhere/x')).toMatchObject({ code: 2 });
  });
});

describe('bgp events', () => {
  const typesOf = (out: string): unknown[] =>
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Json).type);

  test('what has happened is remembered, and what happens is followed as lines of JSON', async () => {
    await using lab = await pair();
    const past = await lab.bgp('events', '--peer', 'leaf');
    expect(past.out).toMatch(/^\S+Z {2}leaf \(10\.1\.0\.1\) {2}peer added\n/);
    expect(past.out).toContain('leaf (10.1.0.1)  session is up: IPv4 Unicast; hold time 3 seconds');
    expect(past.out).not.toContain('nobody');
    expect(await lab.bgp('events', '--peer', 'spine7')).toMatchObject({ code: 3 });

    const stop = new AbortController();
    const seen = { out: '' };
    const following = captureRun(
      ['bgp', 'events', '--follow', '--peer', 'leaf', '-o', 'json', '--socket', lab.ours.socket],
      {
        signal: stop.signal,
        onOutput: (out) => {
          seen.out = out;
        },
      },
    );
    await until('the past has been told', async () => seen.out.includes('"up"'));
    await lab.bgp('clear', 'leaf');
    await until('the session has come back', async () => seen.out.split('"up"').length > 2);
    stop.abort();
    expect((await following).code).toBe(0);
    const types = typesOf(seen.out);
    expect(types.slice(types.indexOf('cleared'))).toEqual(
      expect.arrayContaining(['notification', 'state', 'down', 'up']),
    );
    expect(seen.out).toContain('"name":"Cease/Administrative Reset"');
  });
});

describe('bgp clear', () => {
  test('soft: both send their routes again, and the session stays', async () => {
    await using lab = await pair();
    const before = (await lab.ours.summary()).peers[0];
    const { code, out } = await lab.bgp('clear', 'leaf', 'soft');
    expect(out).toBe('leaf: asked for IPv4 Unicast again; sending IPv4 Unicast again\n');
    expect(code).toBe(0);
    await until('updates have gone both ways', async () => {
      const after = (await lab.ours.summary()).peers[0];
      const isMore = (direction: 'received' | 'sent'): boolean =>
        (after?.[direction].update ?? 0) > (before?.[direction].update ?? 0);
      return isMore('received') && isMore('sent');
    });
    expect((await lab.ours.summary()).peers[0]).toMatchObject({
      state: 'Established',
      timesEstablished: 1,
    });
    expect(await lab.bgp('clear', 'nobody', 'soft')).toMatchObject({
      code: 1,
      out: 'nobody: there is no session\n',
    });
  });

  test('hard: FRR is told why, and the session is back', async () => {
    await using lab = await pair();
    expect(await lab.bgp('clear', THEIRS.ipv4)).toMatchObject({
      code: 0,
      out: 'leaf: session reset\n',
    });
    await until('the session is back', async () => {
      const leaf = (await lab.ours.summary()).peers[0];
      return leaf?.state === 'Established' && leaf.timesEstablished === 2;
    });
    const shown = await lab.frr.vtysh(`show bgp neighbors ${OURS.ipv4} json`);
    const theirs = (JSON.parse(shown) as Record<string, Json>)[OURS.ipv4];
    // Both dial, so a collision may have been its last NOTIFICATION.
    expect(theirs).toMatchObject({ messageStats: { notificationsRecv: expect.any(Number) } });
    expect(theirs).not.toMatchObject({ messageStats: { notificationsRecv: 0 } });
    const { out } = await lab.bgp('neighbor', 'leaf', '-o', 'json');
    expect((JSON.parse(out) as Record<string, Json>)[THEIRS.ipv4]).toMatchObject({
      lastNotificationReason: 'Cease/Administrative Reset',
      lastErrorCodeSubcode: '0604',
      connectionsEstablished: 2,
    });
    expect(await lab.bgp('clear', 'spine7')).toMatchObject({ code: 3 });
    expect(await lab.bgp('clear', 'leaf', 'hard')).toMatchObject({ code: 2 });
  });
});
