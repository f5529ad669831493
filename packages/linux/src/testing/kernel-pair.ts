import { parseAddress, parseInterfaceAddress, parsePrefix } from '@overland/net';
import { nextHopGroupKey } from '../next-hop-group.ts';
import { type Kernel, type NextHopObject, PROTOCOL, type Route } from '../ports.ts';

/** For what the kernel does a little later, such as telling of a lost carrier; generous, as test machines are busy. */
export const SOON = { timeout: 10_000 };

/** Two fresh network namespaces: the one under test, and one that the far ends of its links live in. */
export interface KernelPair extends AsyncDisposable {
  readonly kernel: Kernel;
  /** The first namespace once more, as another process has it. */
  readonly other: Kernel;
  readonly peer: Kernel;
  readonly peerNamespace: string;
}

/** Link N of the pair: `ethN` at both ends, 10.0.N.0/31 and fd00:N::/127 at ours, the next addresses at the other. */
export async function connect({ kernel, peer, peerNamespace }: KernelPair, n: number) {
  const device = `eth${n}`;
  await kernel.links.createVeth({
    name: device,
    mtu: 1500,
    peer: { name: device, namespace: peerNamespace },
  });
  const probe = false;
  for (const [side, last] of [
    [kernel, 0],
    [peer, 1],
  ] as const) {
    await side.links.set(device, { up: true });
    const ipv6 = parseInterfaceAddress(`fd00:${n}::${last}/127`);
    await side.links.addAddress(device, parseInterfaceAddress(`10.0.${n}.${last}/31`), { probe });
    await side.links.addAddress(device, ipv6, { probe });
  }
}

/** A path object through the far end of link `n`. */
export function path(id: number, n: number, family: 'ipv4' | 'ipv6' = 'ipv4'): NextHopObject {
  const address = parseAddress(family === 'ipv4' ? `10.0.${n}.1` : `fd00:${n}::1`);
  const nextHop = { address, device: `eth${n}` };
  return { id, protocol: PROTOCOL.bgp, content: { type: 'path', family, nextHop } };
}

export function group(id: number, ...members: number[]): NextHopObject {
  return { id, protocol: PROTOCOL.bgp, content: { type: 'group', members } };
}

/** A route with the metric that both families can have. */
export function route(destination: string, target: Route['target']): Route {
  return { destination: parsePrefix(destination), metric: 1024, protocol: PROTOCOL.bgp, target };
}

export function viaObject(destination: string, id: number): Route {
  return route(destination, { type: 'next-hop-object', id });
}

export function viaGateway(destination: string, address: string, device: string): Route {
  return route(destination, {
    type: 'gateway',
    nextHop: { address: parseAddress(address), device },
  });
}

/** Our routes of both families, as readable lines. */
export async function ourRoutes(kernel: Kernel): Promise<string[]> {
  const found = [
    ...(await kernel.routes.list('ipv4', PROTOCOL.bgp)),
    ...(await kernel.routes.list('ipv6', PROTOCOL.bgp)),
  ];
  return found.map(({ destination, target }) => {
    switch (target.type) {
      case 'device':
        return `${destination} dev ${target.device}`;
      case 'gateway':
        return `${destination} via ${target.nextHop.address} dev ${target.nextHop.device}`;
      case 'next-hop-object':
        return `${destination} nhid ${target.id}`;
      default:
        return `${destination} ${target.type}`;
    }
  });
}

/** Next-hop objects as readable lines. */
export async function ourNextHops(kernel: Kernel): Promise<string[]> {
  return (await kernel.nextHopObjects.list(PROTOCOL.bgp)).map(({ id, content }) =>
    content.type === 'group'
      ? `${id} group ${nextHopGroupKey(content)}`
      : `${id} via ${content.nextHop.address} dev ${content.nextHop.device}`,
  );
}
