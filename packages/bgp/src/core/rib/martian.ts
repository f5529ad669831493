import type { Family } from '@overland/net';
import type { NlriList } from '../wire/nlri.ts';

/**
 * Takes out of a list what can never be routed: this-host, loopback, link-local and multicast space. Such NLRI is
 * ignored, RFC 4271 section 6.3. Everything that is a matter of policy is left to filters.
 */
export function removeMartians(family: Family, list: NlriList): void {
  const { lengths, words, wordsEach, pathIds } = list;
  let kept = 0;
  for (let i = 0; i < list.count; i += 1) {
    const length = lengths[i] ?? 0;
    const at = i * wordsEach;
    if (
      family === 'ipv4' ? isIpv4Martian(words[at] ?? 0, length) : isIpv6Martian(words, at, length)
    ) {
      continue;
    }
    if (kept < i) {
      lengths[kept] = length;
      pathIds[kept] = pathIds[i] ?? 0;
      words.copyWithin(kept * wordsEach, at, at + wordsEach);
    }
    kept += 1;
  }
  list.count = kept;
}

/** 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/4 (multicast), 240.0.0.0/4 (reserved); not 0.0.0.0/0. */
function isIpv4Martian(word: number, length: number): boolean {
  const first = word >>> 24;
  return first === 127 || first >= 224 || (first === 0 && length >= 8);
}

/** ff00::/8, fe80::/10, ::/128 and ::1/128. */
function isIpv6Martian(words: Int32Array, at: number, length: number): boolean {
  const word = words[at] ?? 0;
  if (word >>> 24 === 0xff || word >>> 22 === 0xfe80 >>> 6) return true;
  if (length !== 128 || word !== 0) return false;
  return words[at + 1] === 0 && words[at + 2] === 0 && (words[at + 3] ?? 0) >>> 1 === 0;
}
