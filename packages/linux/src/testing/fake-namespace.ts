import type { Family, InterfaceAddress, IpAddress } from '@overland/net';
import type { EventQueue } from '../kernel/event-queue.ts';
import {
  KernelError,
  type KernelEvent,
  type Link,
  type Neighbour,
  type NextHopObject,
  type Route,
  type TokenBucket,
  type TrackedConnection,
} from '../ports.ts';

/** A link of the fake. Its carrier follows from both ends, as with a veth. */
export interface FakeLink {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  mac: string;
  mtu: number;
  up: boolean;
  addresses: InterfaceAddress[];
  bucket?: TokenBucket;
  /** Name and number of the interface that what arrives is led through. */
  redirect?: { readonly name: string; readonly index: number };
  /** The other end; `undefined` for loopback. */
  peer: { readonly namespace: FakeNamespace; readonly link: FakeLink } | undefined;
}

/** One opening of the kernel, as a process has it; only its identity counts. */
export type FakeUser = object;

/** The state of one fake network namespace, and how it tells its watchers. The rules are in the other files. */
export class FakeNamespace {
  readonly links = new Map<string, FakeLink>();
  /** By {@link routeKey}. */
  readonly routes = new Map<string, Route>();
  readonly nextHopObjects = new Map<number, NextHopObject>();
  /** By device and address. */
  readonly neighbours = new Map<string, Neighbour>();
  readonly proxies = new Map<string, { readonly device: string; readonly address: IpAddress }>();
  readonly sysctls = new Map<string, string>();
  readonly connections = new Set<TrackedConnection>();
  /** Each with the user whose changes of routes and next-hop objects it does not want to hear of, if any. */
  readonly watchers = new Map<EventQueue<KernelEvent>, FakeUser | undefined>();
  readonly operations: string[] = [];
  /** All namespaces of this machine, by path. */
  readonly machine: Map<string, FakeNamespace>;
  refuse: (operation: string) => string | undefined = () => undefined;
  #lastIndex = 1;
  #acting: FakeUser | undefined;

  constructor(machine: Map<string, FakeNamespace>) {
    this.machine = machine;
    this.links.set('lo', {
      index: 1,
      name: 'lo',
      kind: '',
      mac: '00:00:00:00:00:00',
      mtu: 65_536,
      up: false,
      addresses: [],
      peer: undefined,
    });
  }

  /** @param taken Number of the other end, which this end must not have too. */
  nextIndex(taken?: number): number {
    this.#lastIndex += this.#lastIndex + 1 === taken ? 2 : 1;
    return this.#lastIndex;
  }

  /** Notes a change that was asked for. @throws {KernelError} If the test wants it refused. */
  begin(operation: string): void {
    this.operations.push(operation);
    const code = this.refuse(operation);
    if (code !== undefined) throw new KernelError(code, operation, 'refused by the test');
  }

  /** @throws {KernelError} ENODEV. */
  link(name: string, operation: string): FakeLink {
    const link = this.links.get(name);
    if (link === undefined) throw new KernelError('ENODEV', operation);
    return link;
  }

  /** Runs a change in somebody's name. */
  actingAs<T>(user: FakeUser, work: () => T): T {
    this.#acting = user;
    try {
      return work();
    } finally {
      this.#acting = undefined;
    }
  }

  emit(event: KernelEvent): void {
    const hasEcho = event.type === 'route' || event.type === 'next-hop-object';
    for (const [watcher, ignored] of this.watchers) {
      if (watcher.ended.aborted) this.watchers.delete(watcher);
      else if (ignored === undefined || ignored !== this.#acting || !hasEcho) watcher.push(event);
    }
  }

  emitLink(link: FakeLink): void {
    this.emit({ type: 'link', link: viewOf(link) });
  }

  putRoute(route: Route, family: Family): void {
    const stored = family === 'ipv6' && route.metric === 0 ? { ...route, metric: 1024 } : route;
    this.routes.set(routeKey(stored), stored);
    this.emit({ type: 'route', family, route: stored, removed: false });
  }

  /** @param silent The kernel does not report IPv4 routes that vanish with their device, address or next-hop object. */
  dropRoute(route: Route, family: Family, silent: boolean): void {
    this.routes.delete(routeKey(route));
    if (!silent) this.emit({ type: 'route', family, route, removed: true });
  }
}

export function hasCarrier({ up, kind, peer }: FakeLink): boolean {
  return up && (kind !== 'veth' || peer?.link.up === true);
}

export function viewOf(link: FakeLink): Link {
  const { index, name, kind, mac, mtu, up } = link;
  return { index, name, kind, mac, mtu, up, carrier: hasCarrier(link) };
}

/** What makes two routes the same one: destination and metric; IPv6 has no metric 0. */
export function routeKey({ destination, metric }: Route): string {
  return `${destination} ${metric === 0 && destination.includes(':') ? 1024 : metric}`;
}

/** Runs a change of one item of a batch. @returns Its outcome. */
export function outcomeOf(work: () => void): KernelError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  }
}
