import { type Kernel, KernelError, PROTOCOL, type Route } from '@overland/linux';
import {
  ADDRESS_BITS,
  type Family,
  familyOf,
  hostPrefix,
  type IpAddress,
  parsePrefix,
  WORKLOAD_LINK,
} from '@overland/net';
import { InvalidRequestError } from './errors.ts';
import type { WorkloadLink, WorkloadNetwork } from './workload-network.ts';

export interface VethNetworkOptions {
  /** Of the host's namespace. */
  readonly kernel: Kernel;
  /** Opens a container's namespace: `(namespace) => openKernel({ namespace })`. */
  readonly openNamespace: (path: string) => Kernel;
  /** Tells namespaces apart; `undefined` for what is none: `namespaceIdentity`. */
  readonly identityOf: (path: string) => string | undefined;
}

/** As Linux's IP6_RT_PRIO_USER: what `ip route` gives a route without a metric. */
const METRIC = { ipv4: 0, ipv6: 1024 } as const;

const DEFAULT = { ipv4: parsePrefix('0.0.0.0/0'), ipv6: parsePrefix('::/0') } as const;

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
    async create(link) {
      checkNamespace(identityOf, link.namespacePath);
      await kernel.links.remove(link.hostInterface);
      await createPair(kernel, link);
      try {
        await using container = openNamespace(link.namespacePath);
        await configure(container, link);
      } catch (error) {
        await kernel.links.remove(link.hostInterface);
        throw error;
      }
    },
    remove: (hostInterface) => kernel.links.remove(hostInterface),
    exists: async (hostInterface) => (await kernel.links.get(hostInterface)) !== undefined,
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

async function createPair(kernel: Kernel, link: WorkloadLink): Promise<void> {
  const { hostInterface, containerInterface, namespacePath, mac, mtu } = link;
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

/** Sets up the container's end: loopback, addresses without duplicate detection, the way out. */
async function configure(container: Kernel, link: WorkloadLink): Promise<void> {
  const { containerInterface: device, addresses } = link;
  const families = [...new Set(addresses.map(familyOf))];
  if (families.includes('ipv6')) await prepareIpv6(container, device);
  await container.links.set('lo', { up: true });
  await container.links.set(device, { up: true });
  for (const address of addresses) {
    const length = ADDRESS_BITS[familyOf(address)];
    await container.links.addAddress(device, { address, length }, { probe: false });
  }
  const routes = families.flatMap((family) => defaultRoute(device, family));
  for (const route of routes) {
    // One by one: the gateway must be reachable before a route may lead through it.
    const [failure] = await container.routes.replace([route]);
    if (failure) throw failure;
  }
}

/** A runtime may have turned IPv6 off; and nobody else is on this link, so nothing needs to be waited for. */
async function prepareIpv6({ sysctls }: Kernel, device: string): Promise<void> {
  const name = device.replaceAll('.', '/');
  for (const [key, value] of [
    [`net.ipv6.conf.${name}.disable_ipv6`, '0'],
    [`net.ipv6.conf.${name}.accept_dad`, '0'],
  ] as const) {
    if ((await sysctls.get(key)) !== undefined) await sysctls.set(key, value);
  }
}

function defaultRoute(device: string, family: Family): Route[] {
  const gateway: IpAddress = WORKLOAD_LINK.gateway[family];
  const common = { metric: METRIC[family], protocol: PROTOCOL.local };
  const way: Route = {
    ...common,
    destination: DEFAULT[family],
    target: { type: 'gateway', nextHop: { address: gateway, device } },
  };
  // A link-local IPv6 gateway is on the link by definition.
  if (family === 'ipv6') return [way];
  const link: Route = {
    ...common,
    destination: hostPrefix(gateway),
    target: { type: 'device', device },
  };
  return [link, way];
}
