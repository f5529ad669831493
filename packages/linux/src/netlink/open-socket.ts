import { attachFilter, bind, close, setsockopt, socket } from '../libc.ts';
import { KernelError } from '../ports.ts';
import { AF } from './constants.ts';

/** Netlink protocols: who in the kernel answers. */
export const NETLINK = { route: 0, netfilter: 12 } as const;

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const OPTION = { addMembership: 1, capAck: 10, extAck: 11, strictCheck: 12 } as const;

const REQUEST_BUFFER_OCTETS = 4 << 20;
/** A transaction is one datagram. The limit costs nothing until it is used. */
const TRANSACTION_OCTETS = 256 << 20;
const MONITOR_BUFFER_OCTETS = 64 << 20;
/** The kernel answers within a system call; waiting longer than this means that an answer was lost. */
const ANSWER_SECONDS = 10;

/** Opens a socket for requests and their answers. @returns Its descriptor, which the caller owns. */
export function openRequestSocket(protocol: number): number {
  const fd = openSocket(protocol, 0);
  try {
    raiseBuffer(fd, SO_RCVBUFFORCE, REQUEST_BUFFER_OCTETS);
    if (protocol === NETLINK.netfilter) raiseBuffer(fd, SO_SNDBUFFORCE, TRANSACTION_OCTETS);
    for (const option of [OPTION.capAck, OPTION.extAck, OPTION.strictCheck]) {
      setsockopt(fd, SOL_NETLINK, option, 1);
    }
    const timeout = new BigInt64Array([BigInt(ANSWER_SECONDS), 0n]); // struct timeval
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(timeout.buffer));
    bind(fd, netlinkAddress());
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

export interface MonitorSocketOptions {
  /** Classic BPF that says which notifications are received. */
  readonly filter?: Uint8Array | undefined;
  /** Of what the kernel keeps for a reader that is busy, octets. */
  readonly bufferOctets?: number;
}

/**
 * Opens a non-blocking netlink socket that receives the notifications of `groups`.
 *
 * @returns Its descriptor, which the caller owns.
 */
export function openMonitorSocket(
  protocol: number,
  groups: readonly number[],
  { filter, bufferOctets = MONITOR_BUFFER_OCTETS }: MonitorSocketOptions = {},
): number {
  const fd = openSocket(protocol, SOCK_NONBLOCK);
  try {
    if (filter !== undefined) attachFilter(fd, filter);
    raiseBuffer(fd, SO_RCVBUFFORCE, bufferOctets);
    // In this order: an unbound netlink socket joins a group silently and then receives nothing.
    bind(fd, netlinkAddress());
    for (const group of groups) setsockopt(fd, SOL_NETLINK, OPTION.addMembership, group);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

function openSocket(protocol: number, flags: number): number {
  return socket(AF.netlink, SOCK_RAW | SOCK_CLOEXEC | flags, protocol);
}

/** Without CAP_NET_ADMIN the default buffer has to do: it is only more likely to overrun, which is handled. */
function raiseBuffer(fd: number, option: number, octets: number): void {
  try {
    setsockopt(fd, SOL_SOCKET, option, octets);
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'EPERM') throw error;
  }
}

/** `struct sockaddr_nl`: family, padding, port 0 (the kernel picks one), no groups. */
export function netlinkAddress(): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(12);
  new DataView(address.buffer).setUint16(0, AF.netlink, true);
  return address;
}
