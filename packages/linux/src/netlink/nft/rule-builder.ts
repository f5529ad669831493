import type { RawElement } from './elements.ts';
import { ExpressionWriter, register } from './expression-writer.ts';
import { type Field, IIFTYPE, L4PROTO, type Layers, NFPROTO } from './rule-fields.ts';
import type { RuleWords } from './rule-words.ts';
import type { ValueType } from './value-types.ts';

/** A set or map that belongs to one rule. */
export interface AnonymousSet {
  readonly types: readonly ValueType[];
  readonly isInterval: boolean;
  readonly isMap: boolean;
  readonly elements: readonly RawElement[];
  /** Where in the body the lookup wants its identifier. */
  readonly identifierAt: number;
}

const ETHERNET = Uint8Array.of(1, 0);

/** A rule while it is compiled: its words, what is written already, and what is known of packets that get so far. */
export class RuleBuilder {
  readonly words: RuleWords;
  /** What a statement needs before everything else. */
  readonly front = new ExpressionWriter();
  readonly body = new ExpressionWriter();
  readonly sets: AnonymousSet[] = [];
  #known: Layers = {};

  constructor(words: RuleWords) {
    this.words = words;
  }

  get known(): Layers {
    return this.#known;
  }

  /** That packets which get further are so. */
  learn(layers: Layers): void {
    this.#known = { ...this.#known, ...layers };
  }

  /**
   * Matches the headers that a field or a statement belongs to, unless that was done: as nft does without being asked.
   *
   * @throws {NftError} If the rule has asked for other ones.
   */
  need({ network, transport, isEthernet }: Layers, writer = this.body): void {
    const { known } = this;
    if (isEthernet && !known.isEthernet) {
      this.#match(IIFTYPE, ETHERNET, writer);
      this.learn({ isEthernet });
    }
    if (transport !== undefined && known.transport === transport) return;
    if (network !== undefined && known.network !== network) {
      if (known.network !== undefined) throw this.words.fault('of another IP version than before');
      this.#match(NFPROTO, Uint8Array.of(network), writer);
      this.learn({ network });
    }
    if (transport !== undefined) {
      if (known.transport !== undefined) throw this.words.fault('of another protocol than before');
      this.#match(L4PROTO, Uint8Array.of(transport), writer);
      this.learn({ transport });
    }
  }

  /** Puts a field into the first register. @param octets Of a payload, if not all of it. */
  load({ load, type }: Field, octets = type.octets): void {
    this.body.load({ load, octets, into: register(0) });
  }

  #match({ load, type }: Field, value: Uint8Array, writer: ExpressionWriter): void {
    writer.load({ load, octets: type.octets, into: register(0) });
    writer.compare('eq', value);
  }
}
