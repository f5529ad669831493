import { createRouteEngine } from '@overland/bgp';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

/** RFC 8538 is on by default in FRR: with `bgp graceful-restart`, its OPEN has the N bit. */
const FRR = `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp graceful-restart preserve-fw-state
 bgp graceful-restart
 no bgp hard-administrative-reset
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 address-family ipv4 unicast
  network 10.99.1.0/24
  neighbor ${OURS.ipv4} activate
`;

const config = speakerConfig([peer('leaf4', THEIRS.ipv4)], {
  gracefulRestart: {
    enabled: true,
    notification: true,
    restartSeconds: 60,
    stalePathSeconds: 60,
    deferralSeconds: 2,
  },
  originate: [parsePrefix('10.65.0.0/26')],
});

test('FRR drops the session by a soft reset: its routes stay until they are sent again', async () => {
  await using net = await fabric();
  await using frr = await startFrr(net.leaf, FRR);
  await using speaker = await speakerIn(net.host, config, { engine: createRouteEngine(config) });
  speaker.setInterfaces(INTERFACES);
  await established(speaker, 'leaf4');
  expect(peerOf(speaker, 'leaf4').session?.notificationRestart).toBe(true);
  await until('routes are here', () => peerOf(speaker, 'leaf4').prefixesReceived.ipv4 === 1);
  await frr.vtysh(`clear bgp ${OURS.ipv4}`);
  await until('it was down', () => peerOf(speaker, 'leaf4').timesDropped === 1);
  const { lastError, prefixesReceived } = peerOf(speaker, 'leaf4');
  expect(lastError).toBe('received Cease/Administrative Reset');
  expect(prefixesReceived.ipv4).toBe(1);
  await established(speaker, 'leaf4');
  await until('they are current', () => peerOf(speaker, 'leaf4').prefixesStale.ipv4 === 0);
  expect(peerOf(speaker, 'leaf4').prefixesReceived.ipv4).toBe(1);
});

test('a planned stop is a Hard Reset: FRR drops ours', async () => {
  await using net = await fabric();
  await using frr = await startFrr(net.leaf, FRR);
  await using speaker = await speakerIn(net.host, config, { engine: createRouteEngine(config) });
  speaker.setInterfaces(INTERFACES);
  const ours = (): Promise<string> => frr.vtysh('show bgp ipv4 unicast 10.65.0.0/26');
  await until('FRR has ours', async () => /valid, external, best/.test(await ours()));
  await speaker.stop('shutdown', 'moving house');
  await until('FRR has dropped ours', async () => !/valid|stale/i.test(await ours()));
  const text = await frr.vtysh(`show bgp neighbors ${OURS.ipv4} json`);
  expect((JSON.parse(text) as Record<string, object>)[OURS.ipv4]).toMatchObject({
    lastNotificationReason: 'Cease/Administrative Shutdown',
    lastNotificationHardReset: true,
    lastShutdownDescription: 'moving house',
  });
});
