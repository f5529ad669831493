import { type Prefix, prefixBytes } from '@overland/net';
import type { PrefixTable } from './prefix-table.ts';

/** Whether a prefix is behind `after`, which need not be in the table any more. */
export function behind(prefixes: PrefixTable, after: Prefix): (id: number) => boolean {
  const { words, length } = wordsOf(after);
  return (id) => {
    for (let i = 0; i < words.length; i += 1) {
      const difference = (prefixes.word(id, i) >>> 0) - (words[i] ?? 0);
      if (difference !== 0) return difference > 0;
    }
    return prefixes.length(id) > length;
  };
}

/** Whether a prefix is `outer` or a part of it. */
export function inside(prefixes: PrefixTable, outer: Prefix): (id: number) => boolean {
  const { words, length } = wordsOf(outer);
  const masks = Array.from(words, (_, i) => maskOf(Math.max(0, Math.min(32, length - 32 * i))));
  return (id) => {
    if (prefixes.length(id) < length) return false;
    for (let i = 0; i < words.length; i += 1) {
      if (((prefixes.word(id, i) ^ (words[i] ?? 0)) & (masks[i] ?? 0)) !== 0) return false;
    }
    return true;
  };
}

function maskOf(bits: number): number {
  return bits === 0 ? 0 : -1 << (32 - bits);
}

/** Words of the address, unsigned, most significant first. */
function wordsOf(prefix: Prefix): { readonly words: Uint32Array; readonly length: number } {
  const { octets, length } = prefixBytes(prefix);
  const view = new DataView(octets.buffer);
  const words = Uint32Array.from({ length: octets.length / 4 }, (_, i) => view.getUint32(4 * i));
  return { words, length };
}
