import { join } from 'node:path';
import { startBgpRun } from '../../../tests/interop/support/bgp-run.ts';
import { Watch } from '../watch.ts';
import { ROUTER_ID, type Router, type StartRouter } from './router.ts';

/** What it is held to: hold time 3 s, keepalive 1 s keeps every session up. */
const HOLD_SECONDS = 3;
const THIS_CHECKOUT = join(import.meta.dirname, '../../..');

/**
 * `overland bgp run`, compiled, as it is shipped.
 *
 * @param checkout Where: another one to compare with.
 * @param watches Whether its thread is watched, which costs some CPU time.
 */
export function overland(checkout = THIS_CHECKOUT, watches = false): Router {
  const start: StartRouter = async (
    namespace,
    { family, asn, address, peers, holdSeconds, kernelPaths },
  ) => {
    const file = {
      asn,
      routerId: ROUTER_ID,
      role: peers.some(({ isClient }) => isClient) ? 'reflector' : 'router',
      listen: [{ address, port: 179 }],
      gracefulRestart: { enabled: false },
      multipath: { maxPaths: kernelPaths ?? 1 },
      defaults: {
        families: [family],
        passive: true,
        holdSeconds,
        keepaliveSeconds: holdSeconds / 3,
      },
      peers: peers.map(({ isClient, ...peer }) => ({
        ...peer,
        ...(isClient && { routeReflectorClient: true }),
      })),
    };
    const options = kernelPaths === undefined ? ['--no-fib'] : [];
    const watch = watches ? new Watch() : undefined;
    const program = watch?.program(join(checkout, 'packages/cli/dist/bin.js')) ?? [
      join(checkout, 'overland'),
    ];
    const run = await startBgpRun(namespace, JSON.stringify(file), options, program);
    return { ...(watch && { watch }), [Symbol.asyncDispose]: () => run[Symbol.asyncDispose]() };
  };
  return { start, holdSeconds: HOLD_SECONDS, writesKernel: true };
}
