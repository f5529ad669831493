import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRouteEngine,
  type PeerConfig,
  type RouteView,
  type SpeakerConfig,
} from '@overland/bgp';
import type { Speaker } from '@overland/bgp/node';
import type { Asn } from '@overland/net';
import { parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { type Bird, startBird } from './support/bird.ts';
import { type Fabric, fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { noRoutes } from './support/no-routes.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

interface BirdOptions {
  /** Lines inside both `protocol bgp` blocks. */
  readonly session?: string;
  readonly asn?: number;
  readonly hold?: number;
}

function birdConfig({ session = '', asn = 65011, hold = 3 }: BirdOptions = {}): string {
  const protocol = (family: 'ipv4' | 'ipv6'): string => `
protocol bgp on_${family} {
  local ${THEIRS[family]} as ${asn};
  neighbor ${OURS[family]} as 65101;
  hold time ${hold}; ${hold > 0 ? 'keepalive time 1;' : ''} connect retry time 2; connect delay time 1;
  error wait time 1, 3;
  graceful restart on;
  ${session}
  ${family} { import all; export all; };
}`;
  return `
router id 10.0.0.1;
protocol device {}
protocol kernel { ipv4 { export all; }; persist; }
protocol kernel { ipv6 { export all; }; persist; }
protocol static { ipv4; route 10.99.1.0/24 blackhole; route 10.99.2.0/24 blackhole; }
protocol static { ipv6; route fd00:99::/64 blackhole; }
${protocol('ipv4')}
${protocol('ipv6')}
`;
}

const bothPeers = (change = {}) => [
  peer('leaf4', THEIRS.ipv4, change),
  peer('leaf6', THEIRS.ipv6, change),
];

const birdUp = (bird: Bird): Promise<unknown> =>
  until('BIRD is Established', async () => {
    const text = await bird.birdc('show protocols');
    return text.match(/Established/g)?.length === 2;
  });

/** Number of the peer's paths that we hold, and of them stale. */
const held = (speaker: Speaker, name: string, family: 'ipv4' | 'ipv6'): string => {
  const { prefixesReceived, prefixesStale } = peerOf(speaker, name);
  return `${prefixesReceived[family]} paths, ${prefixesStale[family]} stale`;
};

async function routesOf(speaker: Speaker): Promise<readonly RouteView[]> {
  const page = await speaker.operator.routes({ family: 'ipv4', limit: 10 });
  return 'routes' in page ? page.routes : [];
}

describe('sessions come up for IPv4 and IPv6', () => {
  test('when we dial', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig({ session: 'passive on;' }));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
  });

  test('when BIRD dials', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers({ passive: true })));
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
  });

  test('when both dial, and they outlive the hold time', async () => {
    await using net = await fabric();
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await using bird = await startBird(net.leaf, birdConfig({ session: 'connect delay time 0;' }));
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
    await until(
      'two hold times have passed',
      () => speaker.summary().peers.every(({ upDownSeconds }) => (upDownSeconds ?? 0) >= 6),
      10,
    );
    expect(speaker.summary().peers.map(({ timesDropped }) => timesDropped)).toEqual([0, 0]);
    expect(peerOf(speaker, 'leaf4').received.keepalive).toBeGreaterThan(5);
  });
});

describe('what the OPENs settle', () => {
  test.each([
    ['ours is lower', 3, 9],
    ['theirs is lower', 9, 3],
  ])('the hold time, when %s', async (_, ours, theirs) => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig({ hold: theirs }));
    const peers = bothPeers({ holdSeconds: ours });
    await using speaker = await speakerIn(net.host, speakerConfig(peers));
    await established(speaker, 'leaf4', 'leaf6');
    expect(peerOf(speaker, 'leaf4').session).toMatchObject({ holdSeconds: 3, keepaliveSeconds: 1 });
    expect(await bird.birdc('show protocols all on_ipv4')).toMatch(/Hold timer: +[\d.]+\/3\b/);
  });

  test('hold time 0: no keepalives', async () => {
    await using net = await fabric();
    await using _bird = await startBird(net.leaf, birdConfig({ hold: 0 }));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    expect(peerOf(speaker, 'leaf4').session).toMatchObject({ holdSeconds: 0, keepaliveSeconds: 0 });
    await until('it is some seconds old', () => (peerOf(speaker, 'leaf4').upDownSeconds ?? 0) >= 4);
    expect(peerOf(speaker, 'leaf4').sent.keepalive).toBe(1);
  });

  test('an AS number of four octets on either side', async () => {
    await using net = await fabric();
    await using _bird = await startBird(net.leaf, birdConfig({ asn: 4200000011 }));
    const peers = bothPeers({ asn: 4200000011 as Asn });
    await using speaker = await speakerIn(net.host, speakerConfig(peers));
    await established(speaker, 'leaf4', 'leaf6');
  });

  test('the wrong AS number is refused, and both sides say so', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig({ session: 'passive on;' }));
    const peers = bothPeers({ asn: 65012 as Asn });
    await using speaker = await speakerIn(net.host, speakerConfig(peers));
    await until('it is refused', () => peerOf(speaker, 'leaf4').sent.notification > 0);
    expect(peerOf(speaker, 'leaf4').lastError).toBe(
      'sent OPEN Message Error/Bad Peer AS: AS 65011 instead of 65012',
    );
    await until('BIRD has it', async () =>
      /Received: Bad peer AS/.test(await bird.birdc('show protocols all on_ipv4')),
    );
  });

  test('a peer without capabilities gets a session for IPv4', async () => {
    await using net = await fabric();
    const plain = 'capabilities off; graceful restart off; enable as4 off;';
    await using _bird = await startBird(net.leaf, birdConfig({ session: plain }));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4');
    expect(peerOf(speaker, 'leaf4').session).toMatchObject({
      families: ['ipv4'],
      fourOctetAs: false,
      gracefulRestart: false,
    });
  });
});

describe('the end of a session, in words', () => {
  test('BIRD is shut down by its operator', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    const engine = noRoutes();
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()), { engine });
    await established(speaker, 'leaf4', 'leaf6');
    await bird.birdc('disable on_ipv4 "back at noon"');
    await until('it is down', () => peerOf(speaker, 'leaf4').timesDropped === 1);
    expect(peerOf(speaker, 'leaf4')).toMatchObject({
      lastError: 'received Cease/Administrative Shutdown',
      lastCommunication: 'back at noon',
    });
    expect(engine.told).toContain('down keeping []');
  });

  test('we are shut down by ours', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await speaker.stop('shutdown', 'moving house');
    const status = await until('BIRD has it', async () => {
      const text = await bird.birdc('show protocols all on_ipv4');
      return /Last error/.test(text) ? text : '';
    });
    expect(status).toMatch(/Received: Administrative shutdown/);
  });

  test('a connection from an address that is no peer is closed before OPEN', async () => {
    await using net = await fabric();
    await using speaker = await speakerIn(net.host, speakerConfig([]));
    await using bird = await startBird(net.leaf, birdConfig());
    await until('it is refused', () => speaker.summary().connectionsRefused > 0);
    expect(await bird.birdc('show protocols all on_ipv4')).not.toContain('Established');
  });
});

describe('graceful restart', () => {
  test('BIRD is killed: its routes stay as stale, and are current again when it is back', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    const config = speakerConfig(bothPeers());
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    await until('routes are here', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 0 stale');
    await until('IPv6 too', () => held(speaker, 'leaf6', 'ipv6') === '1 paths, 0 stale');

    await bird.kill('SIGKILL');
    await until('they are stale', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 2 stale');
    expect(await routesOf(speaker)).toHaveLength(2);
    await bird.start('-R');
    await established(speaker, 'leaf4', 'leaf6');
    await until('they are not', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 0 stale');
    await until('IPv6 too', () => held(speaker, 'leaf6', 'ipv6') === '1 paths, 0 stale');
  });

  test('BIRD comes back without having kept its forwarding: its routes go at once', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    const engine = noRoutes();
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()), { engine });
    await established(speaker, 'leaf4', 'leaf6');
    await bird.kill('SIGKILL');
    await until(
      'sessions are down',
      () => engine.told.filter((line) => /down/.test(line)).length === 2,
    );
    expect(engine.told.filter((line) => /down/.test(line)).toSorted()).toEqual([
      'down keeping [ipv4]',
      'down keeping [ipv6]',
    ]);
    await bird.start();
    await established(speaker, 'leaf4', 'leaf6');
    const after = engine.told.slice(engine.told.findLastIndex((line) => /down/.test(line)) + 1);
    expect(after.toSorted()).toEqual(['flush ipv4', 'flush ipv6', 'up ipv4', 'up ipv6']);
  });

  test('we are killed: BIRD keeps our routes as stale until we are back', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    await using router = await startBgpRun(
      net.host,
      JSON.stringify({
        asn: 65101,
        routerId: '10.0.0.5',
        originate: ['10.65.0.0/26', 'fd00:65::/122'],
        defaults: { holdSeconds: 3, connectRetrySeconds: 1 },
        peers: [
          { address: THEIRS.ipv4, asn: 65011 },
          { address: THEIRS.ipv6, asn: 65011 },
        ],
      }),
    );
    const route = (family: string): Promise<string> =>
      bird.birdc(`show route for ${family === 'ipv4' ? '10.65.0.1' : 'fd00:65::1'}`);
    await until('BIRD has our IPv4', async () => /on_ipv4/.test(await route('ipv4')));
    await until('BIRD has our IPv6', async () => /on_ipv6/.test(await route('ipv6')));

    await router.kill('SIGKILL');
    await until('BIRD notices', async () =>
      /Graceful restart|Neighbor graceful restart active/i.test(
        await bird.birdc('show protocols all on_ipv4'),
      ),
    );
    expect(await route('ipv4')).toMatch(/on_ipv4/);
    expect(await net.leaf.ip('route', 'show', '10.65.0.0/26')).toContain(OURS.ipv4);
    await router.start();
    await birdUp(bird);
    expect(await route('ipv4')).toMatch(/on_ipv4/);
  });

  test('BIRD restarts, and we never hear that the old connection is dead', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig({ hold: 90 }));
    const engine = noRoutes();
    const peers = bothPeers({ holdSeconds: 90, keepaliveSeconds: 30 });
    await using speaker = await speakerIn(net.host, speakerConfig(peers), { engine });
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
    // Its FIN, and whatever else it may say about this connection, is lost on the way.
    const sockets = await net.leaf.exec(['ss', '-Htn4', 'state', 'established']);
    const [, from, to] = /:(\d+)\s+\S+:(\d+)/.exec(sockets) ?? [];
    const match = ['-p', 'tcp', '--sport', `${from}`, '--dport', `${to}`];
    await net.leaf.exec(['iptables', '-A', 'OUTPUT', ...match, '-j', 'DROP']);

    await bird.kill('SIGKILL');
    await until('IPv6 is down', () => peerOf(speaker, 'leaf6').timesDropped === 1);
    expect(peerOf(speaker, 'leaf4').state).toBe('Established');
    await bird.start('-R');
    await until('IPv4 was replaced', () => peerOf(speaker, 'leaf4').timesEstablished === 2);
    expect(peerOf(speaker, 'leaf4').lastError).toBe(
      'the peer has restarted: it opened a new connection',
    );
    expect(engine.told).toContain('down keeping [ipv4]');
    await birdUp(bird);
  });

  test('a planned stop for an upgrade is silent: BIRD waits for us', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
    await speaker.stop('restart');
    await until('BIRD waits', async () =>
      /graceful restart/i.test(await bird.birdc('show protocols all on_ipv4')),
    );
  });
});

describe('routes', () => {
  test('both directions, both families, as they change', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    const config = speakerConfig(bothPeers(), {
      originate: [parsePrefix('10.65.0.0/26'), parsePrefix('fd00:65::/122')],
    });
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    await until('BIRD has IPv4', async () =>
      (await bird.birdc('show route all for 10.65.0.1')).includes(`BGP.next_hop: ${OURS.ipv4}`),
    );
    await until('BIRD has IPv6', async () =>
      (await bird.birdc('show route all for fd00:65::1')).includes(`BGP.next_hop: ${OURS.ipv6}`),
    );
    expect(await bird.birdc('show route all for 10.65.0.1')).toMatch(/BGP.as_path: 65101\n/);

    await until('we have theirs', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 0 stale');
    const routes = await routesOf(speaker);
    const first = routes.find(({ prefix }) => prefix === '10.99.1.0/24');
    expect(first?.paths[0]).toMatchObject({
      best: true,
      nextHop: THEIRS.ipv4,
      asPath: [65011],
      peer: 'leaf4',
    });

    await speaker.reconfigure({ ...config, originate: [parsePrefix('10.65.0.64/26')] });
    await until('BIRD has the new one', async () =>
      /on_ipv4/.test(await bird.birdc('show route for 10.65.0.65')),
    );
    expect(await bird.birdc('show route for 10.65.0.1')).not.toMatch(/on_ipv4/);
    expect(speaker.summary().peers.map(({ timesDropped }) => timesDropped)).toEqual([0, 0]);

    await bird.birdc('disable static1');
    await until(
      'theirs are withdrawn',
      () => held(speaker, 'leaf4', 'ipv4') === '0 paths, 0 stale',
    );
  });

  test('a default route for BIRD by itself, as long as it is configured', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    const config = speakerConfig(bothPeers({ defaultOriginate: true }));
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    const defaults = async (): Promise<string> =>
      (await bird.birdc('show route 0.0.0.0/0 all')) + (await bird.birdc('show route ::/0 all'));
    await until('BIRD has both', async () => {
      const text = await defaults();
      return [OURS.ipv4, OURS.ipv6].every((hop) => text.includes(`BGP.next_hop: ${hop}`));
    });
    expect((await defaults()).match(/BGP.as_path: 65101\n/g)).toHaveLength(2);
    await speaker.reconfigure({ ...config, peers: bothPeers() });
    await until('BIRD has none', async () => !(await defaults()).includes('BGP.next_hop'));
    expect(speaker.summary().peers.map(({ timesDropped }) => timesDropped)).toEqual([0, 0]);
  });

  test('BIRD asks for them again (route refresh)', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    const engine = noRoutes();
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()), { engine });
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
    await bird.birdc('reload in on_ipv4');
    await until('we are asked', () => engine.told.includes('refresh ipv4'));
  });
});

describe('protected sessions (TCP-MD5, GTSM)', () => {
  const protection = 'password "s3cret"; ttl security on;';
  const protectedPeers = (password: PeerConfig['password'], change: Partial<PeerConfig> = {}) =>
    bothPeers({ ttl: 255, minTtl: 255, ...(password && { password }), ...change });
  const keyFile = (text: string): string => {
    const file = join(mkdtempSync(join(tmpdir(), 'bgp-key-')), 'key');
    writeFileSync(file, text);
    return file;
  };
  const refusals = (speaker: Speaker): number => speaker.summary().connectionsRefused;

  test.each([
    ['we dial', `passive on; ${protection}`, {}],
    ['BIRD dials', protection, { passive: true }],
  ])('come up when %s', async (_who, session, change) => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig({ session }));
    const peers = protectedPeers({ value: 's3cret' }, change);
    await using speaker = await speakerIn(net.host, speakerConfig(peers));
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
  });

  test('a wrong key gives none; once the right one is in the file, they come up', async () => {
    await using net = await fabric();
    await using _bird = await startBird(net.leaf, birdConfig({ session: protection }));
    const file = keyFile('wrong');
    await using speaker = await speakerIn(net.host, speakerConfig(protectedPeers({ file })));
    await until('segments with a wrong key are dropped', async () => {
      const counters = await net.host.exec(['nstat', '-asz', 'TcpExtTCPMD5Failure']);
      return /TCPMD5Failure +[1-9]/.test(counters);
    });
    for (const name of ['leaf4', 'leaf6']) {
      expect(peerOf(speaker, name).state).not.toBe('Established');
    }
    writeFileSync(file, 's3cret\n');
    await established(speaker, 'leaf4', 'leaf6');
  });

  test('a password that cannot be read keeps a session down, even if the peer has none', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    const file = '/nonexistent/key';
    await using speaker = await speakerIn(
      net.host,
      speakerConfig(bothPeers({ password: { file } })),
    );
    await until('what BIRD dials is refused', () => refusals(speaker) > 1);
    for (const name of ['leaf4', 'leaf6']) {
      const { state, lastError, timesEstablished } = peerOf(speaker, name);
      expect({ timesEstablished, isUp: state === 'Established' }).toEqual({
        timesEstablished: 0,
        isUp: false,
      });
      expect(lastError).toContain(`the password file ${file} cannot be read: ENOENT`);
    }
    expect(await bird.birdc('show protocols')).not.toContain('Established');
  });
});

describe('a limit of prefixes', () => {
  /** BIRD announces two IPv4 prefixes and one IPv6. */
  const limited = (ipv4: number, action: 'warn' | 'stop' | 'restart') =>
    speakerConfig(
      bothPeers({ maxPrefixes: { most: { ipv4 }, warningPercent: 75, action, restartSeconds: 2 } }),
    );
  const start = async (net: Fabric, config: SpeakerConfig) => {
    const speaker = await speakerIn(net.host, config, { engine: createRouteEngine(config) });
    speaker.setInterfaces(INTERFACES);
    return speaker;
  };

  test('stop: the session ends in words, stays down, and comes back under another limit', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig());
    await using speaker = await start(net, limited(1, 'stop'));
    await until('it is down', () => peerOf(speaker, 'leaf4').prefixLimitReached);
    await established(speaker, 'leaf6');
    expect(peerOf(speaker, 'leaf4')).toMatchObject({
      state: 'Idle',
      lastError: 'sent Cease/Maximum Number of Prefixes Reached: more than 1 IPv4 prefixes',
    });
    await until('BIRD has been told, and is refused when it dials', async () => {
      const said = await bird.birdc('show protocols all on_ipv4');
      return /prefixes reached/i.test(said) && speaker.summary().peers.length === 2;
    });
    expect(await routesOf(speaker)).toEqual([]);
    await speaker.reconfigure(limited(2, 'stop'));
    await established(speaker, 'leaf4');
    await until('its routes are here', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 0 stale');
  });

  test('restart: it comes back by itself', async () => {
    await using net = await fabric();
    await using _bird = await startBird(net.leaf, birdConfig());
    await using speaker = await start(net, limited(1, 'restart'));
    await until('it was up twice', () => peerOf(speaker, 'leaf4').timesEstablished >= 2);
  });

  test('warn: it stays', async () => {
    await using net = await fabric();
    await using _bird = await startBird(net.leaf, birdConfig());
    await using speaker = await start(net, limited(1, 'warn'));
    await until('routes are here', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 0 stale');
    expect(peerOf(speaker, 'leaf4')).toMatchObject({ state: 'Established', timesDropped: 0 });
  });
});
