import { join } from 'node:path';
import { startBgpRun } from '../../../tests/interop/support/bgp-run.ts';
import { HOLD_SECONDS, KEEPALIVE_SECONDS, ROUTER_ID, type StartRouter } from './router.ts';

const THIS_CHECKOUT = join(import.meta.dirname, '../../..');

/** `overland bgp run`, compiled, as it is shipped. @param checkout Where: another one to compare with. */
export function overland(checkout = THIS_CHECKOUT): StartRouter {
  return (namespace, { family, asn, address, peers }) => {
    const file = {
      asn,
      routerId: ROUTER_ID,
      role: peers.some(({ isClient }) => isClient) ? 'reflector' : 'router',
      listen: [{ address, port: 179 }],
      gracefulRestart: { enabled: false },
      multipath: { maxPaths: 1 },
      defaults: {
        families: [family],
        passive: true,
        holdSeconds: HOLD_SECONDS,
        keepaliveSeconds: KEEPALIVE_SECONDS,
      },
      peers: peers.map(({ isClient, ...peer }) => ({
        ...peer,
        ...(isClient && { routeReflectorClient: true }),
      })),
    };
    const program = [join(checkout, 'overland')];
    return startBgpRun(namespace, JSON.stringify(file), ['--no-fib'], program);
  };
}
