import { ACCEPT, assemble, BPF, DROP } from '../../packet-filter.ts';

/** Of `struct nlmsghdr`. */
const PORT_OFFSET = 12;

/**
 * A socket filter that drops notifications of what one socket has changed, a hundred thousand elements at times. A
 * datagram is of one transaction: its first message tells whose.
 *
 * @param port Of the socket (nlmsg_pid). Loads are big-endian while netlink is not, hence the swapped operand.
 */
export function portFilter(port: number): Uint8Array {
  const swapped = new DataView(new ArrayBuffer(4));
  swapped.setUint32(0, port, true);
  return assemble([
    [BPF.loadWord, 0, 0, PORT_OFFSET],
    [BPF.jumpIfEqual, 1, 0, swapped.getUint32(0)],
    [BPF.return, 0, 0, ACCEPT],
    [BPF.return, 0, 0, DROP],
  ]);
}
