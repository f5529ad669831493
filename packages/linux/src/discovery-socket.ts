import { addressBytes, type IpAddress, parseAddress } from '@overland/net';
import { adoptDescriptor } from './kernel/adopt-descriptor.ts';
import {
  attachFilter,
  bind,
  close,
  getsockname,
  interfaceIndex,
  sendto,
  setsockopt,
  socket,
} from './libc.ts';
import { ACCEPT, assemble, BPF, DROP, type Instruction } from './packet-filter.ts';
import { socketAddress } from './tcp-socket.ts';
import { dropEverything } from './udp-socket.ts';

const [AF_INET6, AF_PACKET] = [10, 17];
const [SOCK_DGRAM, SOCK_RAW] = [2, 3];
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
const ETH_P_IPV6 = 0x86dd;
const IPPROTO = { ipv6: 41, icmpv6: 58 } as const;
const IPV6 = { unicastHops: 16, multicastHops: 18, multicastLoop: 19, joinGroup: 20 } as const;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
/** Of what neighbour discovery sends, and all that it takes: nothing has come through a router. RFC 4861 section 6.1. */
const HOP_LIMIT = 255;
const ALL_ROUTERS = parseAddress('ff02::2');
/** Packets that are taken in a slice of time, milliseconds; those of a flood wait in the kernel, which drops what is too much. */
const SLICE_PACKETS = 8;
const SLICE_MS = 100;

export interface DiscoverySocketOptions {
  readonly device: string;
  /** ICMPv6 types to receive. */
  readonly types: readonly number[];
  /**
   * An IPv6 packet of one of the types with hop limit 255, header included; nothing else of it has been checked, not even its
   * checksum. The octets are valid during the call.
   */
  readonly received: (packet: Uint8Array) => void;
  /** The interface is gone or down: nothing comes any more, and the socket is closed. */
  readonly failed: (code: string) => void;
}

/** Sends and receives ICMPv6 of neighbour discovery on one interface. */
export interface DiscoverySocket {
  /** Link-layer address of the interface. */
  readonly mac: Uint8Array;
  /**
   * Sends an ICMPv6 message from the link-local address with hop limit 255; the kernel puts the checksum in.
   *
   * @throws {KernelError} EADDRNOTAVAIL while there is no link-local address, ENODEV, ENETDOWN and others.
   */
  send(message: Uint8Array, to: IpAddress): void;
  close(): void;
}

/**
 * Opens a socket in the calling thread's network namespace, on the interface that has the name now: one that is made anew
 * under the same name needs another socket.
 *
 * What comes in is read from a packet socket: Node's sockets tell of a raw ICMPv6 message neither where it is from nor its
 * hop limit. What goes out is sent by a raw ICMPv6 socket.
 *
 * @throws {KernelError} ENODEV, EPERM without CAP_NET_RAW.
 */
export function openDiscoverySocket(options: DiscoverySocketOptions): DiscoverySocket {
  const index = interfaceIndex(options.device);
  const sender = openSender(options.device, index);
  try {
    const { fd, mac } = openReceiver(index, options.types);
    let taken = 0;
    let slice: NodeJS.Timeout | undefined;
    const receiver = adoptDescriptor(fd, (packet) => {
      options.received(packet);
      taken += 1;
      slice ??= setTimeout(() => {
        slice = undefined;
        taken = 0;
        receiver.resume();
      }, SLICE_MS);
      return taken < SLICE_PACKETS;
    });
    let isOpen = true;
    const end = (): void => {
      clearTimeout(slice);
      if (isOpen) close(sender);
      isOpen = false;
    };
    receiver.on('error', () => undefined);
    receiver.on('close', end);
    receiver.once('error', (error: NodeJS.ErrnoException) => {
      end();
      options.failed(error.code ?? error.message);
    });
    return {
      mac,
      send: (message, to) => sendto(sender, message, socketAddress('ipv6', to, 0)),
      close() {
        receiver.removeAllListeners('error').on('error', () => undefined);
        receiver.destroy();
        end();
      },
    };
  } catch (error) {
    close(sender);
    throw error;
  }
}

/** Routers are asked at an address that only routers listen on: RFC 4861 section 6.2.2. */
function openSender(device: string, index: number): number {
  const fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK_CLOEXEC, IPPROTO.icmpv6);
  try {
    dropEverything(fd);
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${device}\0`));
    setsockopt(fd, IPPROTO.ipv6, IPV6.unicastHops, HOP_LIMIT);
    setsockopt(fd, IPPROTO.ipv6, IPV6.multicastHops, HOP_LIMIT);
    setsockopt(fd, IPPROTO.ipv6, IPV6.multicastLoop, 0);
    setsockopt(fd, IPPROTO.ipv6, IPV6.joinGroup, membership(ALL_ROUTERS, index));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** `struct ipv6_mreq`: address (16), interface (4). */
function membership(group: IpAddress, index: number): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes.set(addressBytes(group));
  new DataView(bytes.buffer).setUint32(16, index, true);
  return bytes;
}

function openReceiver(
  index: number,
  types: readonly number[],
): { readonly fd: number; readonly mac: Uint8Array } {
  const fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0);
  try {
    attachFilter(fd, icmpv6Filter(types));
    bind(fd, packetAddress(index));
    const own = packetAddress(0);
    getsockname(fd, own);
    return { fd, mac: own.slice(12, 12 + (own[11] ?? 0)) };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** `struct sockaddr_ll`: family (2), protocol (2, network order), index (4), type (2), kind (1), length (1), address (8). */
function packetAddress(index: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_IPV6);
  view.setInt32(4, index, true);
  return bytes;
}

/** Offsets are those of the IPv6 header, which a packet socket of type SOCK_DGRAM begins with. */
function icmpv6Filter(types: readonly number[]): Uint8Array {
  const [NEXT_HEADER_AT, HOP_LIMIT_AT, TYPE_AT] = [6, 7, 40];
  const { loadByte, jumpIfEqual } = BPF;
  return assemble([
    [loadByte, 0, 0, NEXT_HEADER_AT],
    [jumpIfEqual, 0, 3 + types.length, IPPROTO.icmpv6],
    [loadByte, 0, 0, HOP_LIMIT_AT],
    [jumpIfEqual, 0, 1 + types.length, HOP_LIMIT],
    [loadByte, 0, 0, TYPE_AT],
    ...types.map((type, i): Instruction => [jumpIfEqual, types.length - i, 0, type]),
    [BPF.return, 0, 0, DROP],
    [BPF.return, 0, 0, ACCEPT],
  ]);
}
