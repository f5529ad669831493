import { type Kernel, KernelError } from '@overland/linux';
import { WORKLOAD_LINK } from '@overland/net';
import { checkContainerEnd, configureContainerEnd } from './container-end.ts';
import { InvalidRequestError } from './errors.ts';
import type { WorkloadNetwork, WorkloadPair } from './workload-network.ts';

export interface VethNetworkOptions {
  /** Of the host's namespace. */
  readonly kernel: Kernel;
  /** Opens a container's namespace: `(namespace) => openKernel({ namespace })`. */
  readonly openNamespace: (path: string) => Kernel;
  /** Tells namespaces apart; `undefined` for what is none: `namespaceIdentity`. */
  readonly identityOf: (path: string) => string | undefined;
}

/** The host's own namespace. */
const OWN_NAMESPACE = '/proc/self/ns/net';

/**
 * Workloads on veth pairs. The container gets host addresses (/32, /128) and a default route through a
 * gateway that every host has alike (docs/decisions/0043). The host's end stays down: who programs
 * its addresses, routes and policy brings it up when they are in place.
 */
export function vethNetwork({
  kernel,
  openNamespace,
  identityOf,
}: VethNetworkOptions): WorkloadNetwork {
  return {
    async create(pair) {
      if (!pair.isHandedOver) checkNamespace(identityOf, pair.namespacePath);
      try {
        await createPair(kernel, pair);
      } catch (error) {
        if (!(error instanceof InvalidRequestError)) throw error;
        // Perhaps it is one that an earlier try has left; that is seldom, and so it is not looked for before.
        await kernel.links.remove(pair.hostInterface);
        await createPair(kernel, pair);
      }
    },
    async configure(link) {
      if (link.isHandedOver) return;
      await using container = openNamespace(link.namespacePath);
      await configureContainerEnd(container, link);
    },
    remove: (hostInterface) => kernel.links.remove(hostInterface),
    exists: async (hostInterface) => (await kernel.links.get(hostInterface)) !== undefined,
    async check(link) {
      const { hostInterface, namespacePath } = link;
      const host = await kernel.links.get(hostInterface);
      if (!host) return [`there is no interface ${hostInterface} on the host`];
      if (link.isHandedOver) return host.up ? [] : [`${hostInterface} is down on the host`];
      if (identityOf(namespacePath) === undefined)
        return [`${namespacePath} is not a network namespace`];
      await using container = openNamespace(namespacePath);
      const faults = await checkContainerEnd(container, link);
      return host.up ? faults : [`${hostInterface} is down on the host`, ...faults];
    },
  };
}

function checkNamespace(identityOf: VethNetworkOptions['identityOf'], path: string): void {
  const identity = identityOf(path);
  const fail = (reason: string): never => {
    throw new InvalidRequestError([{ field: 'namespacePath', reason }]);
  };
  if (identity === undefined) fail(`${path} is not a network namespace`);
  if (identity === identityOf(OWN_NAMESPACE)) fail(`${path} is the host's own network namespace`);
}

async function createPair(kernel: Kernel, pair: WorkloadPair): Promise<void> {
  const { hostInterface, containerInterface, isHandedOver, mac, mtu } = pair;
  const namespacePath = isHandedOver ? OWN_NAMESPACE : pair.namespacePath;
  try {
    await kernel.links.createVeth({
      name: hostInterface,
      mac: WORKLOAD_LINK.hostMac,
      mtu,
      peer: { name: containerInterface, mac, namespace: namespacePath },
    });
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'EEXIST') throw error;
    const reason = `${containerInterface} exists already in ${namespacePath}`;
    throw new InvalidRequestError([{ field: 'interface', reason }], { cause: error });
  }
}
