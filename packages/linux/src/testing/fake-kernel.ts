import { EventQueue } from '../kernel/event-queue.ts';
import { type Kernel, KernelError, type KernelEvent, type TrackedConnection } from '../ports.ts';
import { fakeConntrack } from './fake-conntrack.ts';
import { fakeLinks, removePair } from './fake-links.ts';
import { FakeNamespace } from './fake-namespace.ts';
import { fakeNeighbours } from './fake-neighbours.ts';
import { fakeNextHopObjects, fakeRoutes } from './fake-routes.ts';
import { fakeSysctls } from './fake-sysctls.ts';
import { fakeTrafficControl } from './fake-traffic-control.ts';

/** A {@link Kernel} in memory, with what a test needs besides. */
export interface FakeKernel extends Kernel {
  /** Every change asked for, in order and as errors name it: `replace route 10.65.0.0/26`. Clear it by `length = 0`. */
  readonly operations: string[];
  /** Settings of /proc/sys that were set, or that the test adds. */
  readonly settings: Map<string, string>;
  /** Connections that the kernel tracks, as a test adds them. */
  readonly connections: Set<TrackedConnection>;
  /** Decides which changes fail, and with which code. By default none. */
  refuse: (operation: string) => string | undefined;
  /** Tells every monitor that events were lost. */
  overrun(): void;
  /** Adds a namespace to the machine, so that `createVeth` can reach it. @returns Its kernel. */
  addNamespace(path: string): FakeKernel;
  /** Removes a namespace, and with it both ends of its links. */
  removeNamespace(path: string): void;
  /** The kernel of a namespace, as `openKernel({ namespace })`. @throws {KernelError} ENOENT. */
  open(path: string): FakeKernel;
  /** The same namespace in the hands of another process: what it changes is no echo. */
  reopen(): FakeKernel;
}

/**
 * A fake kernel that keeps the rules on which reconcilers depend: what goes with a next-hop object, a link, an
 * address or a carrier, what the kernel refuses, and which of this it reports.
 *
 * Not modelled: IPv6 link-local addresses and their routes, one subnet on two links, address resolution,
 * forwarding itself.
 */
export function fakeKernel(): FakeKernel {
  const machine = new Map<string, FakeNamespace>();
  return kernelOf(new FakeNamespace(machine));
}

function kernelOf(namespace: FakeNamespace): FakeKernel {
  const { machine, operations, sysctls: settings } = namespace;
  const stopped = new AbortController();
  const user = {};
  const find = (path: string): FakeNamespace => {
    const found = machine.get(path);
    if (found === undefined) throw new KernelError('ENOENT', `open namespace ${path}`);
    return found;
  };
  return {
    links: fakeLinks(namespace),
    routes: fakeRoutes(namespace, user),
    nextHopObjects: fakeNextHopObjects(namespace, user),
    neighbours: fakeNeighbours(namespace),
    sysctls: fakeSysctls(namespace),
    conntrack: fakeConntrack(namespace),
    trafficControl: fakeTrafficControl(namespace),
    connections: namespace.connections,
    monitor: {
      events(signal, { echo = true } = {}) {
        const queue = new EventQueue<KernelEvent>(AbortSignal.any([signal, stopped.signal]));
        namespace.watchers.set(queue, echo ? undefined : user);
        return queue;
      },
    },
    operations,
    settings,
    get refuse() {
      return namespace.refuse;
    },
    set refuse(decide) {
      namespace.refuse = decide;
    },
    overrun: () => namespace.emit({ type: 'overrun' }),
    addNamespace(path) {
      const added = new FakeNamespace(machine);
      machine.set(path, added);
      return kernelOf(added);
    },
    removeNamespace(path) {
      const removed = find(path);
      machine.delete(path);
      for (const link of [...removed.links.values()]) removePair(removed, link);
    },
    open: (path) => kernelOf(find(path)),
    reopen: () => kernelOf(namespace),
    async [Symbol.asyncDispose]() {
      stopped.abort();
    },
  };
}
