import {
  contains,
  type Family,
  familyOf,
  type IpAddress,
  isLinkLocal,
  type NextHop,
  prefixOf,
} from '@overland/net';
import { nextHopGroup, nextHopMembers } from '../next-hop-group.ts';
import { KernelError, type NextHopObject, type Route } from '../ports.ts';
import { type FakeLink, type FakeNamespace, hasCarrier } from './fake-namespace.ts';

/** What a device, an address or a next-hop object takes with it, as observed on Linux 6.18. */

/** rtm_protocol of the routes that the kernel makes for addresses (RTPROT_KERNEL). */
const KERNEL_PROTOCOL = 2;
const CONNECTED_METRIC = { ipv4: 0, ipv6: 256 } as const;

/** The routes that come with the addresses of a link that is up. */
export function addConnectedRoutes(namespace: FakeNamespace, link: FakeLink): void {
  if (!link.up) return;
  for (const { address, length } of link.addresses) {
    const family = familyOf(address);
    if (family === 'ipv4' && length === 32) continue;
    const route: Route = {
      destination: prefixOf(address, length),
      metric: CONNECTED_METRIC[family],
      protocol: KERNEL_PROTOCOL,
      target: { type: 'device', device: link.name },
      ...(family === 'ipv4' ? { source: address } : {}),
    };
    namespace.putRoute(route, family);
  }
}

/** Takes back what {@link addConnectedRoutes} and others did for an address that is already off the link. */
export function dropRoutesOfAddress(
  namespace: FakeNamespace,
  link: FakeLink,
  removed: { readonly address: IpAddress; readonly length: number },
): void {
  const family = familyOf(removed.address);
  const subnet = prefixOf(removed.address, removed.length);
  const ofFamily = link.addresses.filter(({ address }) => familyOf(address) === family);
  const isStillConnected = ofFamily.some(
    ({ address, length }) => prefixOf(address, length) === subnet,
  );
  for (const route of routesOf(namespace, family)) {
    const isConnected =
      route.protocol === KERNEL_PROTOCOL &&
      route.destination === subnet &&
      devicesOf(route).includes(link.name);
    if (isConnected && !isStillConnected) namespace.dropRoute(route, family, false);
    else if (route.source === removed.address) dropSource(namespace, route, family);
  }
  // The kernel disables IPv4 on a device with its last address.
  if (family === 'ipv4' && ofFamily.length === 0) dropRoutesOfDevice(namespace, link.name, family);
}

/** IPv4 loses the route with its preferred source, IPv6 only the preference. */
function dropSource(namespace: FakeNamespace, route: Route, family: Family): void {
  if (family === 'ipv4') {
    namespace.dropRoute(route, family, true);
    return;
  }
  const { source: _, ...rest } = route;
  namespace.routes.delete(`${route.destination} ${route.metric}`);
  namespace.routes.set(`${route.destination} ${route.metric}`, rest);
}

/** A link went down or away. Next-hop objects go silently, and so do IPv4 routes. */
export function dropPathsOfDevice(namespace: FakeNamespace, device: string): void {
  dropNextHopsOfDevice(namespace, device);
  dropRoutesOfDevice(namespace, device, 'ipv4');
  dropRoutesOfDevice(namespace, device, 'ipv6');
}

/** A link lost its carrier: routes that name the device stay (`linkdown`), next-hop objects do not. */
export function dropNextHopsOfDevice(namespace: FakeNamespace, device: string): void {
  for (const { id, content } of [...namespace.nextHopObjects.values()]) {
    if (content.type === 'path' && content.nextHop.device === device) {
      dropNextHop(namespace, id, true);
    }
  }
}

function dropRoutesOfDevice(namespace: FakeNamespace, device: string, family: Family): void {
  for (const route of routesOf(namespace, family)) {
    if (devicesOf(route).includes(device)) namespace.dropRoute(route, family, family === 'ipv4');
  }
}

/** Removes an object, its place in groups, groups that are empty then, and the routes of all these. */
export function dropNextHop(namespace: FakeNamespace, id: number, silent: boolean): void {
  const object = namespace.nextHopObjects.get(id);
  if (object === undefined) return;
  namespace.nextHopObjects.delete(id);
  if (!silent) {
    namespace.emit({ type: 'next-hop-object', id, protocol: object.protocol, removed: true });
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const route of routesOf(namespace, family)) {
      if (route.target.type === 'next-hop-object' && route.target.id === id) {
        namespace.dropRoute(route, family, family === 'ipv4');
      }
    }
  }
  for (const group of [...namespace.nextHopObjects.values()])
    leaveGroup(namespace, group, id, silent);
}

function leaveGroup(
  namespace: FakeNamespace,
  group: NextHopObject,
  member: number,
  silent: boolean,
): void {
  if (group.content.type !== 'group' || !group.content.members.includes(member)) return;
  const members = nextHopMembers(group.content).filter(({ id }) => id !== member);
  if (members.length === 0) {
    dropNextHop(namespace, group.id, silent);
    return;
  }
  const changed: NextHopObject = { ...group, content: nextHopGroup(members) };
  namespace.nextHopObjects.set(group.id, changed);
  if (silent) return;
  const { id, protocol } = group;
  namespace.emit({ type: 'next-hop-object', id, protocol, removed: false });
}

/** @throws {KernelError} If a packet could not be sent this way: the checks of fib_check_nh and ip6_route_check_nh. */
export function checkNextHop(
  namespace: FakeNamespace,
  { address, device }: NextHop,
  operation: string,
): void {
  const link = namespace.link(device, operation);
  if (address === null) {
    if (!link.up) throw new KernelError('ENETDOWN', operation, 'Device for nexthop is not up');
    return;
  }
  const family = familyOf(address);
  if (link.up && family === 'ipv6' && isLinkLocal(address)) return;
  const isOnLink = routesOf(namespace, family).some(
    ({ destination, target }) =>
      target.type === 'device' && target.device === device && contains(destination, address),
  );
  const isOurs = link.addresses.some((own) => own.address === address);
  if (!isOnLink || isOurs) {
    throw new KernelError(family === 'ipv4' ? 'ENETUNREACH' : 'EHOSTUNREACH', operation);
  }
}

/** Next-hop objects, unlike routes, also need the carrier. */
export function checkNextHopObject(
  namespace: FakeNamespace,
  nextHop: NextHop,
  operation: string,
): void {
  if (!hasCarrier(namespace.link(nextHop.device, operation))) {
    throw new KernelError('ENETDOWN', operation, 'Carrier for nexthop device is down');
  }
  checkNextHop(namespace, nextHop, operation);
}

export function routesOf(namespace: FakeNamespace, family: Family): Route[] {
  return [...namespace.routes.values()].filter((route) => familyOf(route.destination) === family);
}

function devicesOf({ target }: Route): string[] {
  switch (target.type) {
    case 'device':
      return [target.device];
    case 'gateway':
      return [target.nextHop.device];
    case 'multipath':
      return target.nextHops.map(({ device }) => device);
    default:
      return [];
  }
}
