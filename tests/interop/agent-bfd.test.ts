import { askForBfdStatus } from '@overland/bgp/bfd';
import { cable, netns } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { agentHost } from './support/agent.ts';
import { startFrr } from './support/frr.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

const FRR_CONFIG = `
bfd
 peer 10.254.11.11 interface eth1
  receive-interval 300
  transmit-interval 300
 !
!
router bgp 65011
 bgp router-id 10.255.0.11
 no bgp ebgp-requires-policy
 neighbor 10.254.11.11 remote-as 65101
 neighbor 10.254.11.11 timers 30 90
 neighbor 10.254.11.11 timers connect 1
 neighbor 10.254.11.11 bfd
`;

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
  manifest('BGPPeer', 'leaf', {
    node: 'host11',
    asNumber: 65011,
    peerIP: '10.254.11.10',
    sourceAddress: 'None',
    bfd: { transmitInterval: '300ms', receiveInterval: '300ms' },
  }),
];

test('a BGPPeer with bfd: the agent starts BFD, its own death is no flap, a dead peer is missed at once', async () => {
  await using leaf = await netns();
  await using host = await netns();
  await cable(
    { namespace: leaf, device: 'eth1', addresses: ['10.254.11.10/31'] },
    { namespace: host, device: 'eth1', addresses: ['10.254.11.11/31'] },
  );
  await using frr = await startFrr(leaf, FRR_CONFIG, { bfd: true });
  const settings = { nodeName: 'host11', asNumber: 65101, logLevel: 'info' };
  await using agent = await agentHost(host, settings, MANIFESTS);
  const socket = `${agent.stateDirectory}/bfd.sock`;
  const session = async () => (await askForBfdStatus(socket).catch(() => undefined))?.sessions[0];
  const neighbour = async (): Promise<Record<string, unknown>> =>
    JSON.parse(await frr.vtysh('show bgp neighbors 10.254.11.11 json'))['10.254.11.11'];
  const established = (times: number) =>
    until(
      () => `the session is up ${times} times: ${agent.log}`,
      async () => {
        const { bgpState, connectionsEstablished } = await neighbour();
        return bgpState === 'Established' && connectionsEstablished === times;
      },
      30,
    );
  agent.start();
  await established(1);
  await until(
    () => `BFD is up: ${agent.log}`,
    async () => (await session())?.state === 'Up',
  );

  await agent.kill('SIGKILL');
  agent.start();
  await established(2);
  expect(await session()).toMatchObject({ state: 'Up', timesUp: 1, timesDown: 0 });

  await frr.killBfdd('SIGKILL');
  await until('FRR hears why', async () => JSON.stringify(await neighbour()).includes('BFD Down'));
});
