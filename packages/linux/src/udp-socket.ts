import { ADDRESS_OCTETS, addressBytes, type Family, type IpAddress } from '@overland/net';
import { attachFilter, bind, close, sendto, setsockopt, socket } from './libc.ts';
import { ACCEPT, assemble, BPF, DROP, type Instruction } from './packet-filter.ts';
import { setHeaderFields, socketAddress } from './tcp-socket.ts';

const AF = { ipv4: 2, ipv6: 10 } as const;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
const IPPROTO_UDP = 17;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;

export interface UdpSocketOptions {
  readonly family: Family;
  /** TTL or hop limit of what we send, 1..255. */
  readonly ttl: number;
  /** TOS or traffic class octet. */
  readonly tos: number;
  /** Own address; absent: any. */
  readonly address?: IpAddress;
  /** Own port; 0: the kernel picks. */
  readonly port: number;
  /** Interface to stay on; needed for an IPv6 link-local address. */
  readonly device?: string;
}

/**
 * Opens a bound UDP socket of the calling thread's network namespace; an IPv6 socket is IPv6 only.
 * `dgram.createSocket(…).bind({ fd })` receives on it, {@link sendDatagram} sends.
 *
 * @returns The descriptor. It belongs to the caller until Node takes it.
 * @throws {KernelError} EADDRINUSE, EADDRNOTAVAIL if `address` is not ours, EACCES, ENODEV.
 */
export function openUdpSocket(options: UdpSocketOptions): number {
  const { family, address, port, device } = options;
  const fd = socket(AF[family], SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, IPPROTO_UDP);
  try {
    if (device !== undefined) {
      setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${device}\0`));
    }
    setHeaderFields(fd, options);
    bind(fd, socketAddress(family, address, port));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Sends one datagram at once, or not at all: no queue, no promise.
 *
 * @throws {KernelError} ENETUNREACH, EAGAIN and others.
 */
export function sendDatagram(
  fd: number,
  bytes: Uint8Array,
  to: { readonly family: Family; readonly address: IpAddress; readonly port: number },
): void {
  sendto(fd, bytes, socketAddress(to.family, to.address, to.port));
}

/** Closes a socket that Node did not take. */
export function closeDatagramSocket(fd: number): void {
  close(fd);
}

/** Which datagrams are taken: those from `source`, or from anybody, with at least this TTL or hop limit. */
export interface TtlRule {
  readonly source?: IpAddress;
  /** 1..255. */
  readonly minTtl: number;
}

/** Offsets from here on are those of the IP header (SKF_NET_OFF). */
const NETWORK_HEADER = 0xfff0_0000;
const OFFSET = { ipv4: { ttl: 8, source: 12 }, ipv6: { ttl: 7, source: 8 } } as const;

/**
 * Has the kernel drop datagrams with a low TTL before they are queued: GTSM (RFC 5082) for UDP, for which Linux
 * has no socket option. The first rule for a source decides; without one a datagram is taken.
 */
export function setTtlRules(fd: number, family: Family, rules: readonly TtlRule[]): void {
  const program = rules.flatMap((rule) => ruleInstructions(family, rule));
  attachFilter(fd, assemble([...program, [BPF.return, 0, 0, ACCEPT]]));
}

/** Has the kernel drop everything: for a socket that only sends. */
export function dropEverything(fd: number): void {
  attachFilter(fd, assemble([[BPF.return, 0, 0, DROP]]));
}

function ruleInstructions(family: Family, { source, minTtl }: TtlRule): Instruction[] {
  const check: Instruction[] = [
    [BPF.loadByte, 0, 0, NETWORK_HEADER + OFFSET[family].ttl],
    [BPF.jumpIfAtLeast, 0, 1, minTtl],
    [BPF.return, 0, 0, ACCEPT],
    [BPF.return, 0, 0, DROP],
  ];
  if (source === undefined) return check;
  const words = ADDRESS_OCTETS[family] / 4;
  const view = new DataView(new Uint8Array(addressBytes(source)).buffer);
  const match = Array.from({ length: words }, (_, i): Instruction[] => {
    const left = (words - 1 - i) * 2 + check.length;
    return [
      [BPF.loadWord, 0, 0, NETWORK_HEADER + OFFSET[family].source + i * 4],
      [BPF.jumpIfEqual, 0, left, view.getUint32(i * 4)],
    ];
  });
  return [...match.flat(), ...check];
}
