/**
 * Text to octets and back. Addresses come from outside, so nothing here throws. Written as scanners, because every
 * route that goes into or comes out of the kernel passes here.
 */

const DOT = 0x2e;
const COLON = 0x3a;

/** @returns 4 octets, or `undefined` if `text` is not four decimal octets without leading zeros. */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const octets = new Uint8Array(4);
  return scanIpv4(text, 0, octets, 0) ? octets : undefined;
}

/** Reads a dotted quad from `from` to the end of `text` into `octets` at `at`. */
function scanIpv4(text: string, from: number, octets: Uint8Array, at: number): boolean {
  let index = from;
  for (let i = 0; i < 4; i++) {
    if (i > 0 && text.charCodeAt(index++) !== DOT) return false;
    let value = 0;
    let digits = 0;
    // Past the end the code is NaN, which is no digit either.
    for (let digit = decimalAt(text, index); digit >= 0; digit = decimalAt(text, index)) {
      if (digits > 0 && value === 0) return false; // leading zero
      value = value * 10 + digit;
      if (value > 255) return false;
      digits += 1;
      index += 1;
    }
    if (digits === 0) return false;
    octets[at + i] = value;
  }
  return index === text.length;
}

/** @returns -1 if there is no decimal digit. */
function decimalAt(text: string, index: number): number {
  const digit = text.charCodeAt(index) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

/** @returns -1 if there is no hexadecimal digit. */
function hexAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = (code | 0x20) - 0x61;
  return letter >= 0 && letter <= 5 ? letter + 10 : -1;
}

/** @returns 16 octets, or `undefined` if `text` is no RFC 4291 section 2.2 form. Zones are refused. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const octets = new Uint8Array(16);
  let written = 0;
  /** Where "::" stands, in octets; -1 for nowhere. */
  let gap = -1;
  let index = 0;
  if (text.startsWith('::')) {
    if (text.length === 2) return octets;
    gap = 0;
    index = 2;
  }
  for (;;) {
    if (written === 16) return undefined;
    const start = index;
    let value = 0;
    for (let digit = hexAt(text, index); digit >= 0; digit = hexAt(text, index)) {
      value = value * 16 + digit;
      index += 1;
      if (index - start > 4) return undefined;
    }
    if (index === start) return undefined;
    if (text.charCodeAt(index) === DOT) {
      // A dotted quad stands for the last two groups.
      if (written > 12 || !scanIpv4(text, start, octets, written)) return undefined;
      written += 4;
      break;
    }
    octets[written++] = value >> 8;
    octets[written++] = value & 0xff;
    if (index === text.length) break;
    if (text.charCodeAt(index++) !== COLON) return undefined;
    if (text.charCodeAt(index) === COLON) {
      if (gap >= 0) return undefined;
      gap = written;
      index += 1;
      if (index === text.length) break;
    }
  }
  if (gap < 0) return written === 16 ? octets : undefined;
  // "::" stands for at least one group (RFC 5952 section 4.2.2 writes none for one; parsers accept it).
  return written < 16 ? spread(octets, gap, written) : undefined;
}

/** Moves what was written after "::" to the end, and leaves zeros in its place. */
function spread(octets: Uint8Array<ArrayBuffer>, gap: number, written: number) {
  const tail = 16 - (written - gap);
  octets.copyWithin(tail, gap, written);
  return octets.fill(0, gap, tail);
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as "::". */
export function formatIpv6(octets: Uint8Array): string {
  const run = longestZeroRun(octets);
  let text = '';
  for (let group = 0; group < 8; group++) {
    if (group === run.start) {
      text += '::';
      group += run.length - 1;
      continue;
    }
    if (group > 0 && group !== run.start + run.length) text += ':';
    text += groupAt(octets, group).toString(16);
  }
  return text;
}

function groupAt(octets: Uint8Array, group: number): number {
  return ((octets[2 * group] ?? 0) << 8) | (octets[2 * group + 1] ?? 0);
}

/** In groups; the first of equal ones. `start` is -1 if none has two groups. */
function longestZeroRun(octets: Uint8Array): { readonly start: number; readonly length: number } {
  let start = -1;
  let length = 1;
  for (let group = 0; group < 8; group++) {
    let end = group;
    while (end < 8 && groupAt(octets, end) === 0) end += 1;
    if (end - group > length) {
      start = group;
      length = end - group;
    }
    group = Math.max(group, end);
  }
  return start < 0 ? { start, length: 0 } : { start, length };
}
