import { familyOf } from '@overland/net';
import { readAddress } from '../netlink/address-codec.ts';
import { GROUP, RTM } from '../netlink/constants.ts';
import type { DeviceNames } from '../netlink/devices.ts';
import { echoFilter } from '../netlink/echo-filter.ts';
import { readLink, writeLinkDump } from '../netlink/link-codec.ts';
import { type Message, messagesOf } from '../netlink/message-reader.ts';
import { readNeighbour } from '../netlink/neighbour-codec.ts';
import { readNextHopIdentity } from '../netlink/next-hop-codec.ts';
import { NETLINK, openMonitorSocket } from '../netlink/open-socket.ts';
import { readRoute } from '../netlink/route-codec.ts';
import { readTrafficControlLink } from '../netlink/traffic-control-codec.ts';
import type { KernelEvent, KernelMonitor } from '../ports.ts';
import { adoptDescriptor } from './adopt-descriptor.ts';
import { EventQueue } from './event-queue.ts';
import type { NetlinkContext } from './netlink-context.ts';

/**
 * {@link KernelMonitor} over rtnetlink multicast groups.
 *
 * @param closed Aborted when the kernel is closed, which ends every stream of events.
 */
export function netlinkMonitor(context: NetlinkContext, closed: AbortSignal): KernelMonitor {
  return {
    events(signal, { echo = true } = {}) {
      const queue = new EventQueue<KernelEvent>(AbortSignal.any([signal, closed]));
      const filter = echo ? undefined : echoFilter(context.requests.port);
      if (!queue.ended.aborted)
        listen({ context, names: new MonitorNames(context), queue, filter });
      return queue;
    },
  };
}

/** One consumer's stream, which outlives its socket. */
interface EventStream {
  readonly context: NetlinkContext;
  readonly names: MonitorNames;
  readonly queue: EventQueue<KernelEvent>;
  readonly filter: Uint8Array | undefined;
}

/** Opens the socket and opens another one whenever the kernel had to drop events. */
function listen(stream: EventStream): void {
  const { context, names, queue, filter } = stream;
  const { ended } = queue;
  const fd = context.inside(() =>
    openMonitorSocket(NETLINK.route, Object.values(GROUP), { filter }),
  );
  const socket = adoptDescriptor(fd, (datagram) => {
    for (const message of messagesOf(datagram as Uint8Array<ArrayBuffer>)) {
      const event = readEvent(message, names);
      if (event !== undefined) queue.push(event);
    }
    return queue.hasRoom;
  });
  queue.onRoom = () => socket.resume();
  const stop = (): void => void socket.destroy();
  ended.addEventListener('abort', stop, { once: true });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended.removeEventListener('abort', stop);
    if (error.code !== 'ENOBUFS') {
      queue.fail(error);
      return;
    }
    try {
      // In this order: what changes after the new socket is open is an event, what changed before is read back.
      listen(stream);
      names.reset();
      queue.push({ type: 'overrun' });
    } catch (reason) {
      queue.fail(reason);
    }
  });
}

/** Interface names as of the newest link event: a removed interface still has one while its routes vanish. */
class MonitorNames implements DeviceNames {
  readonly #context: NetlinkContext;
  readonly #names = new Map<number, string>();

  constructor(context: NetlinkContext) {
    this.#context = context;
    this.reset();
  }

  reset(): void {
    this.#names.clear();
    for (const link of this.#context.requests.dump('list links', writeLinkDump, readLink)) {
      this.#names.set(link.index, link.name);
    }
  }

  nameOf(index: number): string | undefined {
    const known = this.#names.get(index);
    if (known !== undefined) return known;
    const name = this.#context.findLink(index)?.name;
    if (name !== undefined) this.#names.set(index, name);
    return name;
  }

  set(index: number, name: string): void {
    this.#names.set(index, name);
  }

  delete(index: number): void {
    this.#names.delete(index);
  }
}

function readEvent(message: Message, names: MonitorNames): KernelEvent | undefined {
  switch (message.type) {
    case RTM.newLink:
    case RTM.delLink:
      return readLinkEvent(message, names);
    case RTM.newAddress:
    case RTM.delAddress: {
      const found = readAddress(message);
      const device = found && names.nameOf(found.linkIndex);
      if (found === undefined || device === undefined) return undefined;
      const removed = message.type === RTM.delAddress;
      return { type: 'address', device, address: found.address, removed };
    }
    case RTM.newRoute:
    case RTM.delRoute: {
      const route = readRoute(message, names);
      if (route === undefined) return undefined;
      const family = familyOf(route.destination);
      return { type: 'route', family, route, removed: message.type === RTM.delRoute };
    }
    case RTM.newNextHop:
    case RTM.delNextHop: {
      const identity = readNextHopIdentity(message);
      const removed = message.type === RTM.delNextHop;
      return identity && { type: 'next-hop-object', ...identity, removed };
    }
    case RTM.newNeighbour:
    case RTM.delNeighbour: {
      const neighbour = readNeighbour(message, names);
      const removed = message.type === RTM.delNeighbour;
      return neighbour && { type: 'neighbour', neighbour, removed };
    }
    case RTM.newQdisc:
    case RTM.delQdisc:
    case RTM.newFilter:
    case RTM.delFilter: {
      const device = names.nameOf(readTrafficControlLink(message));
      return device === undefined ? undefined : { type: 'traffic-control', device };
    }
    default:
      return undefined;
  }
}

function readLinkEvent(message: Message, names: MonitorNames): KernelEvent | undefined {
  const link = readLink(message);
  if (link === undefined) return undefined;
  if (message.type === RTM.delLink) {
    names.delete(link.index);
    return { type: 'link-removed', index: link.index, name: link.name };
  }
  names.set(link.index, link.name);
  return { type: 'link', link };
}
