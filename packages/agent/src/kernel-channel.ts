import type { Kernel } from '@overland/linux';
import type { Remote } from './thread-rpc.ts';

/** The ports of a kernel that answer calls; events stay in the thread that owns it. */
type CallPort = Exclude<keyof Kernel, 'monitor' | typeof Symbol.asyncDispose>;

/** A kernel's calls, for a channel. */
export type KernelMethods = {
  kernelCall: (port: CallPort, method: string, args: readonly unknown[]) => Promise<unknown>;
};

/** The calls of the thread's own kernel, as methods for other threads. */
export function kernelMethods(kernel: Kernel): KernelMethods {
  return {
    kernelCall: async (port, method, args) => {
      const calls = kernel[port] as unknown as Readonly<
        Record<string, (...args: readonly unknown[]) => unknown>
      >;
      return await calls[method]?.(...args);
    },
  };
}

/** A kernel that another thread owns. Same calls, same errors, one message each way; its events stay there. */
export function remoteKernel(remote: Remote<KernelMethods>): Kernel {
  const port = <P extends CallPort>(name: P): Kernel[P] =>
    new Proxy({} as Kernel[P], {
      get: (_target, method) =>
        typeof method === 'string' && method !== 'then'
          ? (...args: readonly unknown[]) => remote.kernelCall(name, method, args)
          : undefined,
    });
  return {
    links: port('links'),
    routes: port('routes'),
    nextHopObjects: port('nextHopObjects'),
    neighbours: port('neighbours'),
    sysctls: port('sysctls'),
    conntrack: port('conntrack'),
    trafficControl: port('trafficControl'),
    monitor: {
      events: () => {
        throw new Error('events of a kernel do not cross threads');
      },
    },
    // Its owner closes it.
    [Symbol.asyncDispose]: async () => undefined,
  };
}
