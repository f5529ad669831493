import type { Socket } from 'node:net';
import { adoptDescriptor } from '../kernel/adopt-descriptor.ts';
import { close, errorName, recv, send } from '../libc.ts';
import { NLMSG } from '../netlink/constants.ts';
import { type Message, messagesOf, readAnswer } from '../netlink/message-reader.ts';
import { MessageWriter } from '../netlink/message-writer.ts';
import { NETLINK, openMonitorSocket } from '../netlink/open-socket.ts';
import { KernelError } from '../ports.ts';
import { type Connection, readConnection } from './connection-codec.ts';
import { CONNTRACK, NETFILTER_GROUP, PACKET_LOG } from './constants.ts';
import { type LoggedPacket, readLoggedPacket, writeLogBinding } from './packet-log-codec.ts';

/** Of what waits for a reader that is busy: a burst, not a flood. */
const BUFFER_OCTETS = 8 << 20;
const ANSWER_OCTETS = 65_536;
/** Messages that are taken in a slice of time, milliseconds: a flood must not take the thread. */
const SLICE_MESSAGES = 1000;
const SLICE_MS = 100;

export interface FlowEventsOptions {
  /** NFLOG group whose packets are received. */
  readonly logGroup: number;
  /** Of each logged packet so many octets are received. */
  readonly copyOctets: number;
  readonly logged: (packet: LoggedPacket) => void;
  readonly began: (connection: Connection) => void;
  readonly ended: (connection: Connection) => void;
  /** The kernel had to drop what nobody read in time; how much, it does not say. */
  readonly lost: () => void;
  /** Nothing comes any more. */
  readonly failed: (error: unknown) => void;
}

/**
 * Receives packets that rules log and connections that begin and end, in the calling thread's network namespace.
 *
 * @throws {KernelError} EPERM if somebody else reads the group, and without CAP_NET_ADMIN.
 */
export function openFlowEvents(options: FlowEventsOptions): Disposable {
  const { logGroup, copyOctets, lost, failed } = options;
  const closing = new AbortController();
  const sources = [
    { open: () => openPacketLog(logGroup, copyOctets), receive: receivePacket },
    { open: openConnections, receive: receiveConnection },
  ];
  const listen = ({ open, receive }: (typeof sources)[number]): void => {
    let taken = 0;
    let slice: NodeJS.Timeout | undefined;
    const socket: Socket = adoptDescriptor(open(), (datagram) => {
      for (const message of messagesOf(datagram)) {
        receive(message, options);
        taken += 1;
      }
      slice ??= setTimeout(() => {
        slice = undefined;
        taken = 0;
        socket.resume();
      }, SLICE_MS);
      return taken < SLICE_MESSAGES;
    });
    const stop = (): void => {
      clearTimeout(slice);
      socket.destroy();
    };
    closing.signal.addEventListener('abort', stop, { once: true });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      closing.signal.removeEventListener('abort', stop);
      clearTimeout(slice);
      if (error.code !== 'ENOBUFS') return failed(error);
      lost();
      // A group has one reader: the old socket is gone once it is closed.
      socket.once('close', () => {
        if (closing.signal.aborted) return;
        try {
          listen({ open, receive });
        } catch (reason) {
          failed(reason);
        }
      });
    });
  };
  try {
    for (const source of sources) listen(source);
  } catch (error) {
    closing.abort();
    throw error;
  }
  return { [Symbol.dispose]: () => closing.abort() };
}

function receivePacket(message: Message, { logged }: FlowEventsOptions): void {
  if (message.type === PACKET_LOG.packet) logged(readLoggedPacket(message));
}

function receiveConnection(message: Message, { began, ended }: FlowEventsOptions): void {
  const isEnd = message.type === CONNTRACK.delete;
  if (!isEnd && message.type !== CONNTRACK.new) return;
  const connection = readConnection(message);
  if (connection) (isEnd ? ended : began)(connection);
}

function openConnections(): number {
  const groups = Object.values(NETFILTER_GROUP);
  return openMonitorSocket(NETLINK.netfilter, groups, { bufferOctets: BUFFER_OCTETS });
}

function openPacketLog(group: number, copyOctets: number): number {
  const fd = openMonitorSocket(NETLINK.netfilter, [], { bufferOctets: BUFFER_OCTETS });
  try {
    const writer = new MessageWriter();
    writeLogBinding(writer, group, copyOctets);
    writer.acknowledge();
    send(fd, writer.bytes);
    awaitAnswer(fd, writer.sequence, group);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The kernel answers while it is asked: the answer waits already, perhaps behind first packets, which are not missed. */
function awaitAnswer(fd: number, sequence: number, group: number): void {
  const buffer = new Uint8Array(ANSWER_OCTETS);
  for (;;) {
    for (const message of messagesOf(buffer.subarray(0, recv(fd, buffer, 0)))) {
      if (message.type !== NLMSG.error) continue;
      const { errno, detail } = readAnswer(message);
      if (errno !== 0) throw new KernelError(errorName(errno), `read NFLOG group ${group}`, detail);
      if (message.sequence === sequence) return;
    }
  }
}
