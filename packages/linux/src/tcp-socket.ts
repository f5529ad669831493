import { addressBytes, type Family, familyOf, type IpAddress } from '@overland/net';
import { bind, close, setsockopt, socket } from './libc.ts';

const AF = { ipv4: 2, ipv6: 10 } as const;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BINDTODEVICE = 25;
const IPPROTO = { ip: 0, tcp: 6, ipv6: 41 } as const;
const IP = { tos: 1, ttl: 2 } as const;
const IPV6 = { unicastHops: 16, only: 26, trafficClass: 67 } as const;

/** Class selector 6, internetwork control: routing traffic is the last to be dropped (RFC 4271 section 8, RFC 2474). */
export const TOS_NETWORK_CONTROL = 0xc0;

/** What Node has no words for: these are set before the socket is bound and connected. */
export interface TcpSocketOptions {
  readonly family: Family;
  /** TTL or hop limit of what we send, 1..255. */
  readonly ttl: number;
  /** TOS or traffic class octet; {@link TOS_NETWORK_CONTROL} for routing protocols. */
  readonly tos: number;
  /** Own address; absent: any. */
  readonly address?: IpAddress;
  /** Own port; 0 or absent: the kernel picks. */
  readonly port?: number;
  /** Interface to stay on; needed for an IPv6 link-local address. */
  readonly device?: string;
  // The keys of TCP-MD5 (RFC 2385) and the least TTL to accept (GTSM, RFC 5082) belong here too.
}

/**
 * Opens a TCP socket of the calling thread's network namespace, bound but neither connected nor listening.
 * An IPv6 socket is IPv6 only.
 *
 *   dial:  new net.Socket({ fd, readable: true, writable: true }).connect({ host, port })
 *   serve: net.createServer(…).listen({ fd })    — accepted sockets inherit TTL and TOS
 *
 * @returns The descriptor. It belongs to the caller until Node takes it.
 * @throws {KernelError} EADDRNOTAVAIL if `address` is not ours, EADDRINUSE, EACCES for a port below 1024, ENODEV.
 */
export function openTcpSocket(options: TcpSocketOptions): number {
  const { family, address, port = 0, device } = options;
  if (address !== undefined && familyOf(address) !== family) {
    throw new RangeError(`${address} is no ${family} address`);
  }
  const fd = socket(AF[family], SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, IPPROTO.tcp);
  try {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (device !== undefined) {
      setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${device}\0`));
    }
    setHeaderFields(fd, options);
    if (address !== undefined || port !== 0) bind(fd, socketAddress(family, address, port));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

function setHeaderFields(fd: number, { family, ttl, tos }: TcpSocketOptions): void {
  if (family === 'ipv4') {
    setsockopt(fd, IPPROTO.ip, IP.ttl, ttl);
    setsockopt(fd, IPPROTO.ip, IP.tos, tos);
  } else {
    setsockopt(fd, IPPROTO.ipv6, IPV6.only, 1);
    setsockopt(fd, IPPROTO.ipv6, IPV6.unicastHops, ttl);
    setsockopt(fd, IPPROTO.ipv6, IPV6.trafficClass, tos);
  }
}

/**
 * `struct sockaddr_in`:  family (2, host order), port (2), address (4), zeros (8).
 * `struct sockaddr_in6`: family (2, host order), port (2), flow (4), address (16), scope (4): SO_BINDTODEVICE stands in for it.
 */
function socketAddress(family: Family, address: IpAddress | undefined, port: number): Uint8Array {
  const bytes = new Uint8Array(family === 'ipv4' ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF[family], true);
  view.setUint16(2, port);
  if (address !== undefined) bytes.set(addressBytes(address), family === 'ipv4' ? 4 : 8);
  return bytes;
}
