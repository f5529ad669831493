import { COMPILED, startBgpRun } from '../../../tests/interop/support/bgp-run.ts';
import { HOLD_SECONDS, KEEPALIVE_SECONDS, ROUTER_ID, type StartRouter } from './router.ts';

/** `overland bgp run`, compiled, as it is shipped. */
export const startOverland: StartRouter = (namespace, { family, asn, address, peers }) => {
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
  const options = ['--no-fib', '--log-level', 'info'];
  return startBgpRun(namespace, JSON.stringify(file), options, COMPILED);
};
