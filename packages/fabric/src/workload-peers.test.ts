import { expect, test } from 'vitest';
import { bgp, endpoint, inputs, peer } from '../test/fixture.ts';
import { speakerConfigOf } from './index.ts';

/** A workload of a node with these labels and addresses, on `cali1`. */
function workload(nodeName: string, labels: object, ...networks: string[]) {
  const one = endpoint(nodeName, ...networks);
  const metadata = { ...one.metadata, namespace: 'prod', labels: { ...labels } };
  return { ...one, metadata, spec: { ...one.spec, interfaceName: 'cali1' } } as typeof one;
}

const SELECTING = peer('routers', { localWorkloadSelector: "app == 'router'", asNumber: 65_200 });

function result(changes: Parameters<typeof inputs>[0]) {
  const { config, links, diagnostics } = speakerConfigOf(inputs(changes));
  return { config, links: [...links], reasons: diagnostics.map(({ reason }) => reason) };
}

test('each address of a workload of the node that a BGPPeer selects is a peer on its link', () => {
  const { config, links, reasons } = result({
    bgpPeers: [SELECTING],
    blocks: ['10.65.0.0/26'],
    endpoints: [
      workload('host11', { app: 'router' }, '10.65.0.2/32', 'fd00:65::2/128'),
      workload('host11', { app: 'web' }, '10.65.0.3/32'),
      workload('host12', { app: 'router' }, '10.65.0.70/32'),
    ],
  });
  expect(reasons).toEqual([]);
  expect(config?.peers).toMatchObject([
    {
      name: 'routers/prod/host11-cni-c1-eth0/10.65.0.2',
      address: '10.65.0.2',
      asn: 65_200,
      // The gateway of every workload.
      localAddress: '169.254.1.1',
      bindInterface: 'cali1',
      importSafety: { defaultRoute: false, isNode: false },
    },
    { address: 'fd00:65::2', bindInterface: 'cali1' },
  ]);
  expect(config?.peers[1]?.localAddress).toBeUndefined();
  expect(config?.neighbours).toEqual([
    { address: '10.65.0.2', device: 'cali1' },
    { address: 'fd00:65::2', device: 'cali1' },
  ]);
  expect(links).toEqual([]);
});

test('peering addresses of the BGPConfiguration are on the links of such workloads', () => {
  const peering = { localWorkloadPeeringIPV4: '10.9.9.9', localWorkloadPeeringIPV6: 'fd00:9::9' };
  const { config, links } = result({
    bgpConfigurations: [bgp({ nodeToNodeMeshEnabled: false, ...peering })],
    bgpPeers: [SELECTING],
    endpoints: [workload('host11', { app: 'router' }, '10.65.0.2/32', 'fd00:65::2/128')],
  });
  expect(config?.peers.map(({ localAddress }) => localAddress)).toEqual(['10.9.9.9', 'fd00:9::9']);
  expect(links).toEqual([['cali1', ['10.9.9.9', 'fd00:9::9']]]);
});

test('a peer that is reached by a gateway has a route, which nobody is offered', () => {
  const { config, reasons } = result({
    bgpPeers: [
      peer('far', { peerIP: '10.8.0.1', asNumber: 65_012, reachableBy: '10.1.0.1' }),
      peer('far-too', { peerIP: '10.8.0.1:1179', asNumber: 65_013, reachableBy: '10.1.0.2' }),
      peer('near', { peerIP: '10.1.0.1', asNumber: 65_011 }),
    ],
  });
  expect(config?.static).toEqual([
    { prefix: '10.8.0.1/32', nextHops: [{ address: '10.1.0.1' }], advertise: false },
  ]);
  expect(reasons).toEqual(['reachableBy: 10.8.0.1 is reached by 10.1.0.1 for another session']);
});
