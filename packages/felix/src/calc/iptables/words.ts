/** What rules are made of, in the language of iptables-restore. */

/** Mark bits in which policy chains tell the chain that called them what they decided; Calico's. */
export const MARK = {
  accept: 0x10000,
  pass: 0x20000,
  /** Of packets that an early policy of a host endpoint has allowed: later places of the host ask no more. */
  early: 0x40000,
  /** Whether all conditions hold that no single line can state. */
  all: 0x80000,
  /** Whether one of the alternatives holds that are being asked. */
  one: 0x100000,
  /** Whether a workload's limit forbids one more connection. */
  over: 0x200000,
} as const;

const MAX_COMMENT_OCTETS = 255;

export function setMark(bits: number): string {
  return `-j MARK --set-xmark ${hex(bits)}/${hex(bits)}`;
}

export function clearMark(bits: number): string {
  return `-j MARK --set-xmark 0x0/${hex(bits)}`;
}

export function hasMark(bits: number): string {
  return `-m mark --mark ${hex(bits)}/${hex(bits)}`;
}

export function hasNoMark(bits: number): string {
  return `-m mark --mark 0x0/${hex(bits)}`;
}

/** For people who read the rules. */
export function comment(text: string): string {
  return `-m comment --comment ${quoted(text, MAX_COMMENT_OCTETS)}`;
}

/** A word of iptables-restore, whatever it holds; of what does not fit, the beginning. */
export function quoted(text: string, maxOctets: number): string {
  const printable = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, maxOctets);
  return `"${printable.replaceAll(/["\\]/g, '\\$&')}"`;
}

function hex(mark: number): string {
  return `0x${mark.toString(16)}`;
}
