import { setImmediate } from 'node:timers/promises';
import type { Family } from '@overland/net';
import { NetlinkSocket } from '../netlink/netlink-socket.ts';
import {
  packedCount,
  packedDestination,
  packedRemoval,
  packedReplacement,
} from '../netlink/packed-routes.ts';
import {
  readRoute,
  writeRouteDump,
  writeRouteRemoval,
  writeRouteReplacement,
} from '../netlink/route-codec.ts';
import { KernelError, type Protocol, type Route, type Routes } from '../ports.ts';
import type { NetlinkContext } from './netlink-context.ts';

/** A listing gives way to other work after this many datagrams of up to 32 KB: about 5 ms. */
const SLICE_DATAGRAMS = 32;
const LIST_ATTEMPTS = 10;

/** {@link Routes} over rtnetlink. */
export function netlinkRoutes(context: NetlinkContext): Routes {
  const { requests } = context;
  return {
    list: (family, protocol = 0) => listRoutes(context, family, protocol),

    async replace(routes) {
      const devices = context.devices();
      return requests.change(routes, {
        encode: (writer, route) => writeRouteReplacement(writer, route, devices),
        describe: ({ destination }) => `replace route ${destination}`,
      });
    },

    async remove(routes) {
      return requests.change(routes, {
        encode: writeRouteRemoval,
        describe: ({ destination }) => `remove route ${destination}`,
        fulfilled: ['ESRCH'],
      });
    },

    async replacePacked(routes) {
      return requests.changeEach(packedCount(routes), {
        encode: packedReplacement(routes),
        describe: (at) => `replace route ${packedDestination(routes, at)}`,
      });
    },

    async removePacked(routes) {
      return requests.changeEach(packedCount(routes), {
        encode: packedRemoval(routes),
        describe: (at) => `remove route ${packedDestination(routes, at)}`,
        fulfilled: ['ESRCH'],
      });
    },
  };
}

/** Uses a socket of its own, because a table of 100,000 routes is read in slices with other requests in between. */
async function listRoutes(
  context: NetlinkContext,
  family: Family,
  protocol: Protocol,
): Promise<Route[]> {
  const operation = `list ${family} routes`;
  using socket = context.inside(() => new NetlinkSocket());
  for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt++) {
    const devices = context.devices();
    const found: Route[] = [];
    socket.beginDump((writer) => writeRouteDump(writer, family, protocol));
    for (let datagrams = 1; ; datagrams++) {
      let state: ReturnType<typeof socket.continueDump>;
      try {
        state = socket.continueDump(operation, (message) => readRoute(message, devices), found);
      } catch (error) {
        // The kernel makes the main table with its first route.
        if (error instanceof KernelError && error.code === 'ENOENT') return [];
        throw error;
      }
      if (state === 'done') return found;
      if (state === 'interrupted') break;
      if (datagrams % SLICE_DATAGRAMS === 0) await setImmediate();
    }
  }
  throw new KernelError('EINTR', operation, 'kept changing while it was read');
}
