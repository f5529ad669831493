import { RTM } from './constants.ts';

/** Classic BPF (linux/bpf_common.h): load half, load word, jump if equal, return. */
const BPF = { loadHalf: 0x28, loadWord: 0x20, jumpIfEqual: 0x15, return: 0x06 } as const;
const TYPE_OFFSET = 4;
const PORT_OFFSET = 12;
const ACCEPT = 0xffff_ffff;
const DROP = 0;

/**
 * A socket filter that drops notifications of routes and next-hop objects that one socket caused: the echo of
 * our own changes, a hundred thousand of them for a full table. All else passes.
 *
 * A `struct sock_filter` is code (2), jump if true (1), jump if false (1), operand (4). Loads are big-endian
 * while netlink is not, hence the swapped operands.
 *
 * @param port Of the socket whose echo is unwanted (nlmsg_pid).
 */
export function echoFilter(port: number): Uint8Array {
  const types = [RTM.newRoute, RTM.delRoute, RTM.newNextHop, RTM.delNextHop];
  const instructions: [code: number, ifTrue: number, ifFalse: number, operand: number][] = [
    [BPF.loadHalf, 0, 0, TYPE_OFFSET],
    // Each known type jumps to the load of the port, the last one also past it if it does not match.
    ...types.map((type, i): (typeof instructions)[number] => {
      const left = types.length - 1 - i;
      return [BPF.jumpIfEqual, left, left === 0 ? 2 : 0, swapped(type << 16)];
    }),
    [BPF.loadWord, 0, 0, PORT_OFFSET],
    [BPF.jumpIfEqual, 1, 0, swapped(port)],
    [BPF.return, 0, 0, ACCEPT],
    [BPF.return, 0, 0, DROP],
  ];
  const program = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [i, [code, ifTrue, ifFalse, operand]] of instructions.entries()) {
    program.setUint16(i * 8, code, true);
    program.setUint8(i * 8 + 2, ifTrue);
    program.setUint8(i * 8 + 3, ifFalse);
    program.setUint32(i * 8 + 4, operand, true);
  }
  return new Uint8Array(program.buffer);
}

/** The four octets in reverse. */
function swapped(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return view.getUint32(0);
}
