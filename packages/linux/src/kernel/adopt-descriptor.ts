import { Socket, type SocketConstructorOpts } from 'node:net';
import { close, dup2, socketpair } from '../libc.ts';
import { AF } from '../netlink/constants.ts';

const SOCK_STREAM = 1;
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
/** Larger than any datagram that the kernel multicasts, so that none is cut. */
const BUFFER_OCTETS = 65_536;

/**
 * Lets the event loop read a descriptor of a type that Node refuses (a netlink socket): a `net.Socket` is made
 * of one end of a socket pair, and the descriptor then takes that end's number. Only public Node API is used.
 *
 * @param fd Non-blocking; taken over, and closed with the socket.
 * @param receive Called with one or more whole datagrams; the bytes are valid during the call. `false` pauses
 *   the socket until it is resumed.
 * @returns Emits `error` with code ENOBUFS if the kernel dropped data, and is closed then.
 */
export function adoptDescriptor(
  fd: number,
  receive: (datagram: Uint8Array<ArrayBuffer>) => boolean,
): Socket {
  let pair: readonly [number, number];
  try {
    pair = socketpair(AF.unix, SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC);
  } catch (error) {
    close(fd);
    throw error;
  }
  const [adopted, other] = pair;
  const buffer = new Uint8Array(BUFFER_OCTETS);
  const options: SocketConstructorOpts & { manualStart: boolean } = {
    fd: adopted,
    readable: true,
    writable: false,
    manualStart: true, // nothing is read before the descriptor is in place
    onread: { buffer, callback: (size) => receive(buffer.subarray(0, size)) },
  };
  const socket = new Socket(options);
  dup2(fd, adopted);
  close(fd);
  close(other);
  socket.resume();
  return socket;
}
