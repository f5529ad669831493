import { MessageWriter } from '../message-writer.ts';
import type { Verdict } from './elements.ts';
import {
  COMPARE,
  DATA,
  EXPRESSION,
  LIST_ELEMENT,
  NESTED,
  REGISTER_VERDICT,
  VERDICT,
} from './numbers.ts';
import type { Load } from './rule-fields.ts';

export type Comparison = keyof typeof COMPARE;

/** Where NAT leads, in registers. */
export interface NatRegisters {
  readonly addressMin?: number;
  readonly addressMax?: number;
  readonly portMin?: number;
  readonly portMax?: number;
  readonly flags: number;
}

/** Most rules are smaller. */
const RULE_OCTETS = 512;

/** Registers of 16 octets have numbers of their own; others are counted by words. @param word 0..15. */
export function register(word: number): number {
  return word % 4 === 0 ? 1 + word / 4 : 8 + word;
}

/**
 * Expressions of one rule, as attributes of NFTA_RULE_EXPRESSIONS: linux/netfilter/nf_tables.h. All numbers are in
 * network byte order; values are as registers hold them.
 */
export class ExpressionWriter {
  readonly #writer = new MessageWriter(0, RULE_OCTETS);

  /** A copy of what was written so far. */
  octets(): Uint8Array {
    return this.#writer.bytes.slice();
  }

  get length(): number {
    return this.#writer.bytes.length;
  }

  /** @param octets Of a payload: how many to load. */
  load({ load, octets, into }: { load: Load; octets: number; into: number }): void {
    const writer = this.#writer;
    this.#expression(load.from, () => {
      if (load.from === 'payload') {
        writer.attributeBig32(1, into);
        writer.attributeBig32(2, load.base);
        writer.attributeBig32(3, load.offset);
        writer.attributeBig32(4, octets);
      } else if (load.from === 'fib') {
        writer.attributeBig32(3, load.flags);
        writer.attributeBig32(2, load.result);
        writer.attributeBig32(1, into);
      } else {
        writer.attributeBig32(2, load.key);
        writer.attributeBig32(1, into);
        if (load.direction !== undefined) writer.attributeBytes(3, Uint8Array.of(load.direction));
      }
    });
  }

  /** Puts a register into a mark. */
  store(into: 'meta' | 'ct', key: number): void {
    const [KEY, SOURCE] = [2, into === 'meta' ? 3 : 4];
    this.#expression(into, () => {
      this.#writer.attributeBig32(KEY, key);
      this.#writer.attributeBig32(SOURCE, register(0));
    });
  }

  /**
   * Puts two octets of a register into the network header.
   *
   * @param offset From its start.
   * @param checksum Of its checksum (RFC 1071), which is mended; absent: there is none.
   */
  writeNetworkHeader(offset: number, checksum?: number): void {
    const [NETWORK_HEADER, OCTETS] = [1, 2];
    this.#expression('payload', () => {
      this.#writer.attributeBig32(5, register(0));
      this.#writer.attributeBig32(2, NETWORK_HEADER);
      this.#writer.attributeBig32(3, offset);
      this.#writer.attributeBig32(4, OCTETS);
      this.#writer.attributeBig32(6, checksum === undefined ? 0 : 1);
      this.#writer.attributeBig32(7, checksum ?? 0);
      this.#writer.attributeBig32(8, 0);
    });
  }

  compare(comparison: Comparison, value: Uint8Array): void {
    this.#expression('cmp', () => {
      this.#writer.attributeBig32(1, register(0));
      this.#writer.attributeBig32(2, COMPARE[comparison]);
      this.#value(3, value);
    });
  }

  /** Breaks off if the register is in the range. */
  outside(first: Uint8Array, last: Uint8Array): void {
    this.#expression('range', () => {
      this.#writer.attributeBig32(1, register(0));
      this.#writer.attributeBig32(2, COMPARE.neq);
      this.#value(3, first);
      this.#value(4, last);
    });
  }

  /** Register = (register & mask) ^ xor. */
  bitwise(mask: Uint8Array, xor: Uint8Array): void {
    this.#expression('bitwise', () => {
      this.#writer.attributeBig32(1, register(0));
      this.#writer.attributeBig32(2, register(0));
      this.#writer.attributeBig32(3, mask.length);
      this.#value(4, mask);
      this.#value(5, xor);
    });
  }

  /**
   * Asks a set for the register, or a map for its verdict.
   *
   * @param set.id Of a set of the same transaction: of several without a name, which one.
   * @returns Where the identifier is in the octets, to be replaced.
   */
  lookup(
    set: { readonly name: string; readonly isAnonymous: boolean },
    asks: 'whether' | 'whether-not' | 'verdict',
  ): number {
    let at = 0;
    this.#expression('lookup', () => {
      this.#writer.attributeText(1, set.name);
      this.#writer.attributeBig32(2, register(0));
      if (set.isAnonymous) {
        this.#writer.attributeBig32(4, 0);
        at = this.length - 4;
      }
      if (asks === 'verdict') this.#writer.attributeBig32(3, REGISTER_VERDICT);
      if (asks === 'whether-not') this.#writer.attributeBig32(5, 1);
    });
    return at;
  }

  verdict(verdict: Verdict): void {
    this.#expression('immediate', () => {
      this.#writer.attributeBig32(1, REGISTER_VERDICT);
      this.#writer.nest(2 | NESTED, () => writeVerdict(this.#writer, verdict));
    });
  }

  immediate(into: number, value: Uint8Array): void {
    this.#expression('immediate', () => {
      this.#writer.attributeBig32(1, into);
      this.#value(2, value);
    });
  }

  /** @param type 0: with ICMP of the packet's version; 1: a reset of TCP; 2: with what ICMP and ICMPv6 share. */
  reject(type: 0 | 1 | 2, code: number): void {
    this.#expression('reject', () => {
      this.#writer.attributeBig32(1, type);
      if (type !== 1) this.#writer.attributeBytes(2, Uint8Array.of(code));
    });
  }

  log(options: { prefix?: string; group?: number; level?: number }): void {
    this.#expression('log', () => {
      const { prefix, group, level } = options;
      if (prefix !== undefined) this.#writer.attributeText(2, prefix);
      if (group !== undefined) {
        this.#writer.attributeBytes(1, Uint8Array.of(group >> 8, group & 0xff));
      }
      if (level !== undefined) this.#writer.attributeBig32(5, level);
    });
  }

  counter(): void {
    this.#expression('counter', () => {
      this.#writer.attributeBig64(1, 0);
      this.#writer.attributeBig64(2, 0);
    });
  }

  /** @param limit.unitSeconds What `rate` is counted in. */
  limit(limit: {
    readonly rate: number;
    readonly unitSeconds: number;
    readonly burst: number;
    readonly isOctets: boolean;
    readonly isOver: boolean;
  }): void {
    this.#expression('limit', () => {
      this.#writer.attributeBig64(1, limit.rate);
      this.#writer.attributeBig64(2, limit.unitSeconds);
      this.#writer.attributeBig32(4, limit.isOctets ? 1 : 0);
      this.#writer.attributeBig32(3, limit.burst);
      this.#writer.attributeBig32(5, limit.isOver ? 1 : 0);
    });
  }

  connectionLimit(count: number, isOver: boolean): void {
    this.#expression('connlimit', () => {
      this.#writer.attributeBig32(1, count);
      this.#writer.attributeBig32(2, isOver ? 1 : 0);
    });
  }

  noTracking(): void {
    this.#expression('notrack', () => {});
  }

  /** @param family NFPROTO_*. */
  nat(type: 'snat' | 'dnat', family: number, registers: NatRegisters): void {
    this.#expression('nat', () => {
      this.#writer.attributeBig32(1, type === 'snat' ? 0 : 1);
      this.#writer.attributeBig32(2, family);
      this.#registers([3, 4, 5, 6, 7], registers);
    });
  }

  masquerade(registers: NatRegisters): void {
    this.#expression('masq', () => this.#registers([0, 0, 2, 3, 1], registers));
  }

  redirect(registers: NatRegisters): void {
    this.#expression('redir', () => this.#registers([0, 0, 1, 2, 3], registers));
  }

  #registers(types: readonly [number, number, number, number, number], given: NatRegisters): void {
    const { addressMin, addressMax, portMin, portMax, flags } = given;
    const values = [addressMin, addressMax, portMin, portMax, flags === 0 ? undefined : flags];
    for (const [i, value] of values.entries()) {
      if (value !== undefined) this.#writer.attributeBig32(types[i] ?? 0, value);
    }
  }

  #expression(name: string, write: () => void): void {
    this.#writer.nest(LIST_ELEMENT | NESTED, () => {
      this.#writer.attributeText(EXPRESSION.name, name);
      this.#writer.nest(EXPRESSION.data | NESTED, write);
    });
  }

  #value(type: number, value: Uint8Array): void {
    this.#writer.nest(type | NESTED, () => this.#writer.attributeBytes(DATA.value, value));
  }
}

/** As the value of an attribute: of an immediate, or of an element. */
export function writeVerdict(writer: MessageWriter, { code, chain }: Verdict): void {
  writer.nest(DATA.verdict | NESTED, () => {
    writer.attributeBig32(VERDICT.code, code);
    if (chain !== undefined) writer.attributeText(VERDICT.chain, chain);
  });
}
