/** Text to octets and back. Addresses come from outside, so nothing here throws. */

/** @returns 4 octets, or `undefined` if `text` is not four decimal octets without leading zeros. */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const octets = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const digits = match[i + 1] ?? '';
    const value = Number(digits);
    if (value > 255 || (digits.length > 1 && digits.startsWith('0'))) return undefined;
    octets[i] = value;
  }
  return octets;
}

const LONGEST_IPV6_TEXT = 45; // ffff:…:255.255.255.255

/** @returns 16 octets, or `undefined` if `text` is no RFC 4291 section 2.2 form. Zones are refused. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length > LONGEST_IPV6_TEXT) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group (RFC 5952 section 4.2.2 writes none for one; parsers accept it).
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const octets = new Uint8Array(16);
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  for (const [i, group] of groups.entries()) {
    octets[2 * i] = group >> 8;
    octets[2 * i + 1] = group & 0xff;
  }
  return octets;
}

/** 16-bit groups of one side of "::"; a dotted quad may stand last if `last`. */
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else if (last && i === parts.length - 1) {
      const [a, b, c, d] = parseIpv4(part) ?? [];
      if (a === undefined || b === undefined || c === undefined || d === undefined)
        return undefined;
      groups.push((a << 8) | b, (c << 8) | d);
    } else {
      return undefined;
    }
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as "::". */
export function formatIpv6(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => {
    return ((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0);
  });
  const { start, length } = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((g) => g.toString(16)).join(':');
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  }
  return best;
}
