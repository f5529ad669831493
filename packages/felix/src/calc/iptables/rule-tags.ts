import { textId } from '@overland/model/text-id';
import { comment } from './words.ts';

/** Calico's are `cali:` and 16 characters of a digest; ours are as long, so that its tools see them as of its kind. */
const OWN_TAG = 'cali:ovl_';
const DIGEST_CHARACTERS = 12;
const TAG = /--comment "?(cali:ovl_[\w-]{12})"?/;

/** A chain's rules, each with a comment that tells it and all before it. */
export interface TaggedChain {
  /** In order. */
  readonly tags: readonly string[];
  /** The rules with their tags. */
  readonly rules: readonly string[];
}

/** @param chain Takes part in the digests: rules of one chain are not those of another. */
export function tagRules(chain: string, rules: readonly string[]): TaggedChain {
  const tags: string[] = [];
  let before = chain;
  for (const rule of rules) {
    before = textId(`${before}\n${rule}`).slice(0, DIGEST_CHARACTERS);
    tags.push(`${OWN_TAG}${before}`);
  }
  return { tags, rules: rules.map((rule, i) => `${comment(tags[i] ?? '')} ${rule}`) };
}

/** The tag of a rule as iptables-save writes it; `undefined`: it is not one of ours. */
export function tagOf(rule: string): string | undefined {
  return TAG.exec(rule)?.[1];
}
