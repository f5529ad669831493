import {
  addressBytes,
  addressFromBytes,
  type Family,
  familyOf,
  type IpAddress,
  type NextHop,
  prefixBytes,
  prefixFromBytes,
} from '@overland/net';
import type { Protocol, Route, RouteTarget } from '../ports.ts';
import { AF, NLM_F, RTM } from './constants.ts';
import type { DeviceNames, DeviceNumbers } from './devices.ts';
import { Attributes, type Message } from './message-reader.ts';
import { LITTLE_ENDIAN, type MessageWriter } from './message-writer.ts';

const RTMSG_OCTETS = 12;
const RTNEXTHOP_OCTETS = 8;
const RTA = {
  destination: 1,
  device: 4,
  gateway: 5,
  priority: 6,
  preferredSource: 7,
  multipath: 9,
  table: 15,
  via: 18,
  nextHopId: 30,
} as const;
const RT_TABLE_MAIN = 254;
const RTM_F_CLONED = 0x200;
const SCOPE = { universe: 0, link: 253, nowhere: 255 } as const;
export const RTN = { unspecified: 0, unicast: 1, blackhole: 6 } as const;
/** IP6_RT_PRIO_USER: what the kernel makes of an IPv6 metric of 0. */
const IPV6_DEFAULT_METRIC = 1024;

/**
 * Reads the body of RTM_NEWROUTE or RTM_DELROUTE. linux/rtnetlink.h, `struct rtmsg`:
 *
 *   +------------+----------------+----------------+---------+-----------+--------------+-----------+----------+-----------+
 *   | Family (1) | Dst length (1) | Src length (1) | TOS (1) | Table (1) | Protocol (1) | Scope (1) | Type (1) | Flags (4) |
 *   +------------+----------------+----------------+---------+-----------+--------------+-----------+----------+-----------+
 *
 * @returns `undefined` for what is no IPv4 or IPv6 route of the main table, or leads to a device that is gone.
 */
export function readRoute(message: Message, devices: DeviceNames): Route | undefined {
  const { view, start, end } = message;
  const family = FAMILIES[view.getUint8(start)];
  if (family === undefined) return undefined;
  if ((view.getUint32(start + 8, LITTLE_ENDIAN) & RTM_F_CLONED) !== 0) return undefined;
  const attributes = new Attributes(message, start + RTMSG_OCTETS, end);
  const found = collect(attributes, view.getUint8(start + 4));
  if (found.table !== RT_TABLE_MAIN) return undefined;
  const target = targetOf(view.getUint8(start + 7), found, devices);
  if (target === undefined) return undefined;
  const destination = found.destination ?? UNSPECIFIED_ADDRESS[family];
  const route = {
    destination: prefixFromBytes(destination, view.getUint8(start + 1)),
    metric: found.metric,
    protocol: view.getUint8(start + 5),
    target,
  };
  return found.source === undefined ? route : { ...route, source: addressFromBytes(found.source) };
}

const FAMILIES: Readonly<Record<number, Family>> = { [AF.ipv4]: 'ipv4', [AF.ipv6]: 'ipv6' };
const UNSPECIFIED_ADDRESS = { ipv4: new Uint8Array(4), ipv6: new Uint8Array(16) } as const;

interface RouteAttributes {
  table: number;
  metric: number;
  device: number;
  nextHopId: number;
  destination: Uint8Array | undefined;
  gateway: Uint8Array | undefined;
  source: Uint8Array | undefined;
  paths: readonly { readonly device: number; readonly gateway: Uint8Array | undefined }[];
}

function collect(attributes: Attributes, table: number): RouteAttributes {
  const found: RouteAttributes = {
    table,
    metric: 0,
    device: 0,
    nextHopId: 0,
    destination: undefined,
    gateway: undefined,
    source: undefined,
    paths: [],
  };
  while (attributes.next()) {
    switch (attributes.type) {
      case RTA.table:
        found.table = attributes.u32();
        break;
      case RTA.destination:
        found.destination = attributes.octets();
        break;
      case RTA.priority:
        found.metric = attributes.u32();
        break;
      case RTA.device:
        found.device = attributes.u32();
        break;
      case RTA.gateway:
        found.gateway = attributes.octets();
        break;
      case RTA.via:
        found.gateway = attributes.octets().subarray(2); // after the address family
        break;
      case RTA.preferredSource:
        found.source = attributes.octets();
        break;
      case RTA.nextHopId:
        found.nextHopId = attributes.u32();
        break;
      case RTA.multipath:
        found.paths = readPaths(attributes);
        break;
      default:
    }
  }
  return found;
}

/** Reads RTA_MULTIPATH: a list of `struct rtnexthop`, each with attributes of its own. */
function readPaths(attribute: Attributes): RouteAttributes['paths'] {
  const { message, start, length } = attribute;
  const paths = [];
  for (let at = start; at + RTNEXTHOP_OCTETS <= start + length; ) {
    const size = message.view.getUint16(at, LITTLE_ENDIAN);
    if (size < RTNEXTHOP_OCTETS) break;
    let gateway: Uint8Array | undefined;
    const attributes = new Attributes(message, at + RTNEXTHOP_OCTETS, at + size);
    while (attributes.next()) {
      if (attributes.type === RTA.gateway) gateway = attributes.octets();
      else if (attributes.type === RTA.via) gateway = attributes.octets().subarray(2);
    }
    paths.push({ device: message.view.getUint32(at + 4, LITTLE_ENDIAN), gateway });
    at += (size + 3) & ~3;
  }
  return paths;
}

function targetOf(
  type: number,
  found: RouteAttributes,
  devices: DeviceNames,
): RouteTarget | undefined {
  if (type === RTN.blackhole) return { type: 'blackhole' };
  if (type !== RTN.unicast) return { type: 'other', routeType: type };
  // First: with nexthop_compat_mode=1 the kernel also spells out where the object leads.
  if (found.nextHopId !== 0) return { type: 'next-hop-object', id: found.nextHopId };
  if (found.paths.length > 0) {
    const nextHops = found.paths.map((path) => nextHopOf(path.device, path.gateway, devices));
    return nextHops.every((nextHop) => nextHop !== undefined)
      ? { type: 'multipath', nextHops }
      : undefined;
  }
  const nextHop = nextHopOf(found.device, found.gateway, devices);
  if (nextHop === undefined) return undefined;
  return nextHop.address === null
    ? { type: 'device', device: nextHop.device }
    : { type: 'gateway', nextHop };
}

function nextHopOf(
  index: number,
  gateway: Uint8Array | undefined,
  devices: DeviceNames,
): NextHop | undefined {
  const device = devices.nameOf(index);
  if (device === undefined) return undefined;
  return { address: gateway === undefined ? null : addressFromBytes(gateway), device };
}

/** @param protocol 0 lists routes of every protocol. */
export function writeRouteDump(writer: MessageWriter, family: Family, protocol: Protocol): void {
  writer.begin(RTM.getRoute, NLM_F.dump);
  writeHeader(writer, { family, length: 0, protocol, scope: 0, type: 0 });
  writer.end();
}

/** Adds the route or atomically replaces the one of the same destination and metric. */
export function writeRouteReplacement(
  writer: MessageWriter,
  route: Route,
  devices: DeviceNumbers,
): void {
  const { family, octets, length } = prefixBytes(route.destination);
  const { target, protocol } = route;
  if (target.type === 'other') throw new RangeError(`no route of type ${target.routeType} is ours`);
  const onLink =
    target.type === 'device' || (target.type === 'gateway' && target.nextHop.address === null);
  writer.begin(RTM.newRoute, NLM_F.create | NLM_F.replace);
  writeHeader(writer, {
    family,
    length,
    protocol,
    scope: onLink && family === 'ipv4' ? SCOPE.link : SCOPE.universe,
    type: target.type === 'blackhole' ? RTN.blackhole : RTN.unicast,
  });
  writer.attributeBytes(RTA.destination, octets);
  writer.attributeU32(RTA.priority, kernelMetric(route));
  if (route.source !== undefined) {
    writer.attributeBytes(RTA.preferredSource, addressBytes(route.source));
  }
  writeTarget(writer, target, family, devices);
  writer.end();
}

function writeTarget(
  writer: MessageWriter,
  target: RouteTarget,
  family: Family,
  devices: DeviceNumbers,
): void {
  switch (target.type) {
    case 'device':
      writer.attributeU32(RTA.device, devices.numberOf(target.device));
      break;
    case 'gateway':
      writer.attributeU32(RTA.device, devices.numberOf(target.nextHop.device));
      writeGateway(writer, target.nextHop.address, family);
      break;
    case 'multipath':
      writer.nest(RTA.multipath, () => {
        for (const { address, device } of target.nextHops) {
          writer.pathOfMultipath(devices.numberOf(device), () => {
            writeGateway(writer, address, family);
          });
        }
      });
      break;
    case 'next-hop-object':
      writer.attributeU32(RTA.nextHopId, target.id);
      break;
    case 'blackhole':
    case 'other':
  }
}

/** RTA_GATEWAY, or RTA_VIA for an IPv4 route through an IPv6 router (RFC 8950). */
function writeGateway(writer: MessageWriter, address: IpAddress | null, family: Family): void {
  if (address === null) return;
  const octets = addressBytes(address);
  if (familyOf(address) === family) {
    writer.attributeBytes(RTA.gateway, octets);
    return;
  }
  writer.nest(RTA.via, () => {
    writer.u16(familyOf(address) === 'ipv4' ? AF.ipv4 : AF.ipv6);
    writer.raw(octets);
  });
}

/** Removes the route of this destination, metric and protocol, wherever it leads. */
export function writeRouteRemoval(writer: MessageWriter, route: Route): void {
  const { family, octets, length } = prefixBytes(route.destination);
  const { protocol } = route;
  writer.begin(RTM.delRoute, 0);
  writeHeader(writer, { family, length, protocol, scope: SCOPE.nowhere, type: RTN.unspecified });
  writer.attributeBytes(RTA.destination, octets);
  writer.attributeU32(RTA.priority, kernelMetric(route));
  writer.end();
}

function kernelMetric({ destination, metric }: Route): number {
  return metric === 0 && familyOf(destination) === 'ipv6' ? IPV6_DEFAULT_METRIC : metric;
}

interface RouteHeader {
  readonly family: Family;
  readonly length: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
}

function writeHeader(writer: MessageWriter, header: RouteHeader): void {
  writer.u8(header.family === 'ipv4' ? AF.ipv4 : AF.ipv6);
  writer.u8(header.length);
  writer.u16(0); // source length, TOS
  writer.u8(RT_TABLE_MAIN);
  writer.u8(header.protocol);
  writer.u8(header.scope);
  writer.u8(header.type);
  writer.u32(0);
}
