import { encodeMessage, HEADER_OCTETS, MAX_MESSAGE_OCTETS } from '../src/core/wire/header.ts';

/** Numbers that are the same each time for one seed: mulberry32. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In 0..1, 1 excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** In 0..limit, limit excluded. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** True one time in so many. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  of<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError('nothing to choose from');
    return choice;
  }
}

/** Octets at which parsers err: none, one, signs, lengths of addresses and of prefixes, AS_TRANS, the flags of attributes. */
const TELLING = [
  0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 19, 23, 24, 32, 33, 40, 64, 71, 91, 127, 128, 129, 160, 192, 255,
];

/** One change to the octets of a message, of the kinds that have broken parsers. */
function mutateOnce(octets: number[], other: Uint8Array, chance: Chance): void {
  const at = chance.below(octets.length + 1);
  const some = 1 + chance.below(8);
  switch (chance.below(16)) {
    case 0:
      octets.splice(at, 0, ...Array.from({ length: some }, () => chance.below(256)));
      return;
    case 1:
      octets.splice(at, some);
      return;
    case 2:
      octets.length = at;
      return;
    case 3:
      octets.splice(at, 0, ...octets.slice(at, at + some * 4));
      return;
    case 4: {
      const from = chance.below(other.length);
      octets.splice(at, some, ...other.subarray(from, from + some * 4));
      return;
    }
    default:
      mutateInPlace(octets, chance);
  }
}

/** Lengths stay true, unless it is one that is changed: such messages get the furthest. */
function mutateInPlace(octets: number[], chance: Chance): void {
  const at = chance.below(octets.length);
  const old = octets[at];
  if (old === undefined) return;
  if (chance.oneIn(3)) octets[at] = chance.of(TELLING);
  else if (chance.oneIn(2)) octets[at] = old ^ (1 << chance.below(8));
  else octets[at] = (old + (chance.oneIn(2) ? 1 : 255)) & 255;
}

/**
 * A message with one change, sometimes none or up to three. Most often its header still fits, so that what is behind it is read.
 *
 * @param other Another message, parts of which may get in.
 */
export function mutated(message: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  const breaksHeader = chance.oneIn(40);
  const from = breaksHeader ? 0 : HEADER_OCTETS;
  const octets = [...message.subarray(from)];
  const changes = chance.oneIn(3) ? chance.below(4) : 1;
  for (let i = 0; i < changes; i += 1) mutateOnce(octets, other, chance);
  if (breaksHeader) return Uint8Array.from(octets);
  const body = Uint8Array.from(octets.slice(0, MAX_MESSAGE_OCTETS - HEADER_OCTETS));
  return encodeMessage(message[HEADER_OCTETS - 1] ?? 0, body);
}
