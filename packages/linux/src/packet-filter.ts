/** Classic BPF (linux/bpf_common.h). */
export const BPF = {
  loadByte: 0x30,
  loadWord: 0x20,
  jumpIfEqual: 0x15,
  jumpIfAtLeast: 0x35,
  return: 0x06,
};
/** What a program returns: octets of the packet that are taken. */
export const ACCEPT = 0xffff_ffff;
export const DROP = 0;

/** Jumps count instructions behind the next one. */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/** `struct sock_filter`: code (2), jump if true (1), jump if false (1), operand (4). */
export function assemble(instructions: readonly Instruction[]): Uint8Array {
  const program = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [i, [code, ifTrue, ifFalse, operand]] of instructions.entries()) {
    program.setUint16(i * 8, code, true);
    program.setUint8(i * 8 + 2, ifTrue);
    program.setUint8(i * 8 + 3, ifFalse);
    program.setUint32(i * 8 + 4, operand, true);
  }
  return new Uint8Array(program.buffer);
}
