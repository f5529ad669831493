import type { Kernel } from '../ports.ts';
import { netlinkConntrack } from './conntrack.ts';
import { netlinkLinks } from './links.ts';
import { netlinkMonitor } from './monitor.ts';
import { netlinkNeighbours } from './neighbours.ts';
import { NetlinkContext } from './netlink-context.ts';
import { netlinkNextHopObjects } from './next-hop-objects.ts';
import { netlinkRoutes } from './routes.ts';
import { procSysctls } from './sysctls.ts';
import { netlinkTrafficControl } from './traffic-control.ts';

/**
 * Opens a network namespace for reading and changing.
 *
 * Calls are synchronous underneath and a batch can stall 40–110 ms in the kernel: use it where that hurts nobody.
 *
 * @param options.namespace Path such as `/run/netns/web1`; absent: the namespace of the calling thread. While
 *   the kernel is open it keeps the namespace alive.
 * @throws {KernelError} ENOENT if there is no such namespace; EPERM without CAP_SYS_ADMIN to enter it.
 */
export function openKernel(options: { readonly namespace?: string } = {}): Kernel {
  const context = new NetlinkContext(options.namespace);
  const stopped = new AbortController();
  return {
    links: netlinkLinks(context),
    routes: netlinkRoutes(context),
    nextHopObjects: netlinkNextHopObjects(context),
    neighbours: netlinkNeighbours(context),
    monitor: netlinkMonitor(context, stopped.signal),
    sysctls: procSysctls(context),
    conntrack: netlinkConntrack(context),
    trafficControl: netlinkTrafficControl(context),
    async [Symbol.asyncDispose]() {
      stopped.abort();
      context[Symbol.dispose]();
    },
  };
}
