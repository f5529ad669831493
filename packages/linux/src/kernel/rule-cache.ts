import { type CompiledRule, compileRule } from '../netlink/nft/compile-rule.ts';

/** Of each half. */
const RULES = 16_384;

/** Compiled rules by their text: those that were asked for lately. */
export class RuleCache {
  #young = new Map<string, CompiledRule>();
  #old = new Map<string, CompiledRule>();

  /** @throws {NftError} As {@link compileRule}. */
  compile(text: string): CompiledRule {
    const known = this.#young.get(text);
    if (known) return known;
    const rule = this.#old.get(text) ?? compileRule(text);
    if (this.#young.size >= RULES) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, rule);
    return rule;
  }
}
