import { ADDRESS_BITS, type Family, type Prefix } from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import { PrefixCover } from './prefix-cover.ts';
import type { ImportSafetyReason } from './refusal.ts';

/** What the built-in checks of import know of a cluster: the same for all peers. */
export class ImportSafetyFacts {
  /** Equal for facts that refuse the same. */
  readonly id: string;
  readonly own: PrefixCover;
  readonly lent: PrefixCover;
  readonly pools: PrefixCover;
  /** By member of {@link pools}: the longest prefix that a router may offer. */
  readonly blockLengths: Uint8Array;
  /** By member of {@link pools}: whether host prefixes may be offered all the same. */
  readonly takesHosts: readonly boolean[];
  readonly hostLength: number;

  constructor(family: Family, { originate, importSafety }: SpeakerConfig) {
    const { own = [], pools = [], lent = [] } = importSafety ?? {};
    const byPrefix = new Map<Prefix, (typeof pools)[number]>(pools.map((p) => [p.prefix, p]));
    this.own = new PrefixCover(family, [...originate, ...own]);
    this.lent = new PrefixCover(family, lent);
    this.pools = new PrefixCover(family, [...byPrefix.keys()]);
    this.hostLength = ADDRESS_BITS[family];
    const rules = this.pools.members.map((prefix) => byPrefix.get(prefix));
    this.blockLengths = Uint8Array.from(rules, (rule) => rule?.blockLength ?? this.hostLength);
    this.takesHosts = rules.map((rule) => rule?.takesHosts ?? true);
    this.id = JSON.stringify([this.own.members, this.lent.members, rules]);
  }
}

type Rules = NonNullable<PeerConfig['importSafety']>;

/** The built-in checks of what one peer sends of one family. */
export class ImportSafety {
  readonly id: string;
  readonly #facts: ImportSafetyFacts;
  readonly #rules: Rules;

  constructor(facts: ImportSafetyFacts, rules: Rules) {
    this.#facts = facts;
    this.#rules = rules;
    this.id = `${JSON.stringify(rules)} ${facts.id}`;
  }

  /** @param words Words of the address from `at` on. */
  refusalOf(words: Int32Array, at: number, lengthBits: number): ImportSafetyReason | undefined {
    if (lengthBits === 0) return this.#rules.defaultRoute ? undefined : 'default-route';
    const { own, lent, pools, blockLengths, takesHosts, hostLength } = this.#facts;
    if (own.find(words, at, lengthBits) >= 0) {
      return lent.find(words, at, lengthBits) >= 0 ? undefined : 'own-prefix';
    }
    if (this.#rules.isNode) return undefined;
    const pool = pools.find(words, at, lengthBits);
    if (pool < 0 || lengthBits <= (blockLengths[pool] ?? 0)) return undefined;
    // An address that a node has borrowed from another one's block is offered alone.
    if (lengthBits === hostLength && takesHosts[pool]) return undefined;
    return 'longer-than-block';
  }
}
