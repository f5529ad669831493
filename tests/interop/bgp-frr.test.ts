import { createRouteEngine } from '@overland/bgp';
import type { Speaker } from '@overland/bgp/node';
import { parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { type Frr, startFrr } from './support/frr.ts';
import { noRoutes } from './support/no-routes.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

/** @param extra Lines inside `router bgp`. */
function frrConfig(extra: readonly string[] = [], hold = 3): string {
  return `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp graceful-restart preserve-fw-state
 bgp graceful-restart
 timers bgp 1 ${hold}
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 neighbor ${OURS.ipv6} remote-as 65101
 neighbor ${OURS.ipv6} timers connect 1
 ${extra.join('\n ')}
 address-family ipv4 unicast
  network 10.99.1.0/24
  network 10.99.2.0/24
  neighbor ${OURS.ipv4} activate
 address-family ipv6 unicast
  network fd00:99::/64
  neighbor ${OURS.ipv6} activate
`;
}

const PASSIVE = [`neighbor ${OURS.ipv4} passive`, `neighbor ${OURS.ipv6} passive`];

const bothPeers = (change = {}) => [
  peer('leaf4', THEIRS.ipv4, change),
  peer('leaf6', THEIRS.ipv6, change),
];

interface FrrNeighbour {
  readonly bgpState: string;
  readonly bgpTimerHoldTimeMsecs: number;
  readonly lastResetDueTo?: string;
  readonly lastNotificationReason?: string;
  readonly lastShutdownDescription?: string;
}

async function neighbour(frr: Frr, address: string): Promise<FrrNeighbour | undefined> {
  const text = await frr.vtysh(`show bgp neighbors ${address} json`);
  return (JSON.parse(text) as Record<string, FrrNeighbour>)[address];
}

const frrUp = (frr: Frr): Promise<unknown> =>
  until('FRR is Established', async () => {
    const states = [await neighbour(frr, OURS.ipv4), await neighbour(frr, OURS.ipv6)];
    return states.every((state) => state?.bgpState === 'Established');
  });

const held = (speaker: Speaker, name: string, family: 'ipv4' | 'ipv6'): string => {
  const { prefixesReceived, prefixesStale } = peerOf(speaker, name);
  return `${prefixesReceived[family]} paths, ${prefixesStale[family]} stale`;
};

describe('sessions come up for IPv4 and IPv6', () => {
  test('when we dial', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig(PASSIVE));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await frrUp(frr);
  });

  test('when FRR dials', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers({ passive: true })));
    await established(speaker, 'leaf4', 'leaf6');
    await frrUp(frr);
  });

  test('when both dial, and they outlive the hold time', async () => {
    await using net = await fabric();
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await using frr = await startFrr(net.leaf, frrConfig());
    await established(speaker, 'leaf4', 'leaf6');
    await frrUp(frr);
    await until(
      'two hold times have passed',
      () => speaker.summary().peers.every(({ upDownSeconds }) => (upDownSeconds ?? 0) >= 6),
      10,
    );
    expect(speaker.summary().peers.map(({ timesDropped }) => timesDropped)).toEqual([0, 0]);
  });
});

test.each([
  ['ours is lower', 3, 9],
  ['theirs is lower', 9, 3],
])('the hold time is the lower one, when %s', async (_, ours, theirs) => {
  await using net = await fabric();
  await using frr = await startFrr(net.leaf, frrConfig([], theirs));
  const peers = bothPeers({ holdSeconds: ours });
  await using speaker = await speakerIn(net.host, speakerConfig(peers));
  await established(speaker, 'leaf4', 'leaf6');
  await frrUp(frr);
  expect(peerOf(speaker, 'leaf4').session?.holdSeconds).toBe(3);
  expect((await neighbour(frr, OURS.ipv4))?.bgpTimerHoldTimeMsecs).toBe(3000);
});

describe('the end of a session, in words', () => {
  test('FRR is shut down by its operator', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await frr.vtysh(
      'configure terminal',
      'router bgp 65011',
      `neighbor ${OURS.ipv4} shutdown message back at noon`,
    );
    await until('it is down', () => peerOf(speaker, 'leaf4').timesDropped === 1);
    expect(peerOf(speaker, 'leaf4')).toMatchObject({
      lastError: 'received Cease/Administrative Shutdown',
      lastCommunication: 'back at noon',
    });
  });

  test('we are shut down by ours', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await frrUp(frr);
    await speaker.stop('shutdown', 'moving house');
    const after = await until('FRR has it', async () => {
      const state = await neighbour(frr, OURS.ipv4);
      return state?.lastNotificationReason === undefined ? undefined : state;
    });
    expect(after.lastNotificationReason).toBe('Cease/Administrative Shutdown');
    expect(after.lastShutdownDescription).toBe('moving house');
  });

  test('FRR drops the session by hand: clear', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await frrUp(frr);
    await frr.vtysh(`clear bgp ${OURS.ipv4}`);
    await until('it was down', () => peerOf(speaker, 'leaf4').timesDropped === 1);
    expect(peerOf(speaker, 'leaf4').lastError).toBe('received Cease/Administrative Reset');
    await established(speaker, 'leaf4');
  });
});

describe('graceful restart', () => {
  test('bgpd is killed: its routes stay as stale, and are current again when it is back', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
    const config = speakerConfig(bothPeers());
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    await until('routes are here', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 0 stale');
    await until('IPv6 too', () => held(speaker, 'leaf6', 'ipv6') === '1 paths, 0 stale');

    await frr.killBgpd('SIGKILL');
    await until('they are stale', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 2 stale');
    await frr.startBgpd();
    await established(speaker, 'leaf4', 'leaf6');
    await until('they are not', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 0 stale');
    await until('IPv6 too', () => held(speaker, 'leaf6', 'ipv6') === '1 paths, 0 stale');
  });

  test('we are killed: FRR keeps our routes as stale until we are back', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
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
    const ipv4 = (): Promise<string> => frr.vtysh('show bgp ipv4 unicast 10.65.0.0/26');
    const ipv6 = (): Promise<string> => frr.vtysh('show bgp ipv6 unicast fd00:65::/122');
    await until('FRR has our IPv4', async () => /valid, external, best/.test(await ipv4()));
    await until('FRR has our IPv6', async () => /valid, external, best/.test(await ipv6()));

    await router.kill('SIGKILL');
    await until('ours are stale', async () => /stale/i.test(await ipv4()));
    await until('IPv6 too', async () => /stale/i.test(await ipv6()));
    expect(await net.leaf.ip('route', 'show', '10.65.0.0/26')).toContain(OURS.ipv4);
    await router.start();
    await frrUp(frr);
    await until('ours are current', async () => !/stale/i.test(await ipv4()));
    expect(await ipv4()).toMatch(/valid, external, best/);
    await until('IPv6 too', async () => !/stale/i.test(await ipv6()));
  });

  test('after our NOTIFICATION nothing is kept', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
    const config = speakerConfig(bothPeers(), { originate: [parsePrefix('10.65.0.0/26')] });
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    const ours = (): Promise<string> => frr.vtysh('show bgp ipv4 unicast 10.65.0.0/26');
    await until('FRR has ours', async () => /valid, external, best/.test(await ours()));
    await speaker.stop('shutdown');
    await until('FRR has dropped ours', async () => !/valid/.test(await ours()));
  });
});

describe('routes', () => {
  test('both directions, both families', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
    const config = speakerConfig(bothPeers(), {
      originate: [parsePrefix('10.65.0.0/26'), parsePrefix('fd00:65::/122')],
    });
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    await until('FRR has IPv4', async () =>
      (await frr.vtysh('show bgp ipv4 unicast 10.65.0.0/26')).includes(OURS.ipv4),
    );
    await until('FRR has IPv6', async () =>
      (await frr.vtysh('show bgp ipv6 unicast fd00:65::/122')).includes(OURS.ipv6),
    );
    await until('it is in the kernel', async () =>
      (await net.leaf.ip('route', 'show', '10.65.0.0/26')).includes(OURS.ipv4),
    );
    await until('we have theirs', () => held(speaker, 'leaf4', 'ipv4') === '2 paths, 0 stale');
    await until('IPv6 too', () => held(speaker, 'leaf6', 'ipv6') === '1 paths, 0 stale');
  });

  test('FRR asks for them again (route refresh)', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, frrConfig());
    const engine = noRoutes();
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()), { engine });
    await established(speaker, 'leaf4', 'leaf6');
    await frrUp(frr);
    await frr.vtysh(`clear bgp ipv4 unicast ${OURS.ipv4} soft in`);
    await until('we are asked', () => engine.told.includes('refresh ipv4'));
  });
});

test.each([
  ['we dial', PASSIVE, {}],
  ['FRR dials', [], { passive: true }],
])('protected by TCP-MD5 and GTSM when %s', async (_who, direction, change) => {
  await using net = await fabric();
  const protection = [OURS.ipv4, OURS.ipv6].flatMap((address) => [
    `neighbor ${address} password s3cret`,
    `neighbor ${address} ttl-security hops 1`,
  ]);
  await using _frr = await startFrr(net.leaf, frrConfig([...direction, ...protection]));
  const ours = { ttl: 255, minTtl: 255, password: { value: 's3cret' }, ...change };
  await using speaker = await speakerIn(net.host, speakerConfig(bothPeers(ours)));
  await established(speaker, 'leaf4', 'leaf6');
});
