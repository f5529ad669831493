import { type Kernel, PROTOCOL, type Route } from '@overland/linux';
import {
  ADDRESS_BITS,
  type Family,
  familyOf,
  formatInterfaceAddress,
  hostPrefix,
  type Prefix,
  parsePrefix,
  WORKLOAD_LINK,
} from '@overland/net';
import type { WorkloadLink } from './workload-network.ts';

/** As Linux's IP6_RT_PRIO_USER: what `ip route` gives a route without a metric. */
const METRIC = { ipv4: 0, ipv6: 1024 } as const;

const DEFAULT = { ipv4: parsePrefix('0.0.0.0/0'), ipv6: parsePrefix('::/0') } as const;

/** Sets up the container's end: loopback, addresses without duplicate detection, the ways out. */
export async function configureContainerEnd(container: Kernel, link: WorkloadLink): Promise<void> {
  const { containerInterface: device, addresses } = link;
  const families = familiesOf(link);
  if (families.includes('ipv6')) await prepareIpv6(container, device);
  await container.links.set('lo', { up: true });
  await container.links.set(device, { up: true });
  for (const address of addresses) {
    const length = ADDRESS_BITS[familyOf(address)];
    await container.links.addAddress(device, { address, length }, { probe: false });
  }
  for (const family of families) {
    const metric = freeMetric(await container.routes.list(family), link, family);
    for (const route of routesOf(link, family, metric)) {
      // One by one: the gateway must be reachable before a route may lead through it.
      const [failure] = await container.routes.replace([route]);
      if (failure) throw failure;
    }
  }
}

/** What of the container's end is not as {@link configureContainerEnd} made it. */
export async function checkContainerEnd(container: Kernel, link: WorkloadLink): Promise<string[]> {
  const { containerInterface: device, mac, addresses } = link;
  const found = await container.links.get(device);
  if (!found) return [`there is no interface ${device} in ${link.namespacePath}`];
  const faults: string[] = [];
  if (!found.up) faults.push(`${device} is down`);
  if (found.mac !== mac) faults.push(`${device} has the MAC address ${found.mac}, not ${mac}`);
  const held = new Set((await container.links.addresses(device)).map(formatInterfaceAddress));
  for (const address of addresses) {
    if (!held.has(hostPrefix(address))) faults.push(`${device} has lost its address ${address}`);
  }
  for (const family of familiesOf(link)) {
    const leading = new Set(
      (await container.routes.list(family))
        .filter((route) => deviceOf(route) === device)
        .map(({ destination }) => destination),
    );
    for (const { destination } of routesOf(link, family, METRIC[family])) {
      if (!leading.has(destination)) faults.push(`${device} has lost its route to ${destination}`);
    }
  }
  return faults;
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

/** A further interface must not take the routes of an earlier one: it is the next choice, and stands in if that goes. */
function freeMetric(present: readonly Route[], link: WorkloadLink, family: Family): number {
  const others = present.filter((route) => deviceOf(route) !== link.containerInterface);
  const taken = new Set(others.map(({ destination, metric }) => `${destination} ${metric}`));
  let metric: number = METRIC[family];
  const isTaken = ({ destination }: Route): boolean => taken.has(`${destination} ${metric}`);
  while (routesOf(link, family, metric).some(isTaken)) metric++;
  return metric;
}

/** In the order in which they can be made. */
function routesOf(
  { containerInterface: device, routes }: WorkloadLink,
  family: Family,
  metric: number,
): Route[] {
  const gateway = WORKLOAD_LINK.gateway[family];
  const common = { metric, protocol: PROTOCOL.local };
  const ways = destinationsOf(routes, family).map(
    (destination): Route => ({
      ...common,
      destination,
      target: { type: 'gateway', nextHop: { address: gateway, device } },
    }),
  );
  // A link-local IPv6 gateway is on the link by definition.
  if (family === 'ipv6') return ways;
  const link: Route = {
    ...common,
    destination: hostPrefix(gateway),
    target: { type: 'device', device },
  };
  return [link, ...ways];
}

function destinationsOf(routes: readonly Prefix[] | undefined, family: Family): readonly Prefix[] {
  if (!routes) return [DEFAULT[family]];
  return routes.filter((destination) => familyOf(destination) === family);
}

function familiesOf({ addresses }: WorkloadLink): Family[] {
  return [...new Set(addresses.map(familyOf))];
}

function deviceOf({ target }: Route): string | undefined {
  if (target.type === 'device') return target.device;
  return target.type === 'gateway' ? target.nextHop.device : undefined;
}
