import { type Prefix, subnetAt, subnetCount } from '@overland/net';

/**
 * Every block of a pool, once, in an order of the host's own: deterministic per host name, and different
 * hosts start far apart and step differently, so that two of them rarely reach for the same block.
 *
 * The number of blocks is a power of two, so any odd step visits all of them.
 */
export function* blockOrder(pool: Prefix, blockLength: number, node: string): Generator<Prefix> {
  const count = subnetCount(pool, blockLength);
  if (count === 0n) return;
  const start = fnv1a64(`${node} ${pool}`);
  const step = fnv1a64(`${pool} ${node}`) | 1n;
  for (let i = 0n; i < count; i++) {
    yield subnetAt(pool, blockLength, (start + i * step) & (count - 1n));
  }
}

/** Blocks in an order of the host's own: different hosts do not all turn to the same one. */
export function inOrderOf(node: string, blocks: Iterable<Prefix>): Prefix[] {
  return Array.from(blocks, (cidr) => ({ cidr, rank: fnv1a64(`${node} ${cidr}`) }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ cidr }) => cidr);
}

const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** FNV-1a, 64 bits, over the UTF-16 units of `text`, then mixed (murmur3's finaliser): its low bits alone are weak. */
function fnv1a64(text: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (let i = 0; i < text.length; i++) {
    hash = ((hash ^ BigInt(text.charCodeAt(i))) * 0x0100_0000_01b3n) & MASK_64;
  }
  hash = ((hash ^ (hash >> 33n)) * 0xff51_afd7_ed55_8ccdn) & MASK_64;
  hash = ((hash ^ (hash >> 33n)) * 0xc4ce_b9fe_1a85_ec53n) & MASK_64;
  return hash ^ (hash >> 33n);
}
