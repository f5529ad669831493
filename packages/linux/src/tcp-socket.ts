import {
  addressBytes,
  type Family,
  familyOf,
  type IpAddress,
  networkAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixLength,
} from '@overland/net';
import { bind, close, getsockopt, setsockopt, socket } from './libc.ts';
import { KernelError } from './ports.ts';

const AF = { ipv4: 2, ipv6: 10 } as const;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BINDTODEVICE = 25;
const IPPROTO = { ip: 0, tcp: 6, ipv6: 41 } as const;
const IP = { tos: 1, ttl: 2, minTtl: 21 } as const;
const IPV6 = { unicastHops: 16, only: 26, trafficClass: 67, minHopCount: 73 } as const;
const TCP_USER_TIMEOUT = 18;
const TCP_MD5 = { signature: 14, extended: 32, prefixFlag: 1 } as const;

/** Longest key of TCP-MD5 that Linux takes, octets (TCP_MD5SIG_MAXKEYLEN). */
export const MAX_MD5_KEY_OCTETS = 80;

/** Signs every segment from and to a peer, and drops what is not signed so. TCP-MD5, RFC 2385. */
export interface Md5Key {
  /** An address, or a prefix on a socket that listens: of several that hold a peer, the longest one counts. */
  readonly peer: IpAddress | Prefix;
  /** 1..80 octets. */
  readonly key: Uint8Array;
}

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
  /** Drop what arrives with a lower TTL or hop limit (GTSM, RFC 5082); absent: take everything. */
  readonly minTtl?: number;
  /** One for the peer to dial; for a socket that listens, one for each peer that has a key. */
  readonly md5?: readonly Md5Key[];
}

/**
 * Opens a TCP socket of the calling thread's network namespace, bound but neither connected nor listening.
 * An IPv6 socket is IPv6 only.
 *
 *   dial:  new net.Socket({ fd, readable: true, writable: true }).connect({ host, port })
 *   serve: net.createServer(…).listen({ fd })    — accepted sockets inherit TTL, TOS and their peer's key
 *
 * @returns The descriptor. It belongs to the caller until Node takes it.
 * @throws {KernelError} EADDRNOTAVAIL if `address` is not ours, EADDRINUSE, EACCES for a port below 1024, ENODEV,
 *   EPERM or ENOPROTOOPT for keys without CAP_NET_ADMIN, or on a kernel without them.
 */
export function openTcpSocket(options: TcpSocketOptions): number {
  const { family, address, port = 0, device, md5 = [] } = options;
  if (address !== undefined && familyOf(address) !== family) {
    throw new RangeError(`${address} is no ${family} address`);
  }
  const fd = socket(AF[family], SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, IPPROTO.tcp);
  try {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (device !== undefined) bindToDevice(fd, device);
    setHeaderFields(fd, options);
    for (const key of md5) setMd5Key(fd, key);
    if (address !== undefined || port !== 0) bind(fd, socketAddress(family, address, port));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Keeps a socket to one interface: what comes in elsewhere is not for it.
 *
 * @throws {KernelError} ENODEV; EPERM for a socket that is bound already, without CAP_NET_RAW.
 */
export function bindToDevice(fd: number, device: string): void {
  setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${device}\0`));
}

/**
 * Ends a connection whose octets the other side does not acknowledge, or has no room for, for so long. RFC 5482.
 *
 * @param ms 0: after the kernel's own patience, about 15 minutes.
 */
export function setUserTimeout(fd: number, ms: number): void {
  setsockopt(fd, IPPROTO.tcp, TCP_USER_TIMEOUT, ms);
}

/** What {@link setUserTimeout} has set, milliseconds. */
export function userTimeoutOf(fd: number): number {
  return getsockopt(fd, IPPROTO.tcp, TCP_USER_TIMEOUT);
}

/** TTL, TOS and for IPv6 nothing but IPv6: of sockets of any transport. */
export function setHeaderFields(
  fd: number,
  options: Pick<TcpSocketOptions, 'family' | 'ttl' | 'tos' | 'minTtl'>,
): void {
  const { family, tos } = options;
  if (family === 'ipv4') {
    setsockopt(fd, IPPROTO.ip, IP.tos, tos);
  } else {
    setsockopt(fd, IPPROTO.ipv6, IPV6.only, 1);
    setsockopt(fd, IPPROTO.ipv6, IPV6.trafficClass, tos);
  }
  setTtl(fd, options);
}

/** Changes the TTLs of a socket, such as one that was accepted and whose peer has others than the listener. */
export function setTtl(
  fd: number,
  { family, ttl, minTtl = 0 }: Pick<TcpSocketOptions, 'family' | 'ttl' | 'minTtl'>,
): void {
  if (family === 'ipv4') {
    setsockopt(fd, IPPROTO.ip, IP.ttl, ttl);
    setsockopt(fd, IPPROTO.ip, IP.minTtl, minTtl);
  } else {
    setsockopt(fd, IPPROTO.ipv6, IPV6.unicastHops, ttl);
    setsockopt(fd, IPPROTO.ipv6, IPV6.minHopCount, minTtl);
  }
}

/** Sets or replaces the key for a peer, on a socket of the peer's family. Connections that are up keep theirs. */
export function setMd5Key(fd: number, { peer, key }: Md5Key): void {
  if (key.length === 0 || key.length > MAX_MD5_KEY_OCTETS) {
    throw new RangeError(`a TCP-MD5 key of ${key.length} octets: 1 to ${MAX_MD5_KEY_OCTETS}`);
  }
  changeKey(fd, peer, key);
}

/** Takes the key for a peer back: its segments are no longer signed. */
export function removeMd5Key(fd: number, peer: IpAddress | Prefix): void {
  changeKey(fd, peer, new Uint8Array(0));
}

function changeKey(fd: number, peer: IpAddress | Prefix, key: Uint8Array): void {
  const option = peer.includes('/') ? TCP_MD5.extended : TCP_MD5.signature;
  try {
    setsockopt(fd, IPPROTO.tcp, option, md5Signature(peer, key));
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    throw new KernelError(error.code, `set the TCP-MD5 key of ${peer}`);
  }
}

/** `struct tcp_md5sig`: sockaddr_storage (128), flags (1), prefix length (1), key length (2), interface (4), key (80). */
function md5Signature(peer: IpAddress | Prefix, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(136 + MAX_MD5_KEY_OCTETS);
  const family = familyOf(peer);
  if (peer.includes('/')) {
    const prefix = parsePrefix(peer);
    bytes.set(socketAddress(family, networkAddress(prefix), 0));
    bytes.set([TCP_MD5.prefixFlag, prefixLength(prefix)], 128);
  } else bytes.set(socketAddress(family, parseAddress(peer), 0));
  new DataView(bytes.buffer).setUint16(130, key.length, true);
  bytes.set(key, 136);
  return bytes;
}

/**
 * `struct sockaddr_in`:  family (2, host order), port (2), address (4), zeros (8).
 * `struct sockaddr_in6`: family (2, host order), port (2), flow (4), address (16), scope (4): SO_BINDTODEVICE stands in for it.
 */
export function socketAddress(
  family: Family,
  address: IpAddress | undefined,
  port: number,
): Uint8Array {
  const bytes = new Uint8Array(family === 'ipv4' ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF[family], true);
  view.setUint16(2, port);
  if (address !== undefined) bytes.set(addressBytes(address), family === 'ipv4' ? 4 : 8);
  return bytes;
}
