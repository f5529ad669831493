import type { Family } from '@overland/net';

/**
 * Whether a prefix can never be routed: this-host, loopback, link-local and multicast space. Such NLRI is ignored,
 * RFC 4271 section 6.3. Everything that is a matter of policy is left to filters.
 */
export function isMartian(family: Family, words: Int32Array, length: number): boolean {
  const first = (words[0] ?? 0) >>> 24;
  if (family === 'ipv4') {
    // 224.0.0.0/4 is multicast and 240.0.0.0/4 reserved.
    return first === 127 || first >= 224 || (first === 0 && length >= 8);
  }
  if (first === 0xff) return true;
  if (first === 0xfe) return (words[0] ?? 0) >>> 22 === 0xfe80 >>> 6;
  // ::/128 and ::1/128.
  if (length !== 128 || first !== 0) return false;
  return words[0] === 0 && words[1] === 0 && words[2] === 0 && (words[3] ?? 0) >>> 1 === 0;
}
