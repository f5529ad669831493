import { addressBytes, type Family, type IpAddress } from '@overland/net';
import { drawnAttributes, randomNumbers, shuffledPrefixes } from '../internet-table.ts';
import { announcement, u16, u32, withdrawal } from './wire.ts';

/** Share of each prefix length in the IPv6 internet table, per cent, rounded; shorter than /32 as /32. */
const IPV6_LENGTH_MIX: readonly (readonly [length: number, percent: number])[] = [
  [48, 46],
  [32, 15],
  [44, 12],
  [40, 11],
  [36, 6],
  [46, 4],
  [47, 3],
  [42, 3],
];
/** IPv6 prefixes are in /32s of their own, from 2400::/32 on. */
const IPV6_FIRST = 0x2400_0000;
/** Prefixes of one attribute set are told in one message: with these it stays below 4096 octets. */
const MOST_IN_MESSAGE = 400;
const PREFIXES_PER_SET = 6.5;

/** Messages in one array. */
export interface Messages {
  readonly octets: Uint8Array;
  /** Message i lies from `offsets[i]` to `offsets[i + 1]`. */
  readonly offsets: Uint32Array;
}

export interface TableOptions {
  readonly family: Family;
  readonly prefixes: number;
  readonly nextHop: IpAddress;
  /** AS number that paths begin with; absent: paths of an iBGP peer. */
  readonly firstAs: number;
  /** Another seed gives other attributes for the same prefixes. */
  readonly seed: number;
}

/**
 * The UPDATEs of a table shaped like the internet's: its mix of lengths, about 6.5 prefixes to an attribute set,
 * paths of 2 to 6, communities, sometimes MED.
 */
export function announcements(options: TableOptions): Messages {
  const { family, prefixes, firstAs, seed } = options;
  const random = randomNumbers(seed);
  const nlri = prefixNlri(family, prefixes);
  const nextHop = [...addressBytes(options.nextHop)];
  const messages: Uint8Array[] = [];
  for (let next = 0; next < prefixes; ) {
    const drawn =
      1 + Math.floor(-Math.log((1 + random(1_000_000)) / 1_000_001) * (PREFIXES_PER_SET - 0.5));
    const count = Math.min(drawn, prefixes - next, MOST_IN_MESSAGE);
    const attributes = drawnAttributes(random, firstAs);
    const own = nlri.slice(next, next + count).flat();
    messages.push(announcement({ family, nextHop, nlri: own, ...attributes }));
    next += count;
  }
  return joined(messages);
}

/** The UPDATEs that take all of a table back. */
export function withdrawals(family: Family, prefixes: number): Messages {
  const nlri = prefixNlri(family, prefixes);
  const messages: Uint8Array[] = [];
  for (let next = 0; next < prefixes; next += MOST_IN_MESSAGE) {
    messages.push(withdrawal(family, nlri.slice(next, next + MOST_IN_MESSAGE).flat()));
  }
  return joined(messages);
}

/** UPDATEs that each give one prefix of a table, at random, another attribute set. */
export function churn(options: TableOptions, updates: number): Messages {
  const { family, prefixes, firstAs, seed } = options;
  const random = randomNumbers(seed);
  const nlri = prefixNlri(family, prefixes);
  const nextHop = [...addressBytes(options.nextHop)];
  const messages = Array.from({ length: updates }, () => {
    const own = nlri[random(prefixes)] ?? [];
    return announcement({ family, nextHop, nlri: own, ...drawnAttributes(random, firstAs) });
  });
  return joined(messages);
}

/** Each prefix of the table as NLRI, in random order. */
function prefixNlri(family: Family, count: number): number[][] {
  if (family === 'ipv6') return ipv6Nlri(count);
  const { addresses, lengths } = shuffledPrefixes(count);
  return Array.from(lengths, (length, i) => {
    const octets = u32(addresses[i] ?? 0);
    return [length, ...octets.slice(0, (length + 7) >> 3)];
  });
}

function ipv6Nlri(count: number): number[][] {
  const random = randomNumbers(7);
  const list = Array.from({ length: count }, (_, i) => {
    const length = ipv6Length(random(100));
    const subnet = (random(0x1_0000) >> (48 - length)) << (48 - length);
    const octets = [...u32(IPV6_FIRST + i), ...u16(subnet)];
    return [length, ...octets.slice(0, (length + 7) >> 3)];
  });
  for (let i = count - 1; i > 0; i -= 1) {
    const j = random(i + 1);
    [list[i], list[j]] = [list[j] ?? [], list[i] ?? []];
  }
  return list;
}

/** @param drawn 0..99 */
function ipv6Length(drawn: number): number {
  let sum = 0;
  for (const [length, percent] of IPV6_LENGTH_MIX) {
    sum += percent;
    if (drawn < sum) return length;
  }
  return 48;
}

/** A small number of its own for each prefix of a table, from its first four octets. */
export function prefixIndex(family: Family, firstOctets: number): number {
  // No prefix of the IPv4 mix is longer than /25, and none is inside another.
  return family === 'ipv4' ? firstOctets >>> 7 : (firstOctets - IPV6_FIRST) >>> 0;
}

export function joined(messages: readonly Uint8Array[]): Messages {
  const offsets = new Uint32Array(messages.length + 1);
  let total = 0;
  for (const [i, octets] of messages.entries()) {
    total += octets.length;
    offsets[i + 1] = total;
  }
  const octets = new Uint8Array(new SharedArrayBuffer(total));
  for (const [i, each] of messages.entries()) octets.set(each, offsets[i]);
  return { octets, offsets };
}
