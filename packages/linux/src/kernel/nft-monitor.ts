import { Attributes, type Message, messagesOf } from '../netlink/message-reader.ts';
import { NFNL, NFPROTO, NFT_MSG, TABLE } from '../netlink/nft/numbers.ts';
import { portFilter } from '../netlink/nft/port-filter.ts';
import { GENERIC_OCTETS } from '../netlink/nft/table-codec.ts';
import { NETLINK, openMonitorSocket } from '../netlink/open-socket.ts';
import { adoptDescriptor } from './adopt-descriptor.ts';
import { EventQueue } from './event-queue.ts';

interface Monitor {
  readonly signal: AbortSignal;
  /** Of the socket whose changes are not told. */
  readonly ownPort: number;
  /** Runs work in the namespace that is watched. */
  readonly inside: <T>(work: () => T) => T;
}

/** Names of tables that others have changed; `undefined` when the kernel had to drop notifications. */
export function foreignNftChanges(monitor: Monitor): AsyncIterable<string | undefined> {
  const queue = new EventQueue<string | undefined>(monitor.signal);
  if (!queue.ended.aborted) listen(monitor, queue);
  return queue;
}

function listen(monitor: Monitor, queue: EventQueue<string | undefined>): void {
  const filter = portFilter(monitor.ownPort);
  const fd = monitor.inside(() => openMonitorSocket(NETLINK.netfilter, [NFNL.group], { filter }));
  /** Of the transaction that is being told. */
  const touched = new Set<string>();
  const socket = adoptDescriptor(fd, (datagram) => {
    for (const message of messagesOf(datagram as Uint8Array<ArrayBuffer>)) {
      if (message.type === NFT_MSG.newGeneration) {
        for (const table of touched) queue.push(table);
        touched.clear();
      } else {
        touched.add(tableOf(message));
      }
    }
    return queue.hasRoom;
  });
  queue.onRoom = () => socket.resume();
  const stop = (): void => void socket.destroy();
  queue.ended.addEventListener('abort', stop, { once: true });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    queue.ended.removeEventListener('abort', stop);
    if (error.code !== 'ENOBUFS') {
      queue.fail(error);
      return;
    }
    try {
      // In this order: what changes after the new socket is open is told, what changed before may have been anything.
      listen(monitor, queue);
      queue.push(undefined);
    } catch (reason) {
      queue.fail(reason);
    }
  });
}

const FAMILIES: ReadonlyMap<number, string> = new Map(
  Object.entries(NFPROTO).map(([name, number]) => [number, name]),
);

/** All objects of nftables name their table in the same attribute, the first; so do tables. */
function tableOf(message: Message): string {
  const family = message.bytes[message.start] ?? 0;
  const attributes = new Attributes(message, message.start + GENERIC_OCTETS, message.end);
  let table = '';
  while (attributes.next()) {
    if (attributes.type === TABLE.name) {
      table = attributes.text();
      break;
    }
  }
  return `${FAMILIES.get(family) ?? family} ${table}`;
}
