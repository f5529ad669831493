import { startFrr } from '../../../tests/interop/support/frr.ts';
import { ROUTER_ID, type StartRouter } from './router.ts';

/** FRR; a table map keeps its routes from zebra and the kernel. */
export const startFrrRouter: StartRouter = (namespace, { family, asn, peers, holdSeconds }) =>
  startFrr(
    namespace,
    `
route-map none deny 10
router bgp ${asn}
 bgp router-id ${ROUTER_ID}
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 timers bgp ${holdSeconds / 3} ${holdSeconds}
${peers
  .map(
    ({ address, asn: remote }) => ` neighbor ${address} remote-as ${remote}
 neighbor ${address} passive
 neighbor ${address} advertisement-interval 0`,
  )
  .join('\n')}
 address-family ${family} unicast
  table-map none
${peers
  .map(
    ({ address, isClient }) => `  neighbor ${address} activate
${isClient ? `  neighbor ${address} route-reflector-client` : ''}`,
  )
  .join('\n')}
 exit-address-family
`,
  );
