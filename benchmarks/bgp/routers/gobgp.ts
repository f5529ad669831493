import { startGobgp } from '../../../tests/interop/support/gobgp.ts';
import { ROUTER_ID, type StartRouter } from './router.ts';

export const startGobgpRouter: StartRouter = async (
  namespace,
  { family, asn, address, peers, holdSeconds },
) => {
  const gobgp = await startGobgp(
    namespace,
    `
[global.config]
  as = ${asn}
  router-id = "${ROUTER_ID}"
${peers
  .map(
    (peer) => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${peer.address}"
    peer-as = ${peer.asn}
  [neighbors.transport.config]
    local-address = "${address}"
    passive-mode = true
  [neighbors.timers.config]
    hold-time = ${holdSeconds}
    keepalive-interval = ${holdSeconds / 3}
  ${
    peer.isClient
      ? `[neighbors.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "${ROUTER_ID}"`
      : ''
  }
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${family}-unicast"
`,
  )
  .join('')}`,
  );
  return { [Symbol.asyncDispose]: () => gobgp[Symbol.asyncDispose]() };
};
