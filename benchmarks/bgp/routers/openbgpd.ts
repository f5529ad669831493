import { startOpenbgpd } from '../../../tests/interop/support/openbgpd.ts';
import { ROUTER_ID, type StartRouter } from './router.ts';

export const startOpenbgpdRouter: StartRouter = (
  namespace,
  { family, asn, address, peers, holdSeconds },
) =>
  startOpenbgpd(
    namespace,
    `
AS ${asn}
router-id ${ROUTER_ID}
holdtime ${holdSeconds}
listen on ${address}
${peers
  .map(
    (peer) => `
neighbor ${peer.address} {
  remote-as ${peer.asn}
  local-address ${address}
  announce ${family === 'ipv4' ? 'IPv4 unicast' : 'IPv6 unicast'}
  announce ${family === 'ipv4' ? 'IPv6 none' : 'IPv4 none'}
  passive
  ${peer.isClient ? 'route-reflector' : ''}
}`,
  )
  .join('')}
allow from any
allow to any
`,
  );
