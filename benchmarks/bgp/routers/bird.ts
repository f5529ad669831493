import { startBird } from '../../../tests/interop/support/bird.ts';
import { ROUTER_ID, type RouterPeer, type RouterSetup, type StartRouter } from './router.ts';

/** BIRD, with a kernel protocol if it is to have one. */
export const startBirdRouter: StartRouter = (namespace, setup) =>
  startBird(
    namespace,
    `
router id ${ROUTER_ID};
protocol device {}
${kernelProtocol(setup)}
${setup.peers.map((peer, index) => protocol(peer, index, setup)).join('')}`,
  );

function kernelProtocol({ family, kernelPaths }: RouterSetup): string {
  if (kernelPaths === undefined) return '';
  return `protocol kernel { ${family} { export all; }; merge paths on limit ${kernelPaths}; }`;
}

function protocol(peer: RouterPeer, index: number, setup: RouterSetup): string {
  const { family, asn, address, holdSeconds } = setup;
  const nextHop = peer.asn === asn ? 'gateway direct' : 'next hop self; gateway direct';
  return `
protocol bgp peer${index} {
  local ${address} as ${asn};
  neighbor ${peer.address} as ${peer.asn};
  direct; passive; ${peer.isClient ? 'rr client;' : ''}
  hold time ${holdSeconds}; keepalive time ${holdSeconds / 3};
  ${family} { import all; export where source = RTS_BGP; ${nextHop}; };
}`;
}
