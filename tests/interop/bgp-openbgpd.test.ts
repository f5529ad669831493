import { createRouteEngine } from '@overland/bgp';
import { type Asn, parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { noRoutes } from './support/no-routes.ts';
import { type Openbgpd, startOpenbgpd } from './support/openbgpd.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import {
  LEFT,
  RIGHT,
  type Side,
  TRANSIT_INTERFACES,
  transit,
  transitPeers,
} from './support/transit.ts';
import { until } from './support/until.ts';

const NEAR: Side = { asn: 65011, ours: OURS, theirs: THEIRS };

/** @param extra Lines of both neighbours. */
function openbgpdConfig(side: Side, extra = ''): string {
  const neighbour = (family: 'ipv4' | 'ipv6'): string => `
neighbor ${side.ours[family]} {
  remote-as 65101
  local-address ${side.theirs[family]}
  announce ${family === 'ipv4' ? 'IPv4 unicast' : 'IPv6 unicast'}
  announce ${family === 'ipv4' ? 'IPv6 none' : 'IPv4 none'}
  ${extra}
}`;
  return `
AS ${side.asn}
router-id ${side.theirs.ipv4}
holdtime 3
connect-retry 1
${neighbour('ipv4')}
${neighbour('ipv6')}
allow from any
allow to any
`;
}

const bothPeers = (change = {}) => [
  peer('leaf4', THEIRS.ipv4, change),
  peer('leaf6', THEIRS.ipv6, change),
];

const openbgpdUp = (openbgpd: Openbgpd): Promise<unknown> =>
  until('OpenBGPD is Established', async () => {
    for (const address of [OURS.ipv4, OURS.ipv6]) {
      const text = await openbgpd.bgpctl('show', 'neighbor', address);
      if (!text.includes('BGP state = Established')) return false;
    }
    return true;
  });

describe('sessions come up for IPv4 and IPv6', () => {
  test('when we dial', async () => {
    await using net = await fabric();
    await using openbgpd = await startOpenbgpd(net.leaf, openbgpdConfig(NEAR, 'passive'));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await openbgpdUp(openbgpd);
    expect(peerOf(speaker, 'leaf4').session).toMatchObject({ holdSeconds: 3, fourOctetAs: true });
  });

  test('when OpenBGPD dials', async () => {
    await using net = await fabric();
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers({ passive: true })));
    await using openbgpd = await startOpenbgpd(net.leaf, openbgpdConfig(NEAR));
    await established(speaker, 'leaf4', 'leaf6');
    await openbgpdUp(openbgpd);
  });

  test('protected by TCP-MD5', async () => {
    await using net = await fabric();
    const config = openbgpdConfig(NEAR, 'tcp md5sig password s3cret');
    await using openbgpd = await startOpenbgpd(net.leaf, config);
    const peers = bothPeers({ password: { value: 's3cret' } });
    await using speaker = await speakerIn(net.host, speakerConfig(peers));
    await established(speaker, 'leaf4', 'leaf6');
    await openbgpdUp(openbgpd);
  });
});

test('routes pass through us with their attributes, and are withdrawn', async () => {
  await using net = await transit();
  await using left = await startOpenbgpd(net.left, openbgpdConfig(LEFT));
  await using right = await startOpenbgpd(net.right, openbgpdConfig(RIGHT));
  const config = speakerConfig(transitPeers(), { role: 'router' });
  const engine = createRouteEngine(config);
  await using speaker = await speakerIn(net.router, config, { engine });
  speaker.setInterfaces(TRANSIT_INTERFACES);
  await established(speaker, 'left4', 'left6', 'right4', 'right6');

  const attributes =
    'metric 50 community 65011:7 large-community 4200000011:1:2 prepend-self 2'.split(' ');
  for (const [family, prefix] of [
    ['ipv4', '10.99.1.0/24'],
    ['ipv6', 'fd00:99::/64'],
  ] as const) {
    await left.bgpctl('network', 'add', prefix, ...attributes);
    const shown = await until(`OpenBGPD has ${prefix}`, async () => {
      const table = await right.bgpctl('show', 'rib', 'detail');
      return table.includes(`entry for ${prefix}`) ? table : '';
    });
    expect(shown).toMatch(/^ +65101 65011 65011 65011$/m);
    expect(shown).toContain(`Nexthop ${RIGHT.ours[family]}`);
    expect(shown).toContain('metric 0');
    expect(shown).toContain('Communities: 65011:7');
    expect(shown).toContain('Large Communities: 4200000011:1:2');
    const [route] = engine.routes({ family, limit: 1 }).routes;
    expect(route?.paths[0]).toMatchObject({ asPath: [65011, 65011, 65011], med: 50 });

    await left.bgpctl('network', 'delete', prefix);
    await until(
      `OpenBGPD has it no more`,
      async () => !(await right.bgpctl('show', 'rib')).includes(prefix),
    );
  }
});

test('OpenBGPD asks for our routes again (route refresh)', async () => {
  await using net = await fabric();
  await using openbgpd = await startOpenbgpd(net.leaf, openbgpdConfig(NEAR));
  const engine = noRoutes();
  await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()), { engine });
  await established(speaker, 'leaf4', 'leaf6');
  await openbgpdUp(openbgpd);
  await openbgpd.bgpctl('neighbor', OURS.ipv4, 'refresh');
  await openbgpd.bgpctl('neighbor', OURS.ipv6, 'refresh');
  await until('we are asked', () =>
    ['ipv4', 'ipv6'].every((family) => engine.told.includes(`refresh ${family}`)),
  );
});

test('an AS number of four octets', async () => {
  await using net = await fabric();
  await using _ = await startOpenbgpd(net.leaf, openbgpdConfig({ ...NEAR, asn: 4200000011 }));
  const peers = bothPeers({ asn: 4200000011 as Asn });
  await using speaker = await speakerIn(net.host, speakerConfig(peers));
  await established(speaker, 'leaf4', 'leaf6');
});

test('End-of-RIB goes both ways', async () => {
  await using net = await fabric();
  await using openbgpd = await startOpenbgpd(net.leaf, openbgpdConfig(NEAR));
  const config = speakerConfig(bothPeers(), { originate: [parsePrefix('10.65.0.0/26')] });
  const engine = createRouteEngine(config);
  await using speaker = await speakerIn(net.host, config, { engine });
  speaker.setInterfaces(INTERFACES);
  await established(speaker, 'leaf4', 'leaf6');
  const slot = config.peers.findIndex(({ name }) => name === 'leaf4');
  await until('OpenBGPD has sent it', () => engine.endOfRibReceived(slot).includes('ipv4'));
  await until('OpenBGPD has received it', async () =>
    /End-of-Rib +1 +1$/m.test(await openbgpd.bgpctl('show', 'neighbor', OURS.ipv4)),
  );
});

test('we are killed: OpenBGPD keeps our routes as stale until we are back', async () => {
  await using net = await fabric();
  // With a route of ours in the kernel there is forwarding that a restart can say it has kept (RFC 4724 section 3).
  const config = `${openbgpdConfig(NEAR)}network 10.99.0.0/24\n`;
  await using openbgpd = await startOpenbgpd(net.leaf, config);
  await using router = await startBgpRun(
    net.host,
    JSON.stringify({
      asn: 65101,
      routerId: '10.0.0.5',
      originate: ['10.65.0.0/26'],
      defaults: { holdSeconds: 3, connectRetrySeconds: 1 },
      peers: [{ address: THEIRS.ipv4, asn: 65011 }],
    }),
  );
  const ours = (): Promise<string> => openbgpd.bgpctl('show', 'rib', 'detail', '10.65.0.0/26');
  await until('OpenBGPD has our route', async () => /\bbest\b/.test(await ours()));
  expect(await ours()).not.toContain('stale');
  await until('our kernel has its route', async () =>
    (await net.host.ip('route')).includes('10.99.0.0/24'),
  );
  await router.kill('SIGKILL');
  await until('it is stale', async () => (await ours()).includes('stale'));
  await router.start();
  await until('it is current', async () => {
    const text = await ours();
    expect(text, 'it was there all the time').toContain('10.65.0.0/26');
    return !text.includes('stale');
  });
});

describe('the end of a session, in words', () => {
  test('OpenBGPD is shut down by its operator', async () => {
    await using net = await fabric();
    await using openbgpd = await startOpenbgpd(net.leaf, openbgpdConfig(NEAR));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await openbgpd.bgpctl('neighbor', OURS.ipv4, 'down', 'back at noon');
    await until('it is down', () => peerOf(speaker, 'leaf4').timesDropped === 1);
    expect(peerOf(speaker, 'leaf4')).toMatchObject({
      lastError: 'received Cease/Administrative Shutdown',
      lastCommunication: 'back at noon',
    });
  });

  test('we are shut down by ours', async () => {
    await using net = await fabric();
    await using openbgpd = await startOpenbgpd(net.leaf, openbgpdConfig(NEAR));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await openbgpdUp(openbgpd);
    await speaker.stop('shutdown', 'moving house');
    const shown = await until('OpenBGPD has it', async () => {
      const text = await openbgpd.bgpctl('show', 'neighbor', OURS.ipv4);
      return text.includes('shutdown reason') ? text : '';
    });
    expect(shown).toContain('Last received shutdown reason: "moving house"');
    expect(shown).toMatch(/Last error received: Cease, administratively down/);
  });
});
