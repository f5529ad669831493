import {
  FailedNeighbours,
  type Kernel,
  type KernelEvent,
  type Link,
  PROTOCOL,
} from '@overland/linux';
import { formatInterfaceAddress, type InterfaceAddress } from '@overland/net';
import type { InterfaceState } from '../core/rib/route-engine.ts';

interface Table {
  /** By index. */
  readonly links: Map<number, Entry>;
  readonly failed: FailedNeighbours;
}

interface Entry {
  readonly index: number;
  name: string;
  usable: boolean;
  /** By text. */
  readonly addresses: Map<string, InterfaceAddress>;
}

/** Whom to tell what happens in the kernel. */
export interface KernelWatcher {
  /** All interfaces, at first and after every change. */
  interfaces(now: readonly InterfaceState[]): void;
  /** Somebody else touched a route or a next-hop object of ours. */
  tampered(): void;
}

/**
 * Follows a namespace.
 *
 * @returns When `signal` aborts. @throws {KernelError} If the kernel cannot be read.
 */
export async function watchKernel(
  kernel: Kernel,
  watcher: KernelWatcher,
  signal: AbortSignal,
): Promise<void> {
  // In this order, so that what changes while it is read back is an event.
  const events = kernel.monitor.events(signal, { echo: false });
  let table = await readBack(kernel);
  watcher.interfaces(states(table));
  for await (const event of events) {
    if (isTampering(event)) watcher.tampered();
    if (event.type === 'overrun') table = await readBack(kernel);
    else if (!observe(table, event)) continue;
    watcher.interfaces(states(table));
  }
}

function isTampering(event: KernelEvent): boolean {
  if (event.type === 'overrun') return true;
  if (event.type === 'route') return event.route.protocol === PROTOCOL.bgp;
  return event.type === 'next-hop-object' && event.protocol === PROTOCOL.bgp;
}

async function readBack(kernel: Kernel): Promise<Table> {
  const links = new Map<number, Entry>();
  for (const link of await kernel.links.list()) {
    const entry = entryOf(link);
    links.set(link.index, entry);
    for (const address of await kernel.links.addresses(link.name)) {
      entry.addresses.set(formatInterfaceAddress(address), address);
    }
  }
  const failed = new FailedNeighbours();
  await failed.readBack(kernel.neighbours);
  return { links, failed };
}

/** @returns Whether the event changed anything that matters. */
function observe({ links, failed }: Table, event: KernelEvent): boolean {
  const hasFailed = failed.observe(event);
  switch (event.type) {
    case 'link':
      return observeLink(links, event.link);
    case 'link-removed':
      return links.delete(event.index);
    case 'address': {
      const entry = [...links.values()].find(({ name }) => name === event.device);
      const text = formatInterfaceAddress(event.address);
      if (!entry || entry.addresses.has(text) !== event.removed) return false;
      if (event.removed) entry.addresses.delete(text);
      else entry.addresses.set(text, event.address);
      return true;
    }
    default:
      return hasFailed;
  }
}

function observeLink(table: Map<number, Entry>, link: Link): boolean {
  const next = entryOf(link);
  const known = table.get(link.index);
  if (!known) {
    table.set(link.index, next);
    return true;
  }
  const isChanged = known.name !== next.name || known.usable !== next.usable;
  known.name = next.name;
  known.usable = next.usable;
  return isChanged;
}

function entryOf(link: Link): Entry {
  const { index, name, up, carrier } = link;
  return { index, name, usable: up && carrier, addresses: new Map() };
}

function states({ links, failed }: Table): InterfaceState[] {
  return Array.from(links.values(), ({ name, usable, addresses }) => ({
    name,
    usable,
    addresses: [...addresses.values()],
    unreachable: failed.on(name),
  }));
}
