/** Share of each prefix length in the IPv4 internet table, per mille: CIDR Report and RIPE RIS, rounded. */
const LENGTH_MIX: readonly (readonly [length: number, perMille: number])[] = [
  [24, 602],
  [23, 94],
  [22, 112],
  [21, 50],
  [20, 45],
  [19, 26],
  [18, 14],
  [17, 8],
  [16, 13],
  [15, 2],
  [14, 1],
  [25, 33],
];

const HEADER_FIELDS = 4;
const LOOPBACK = 0x7f00_0000;
const MULTICAST = 0xe000_0000;
const MAX_BODY = 4077;

/** UPDATE bodies in one array. */
export interface Feed {
  readonly octets: Uint8Array;
  /** Body i lies from `offsets[i]` to `offsets[i + 1]`. */
  readonly offsets: Uint32Array;
  readonly messages: number;
  readonly prefixes: number;
}

/** A reproducible sequence of 32-bit numbers (xorshift32, Marsaglia 2003). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/**
 * A table shaped like the internet's: its mix of lengths, about 6.5 prefixes per attribute set (geometric), AS
 * paths of 2 to 6, communities, sometimes MED.
 *
 * @param seed Another seed gives other attributes for the same prefixes.
 */
export function internetTable(
  prefixes: number,
  sets: number,
  { nextHop, firstAs, seed }: { nextHop: readonly number[]; firstAs: number; seed: number },
): Feed {
  const random = randomNumbers(seed);
  const { addresses, lengths } = shuffledPrefixes(prefixes);
  const octets = new Uint8Array(sets * 120 + prefixes * 5);
  const offsets = new Uint32Array(sets + prefixes / 500 + 2);
  const mean = prefixes / sets;
  let [at, messages, next] = [0, 0, 0];
  for (let set = 0; set < sets && next < prefixes; set += 1) {
    const isLast = set === sets - 1;
    const drawn = 1 + Math.floor(-Math.log((1 + random(1_000_000)) / 1_000_001) * (mean - 0.5));
    let count = isLast ? prefixes - next : Math.min(drawn, prefixes - next);
    const attributes = attributeOctets(random, nextHop, firstAs);
    while (count > 0) {
      offsets[messages] = at;
      messages += 1;
      octets.set([0, 0, attributes.length >> 8, attributes.length & 255], at);
      octets.set(attributes, at + HEADER_FIELDS);
      let to = at + HEADER_FIELDS + attributes.length;
      for (; count > 0 && to - at < MAX_BODY - 5; count -= 1, next += 1) {
        to = putNlri(octets, to, addresses[next] ?? 0, lengths[next] ?? 0);
      }
      at = to;
    }
  }
  offsets[messages] = at;
  return { octets: octets.slice(0, at), offsets, messages, prefixes: next };
}

/** The same prefixes taken back, as many to a message as fit. */
export function withdrawals(prefixes: number): Feed {
  const { addresses, lengths } = shuffledPrefixes(prefixes);
  const octets = new Uint8Array(prefixes * 5 + (prefixes / 500) * 4 + 4096);
  const offsets = new Uint32Array(prefixes / 500 + 2);
  let [at, messages] = [0, 0];
  for (let next = 0; next < prefixes; messages += 1) {
    offsets[messages] = at;
    let to = at + 2;
    for (; next < prefixes && to - at < MAX_BODY - 7; next += 1) {
      to = putNlri(octets, to, addresses[next] ?? 0, lengths[next] ?? 0);
    }
    octets[at] = (to - at - 2) >> 8;
    octets[at + 1] = (to - at - 2) & 255;
    at = to + 2;
  }
  offsets[messages] = at;
  return { octets: octets.slice(0, at), offsets, messages, prefixes };
}

function putNlri(octets: Uint8Array, at: number, address: number, length: number): number {
  octets[at] = length;
  const end = at + 1 + ((length + 7) >> 3);
  for (let to = at + 1, shift = 24; to < end; to += 1, shift -= 8) octets[to] = address >>> shift;
  return end;
}

/** Disjoint prefixes from 1.0.0.0 on, in random order. */
export function shuffledPrefixes(count: number): { addresses: Uint32Array; lengths: Uint8Array } {
  const random = randomNumbers(7);
  const lengths = new Uint8Array(count);
  for (let i = 0, at = 0; i < count; i += 1) {
    const target = random(1000);
    let sum = 0;
    at = LENGTH_MIX.findIndex(([, share]) => {
      sum += share;
      return target < sum;
    });
    lengths[i] = LENGTH_MIX[at]?.[0] ?? 24;
  }
  lengths.sort();
  const addresses = new Uint32Array(count);
  let address = 0x0100_0000;
  for (let i = 0; i < count; i += 1) {
    const size = 2 ** (32 - (lengths[i] ?? 24));
    if (address + size > LOOPBACK && address < LOOPBACK + 2 ** 24) address = LOOPBACK + 2 ** 24;
    addresses[i] = address;
    address += size;
  }
  if (address > MULTICAST) throw new Error('too many prefixes');
  for (let i = count - 1; i > 0; i -= 1) {
    const j = random(i + 1);
    [addresses[i], addresses[j]] = [addresses[j] ?? 0, addresses[i] ?? 0];
    [lengths[i], lengths[j]] = [lengths[j] ?? 0, lengths[i] ?? 0];
  }
  return { addresses, lengths };
}

function attributeOctets(
  random: (below: number) => number,
  nextHop: readonly number[],
  firstAs: number,
): number[] {
  const { path, rest } = drawnAttributes(random, firstAs);
  return [...path, ...[0x40, 3, 4, ...nextHop], ...rest];
}

/** Attributes as the internet has them: ORIGIN and AS_PATH, which come before the next hop, and what comes behind. */
export function drawnAttributes(
  random: (below: number) => number,
  firstAs: number,
): { readonly path: readonly number[]; readonly rest: readonly number[] } {
  const hops = 1 + random(5);
  // Never one of those who take part: that would be a loop.
  const path = [firstAs, ...Array.from({ length: hops }, () => 70_000 + random(400_000))];
  const communities = Array.from({ length: random(6) }, () => random(0xfff0_0000));
  return {
    path: [
      ...[0x40, 1, 1, random(20) === 0 ? 2 : 0],
      ...[0x40, 2, 2 + 4 * path.length, 2, path.length, ...path.flatMap(u32)],
    ],
    rest: [
      ...(random(3) === 0 ? [0x80, 4, 4, ...u32(random(1000))] : []),
      ...(communities.length > 0
        ? [0xc0, 8, 4 * communities.length, ...communities.flatMap(u32)]
        : []),
    ],
  };
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
