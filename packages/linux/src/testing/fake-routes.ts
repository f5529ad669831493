import { familyOf, unpackRoutes } from '@overland/net';
import {
  type BatchOutcome,
  KernelError,
  type NextHopObject,
  type NextHopObjects,
  type PackedRoutes,
  type Route,
  type Routes,
} from '../ports.ts';
import { checkNextHop, checkNextHopObject, dropNextHop, routesOf } from './fake-forwarding.ts';
import { type FakeNamespace, type FakeUser, outcomeOf, routeKey } from './fake-namespace.ts';

export function fakeRoutes(namespace: FakeNamespace, user: FakeUser): Routes {
  const attempt = (work: () => void) => outcomeOf(() => namespace.actingAs(user, work));
  const replace = (route: Route) => attempt(() => replaceRoute(namespace, route));
  const remove = (route: Route) => attempt(() => removeRoute(namespace, route));
  return {
    list: async (family, protocol = 0) =>
      routesOf(namespace, family).filter((route) => protocol === 0 || route.protocol === protocol),

    replace: async (routes) => routes.map(replace),
    remove: async (routes) => routes.map(remove),
    replacePacked: async (routes) => refusals(unpacked(routes).map(replace)),
    removePacked: async (routes) => refusals(unpacked(routes).map(remove)),
  };
}

function unpacked({ records, family, ...alike }: PackedRoutes): Route[] {
  return Array.from(unpackRoutes({ family, records }), ({ prefix, nextHopSet: id }): Route => {
    const target =
      id === 0 ? ({ type: 'blackhole' } as const) : ({ type: 'next-hop-object', id } as const);
    return { ...alike, destination: prefix, target };
  });
}

function refusals(outcome: BatchOutcome): ReadonlyMap<number, KernelError> {
  return new Map(outcome.flatMap((error, at) => (error ? [[at, error] as const] : [])));
}

function removeRoute(namespace: FakeNamespace, route: Route): void {
  namespace.begin(`remove route ${route.destination}`);
  const found = namespace.routes.get(routeKey(route));
  if (found?.protocol !== route.protocol) return;
  namespace.dropRoute(found, familyOf(found.destination), false);
}

function replaceRoute(namespace: FakeNamespace, route: Route): void {
  const operation = `replace route ${route.destination}`;
  namespace.begin(operation);
  const { target, source } = route;
  const family = familyOf(route.destination);
  if (target.type === 'other') throw new RangeError(`no route of type ${target.routeType} is ours`);
  if (target.type === 'next-hop-object') {
    const isUsable = familiesOf(namespace, target.id).every(
      (of) => family === 'ipv4' || of === 'ipv6',
    );
    if (!namespace.nextHopObjects.has(target.id) || !isUsable) {
      throw new KernelError('EINVAL', operation);
    }
  } else if (target.type === 'device') {
    checkNextHop(namespace, { address: null, device: target.device }, operation);
  } else if (target.type === 'gateway') {
    checkNextHop(namespace, target.nextHop, operation);
  } else if (target.type === 'multipath') {
    for (const nextHop of target.nextHops) checkNextHop(namespace, nextHop, operation);
  }
  const own = [...namespace.links.values()].flatMap(({ addresses }) => addresses);
  const isUnchecked = target.type === 'blackhole' && family === 'ipv4';
  if (source !== undefined && !isUnchecked && !own.some(({ address }) => address === source)) {
    throw new KernelError('EINVAL', operation, 'Invalid prefsrc address');
  }
  namespace.putRoute(route, family);
}

/** Families of the paths that an object leads to. */
function familiesOf(namespace: FakeNamespace, id: number): string[] {
  const content = namespace.nextHopObjects.get(id)?.content;
  if (content === undefined) return [];
  return content.type === 'path'
    ? [content.family]
    : content.members.flatMap((member) => familiesOf(namespace, member));
}

export function fakeNextHopObjects(namespace: FakeNamespace, user: FakeUser): NextHopObjects {
  const attempt = (work: () => void) => outcomeOf(() => namespace.actingAs(user, work));
  return {
    list: async (protocol) =>
      [...namespace.nextHopObjects.values()]
        .filter((object) => protocol === undefined || object.protocol === protocol)
        .toSorted((a, b) => a.id - b.id),

    replace: async (objects) =>
      objects.map((object) => attempt(() => replaceNextHop(namespace, object))),

    remove: async (ids) =>
      ids.map((id) =>
        attempt(() => {
          namespace.begin(`remove next-hop object ${id}`);
          dropNextHop(namespace, id, false);
        }),
      ),
  };
}

function replaceNextHop(namespace: FakeNamespace, object: NextHopObject): void {
  const { id, protocol, content } = object;
  const operation = `replace next-hop object ${id}`;
  namespace.begin(operation);
  const before = namespace.nextHopObjects.get(id);
  if (content.type === 'path') {
    checkNextHopObject(namespace, content.nextHop, operation);
  } else {
    const { members } = content;
    const isValid =
      members.length > 0 &&
      new Set(members).size === members.length &&
      members.every((member) => namespace.nextHopObjects.get(member)?.content.type === 'path');
    if (!isValid) throw new KernelError('EINVAL', operation, 'Invalid nexthop group');
  }
  if (before !== undefined && before.content.type !== content.type) {
    throw new KernelError('EINVAL', operation, 'Can not turn a path into a group or back');
  }
  namespace.nextHopObjects.set(id, object);
  namespace.emit({ type: 'next-hop-object', id, protocol, removed: false });
}
