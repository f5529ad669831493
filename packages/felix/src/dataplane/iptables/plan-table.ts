import type { IptablesChange, IptablesContent } from '@overland/linux';

import { type TaggedChain, tagOf, tagRules } from '../../calc/iptables/rule-tags.ts';
import type { TableRules } from '../../calc/iptables/table-rules.ts';

const CHAIN_PREFIX = 'cali-';

/** Where rules of ours stand among those of others: Calico's `chainInsertMode`. */
export type ChainInsertMode = 'Insert' | 'Append';

/** What a table should hold, with tags. */
export interface TaggedTable {
  readonly chains: ReadonlyMap<string, TaggedChain>;
  /** Built-in chain to rules of ours before and behind those of others. */
  readonly builtIn: ReadonlyMap<string, BuiltInRules>;
}

interface BuiltInRules {
  readonly before: TaggedChain;
  readonly after: TaggedChain;
}

/** What differs between a table of the kernel and what is wanted. */
export interface TableDifference {
  /** Chains to be written, those among them first that others lead to. */
  readonly chains: readonly string[];
  /** Those of them that the kernel does not have. */
  readonly missing: readonly string[];
  /** Rules of ours in built-in chains that are to go, and those that are to come. */
  readonly builtIn: readonly IptablesChange[];
  /** What nobody wants any more: rules of ours in chains of others, then chains of ours. */
  readonly removal: readonly IptablesChange[];
}

/** Tags what it is given, and remembers it: most chains stay as they are. */
export class Tagger {
  #known = new Map<string, { readonly rules: readonly string[]; readonly tagged: TaggedChain }>();

  tag({ chains, before, after }: TableRules): TaggedTable {
    const known = this.#known;
    this.#known = new Map();
    const tagged = (chain: string, rules: readonly string[]): TaggedChain => {
      const last = known.get(chain);
      const result = last && isSame(last.rules, rules) ? last.tagged : tagRules(chain, rules);
      this.#known.set(chain, { rules, tagged: result });
      return result;
    };
    const names = new Set([...before.keys(), ...after.keys()]);
    return {
      chains: new Map(Array.from(chains, ([chain, rules]) => [chain, tagged(chain, rules)])),
      builtIn: new Map(
        Array.from(names, (name) => [
          name,
          {
            before: tagged(`${name} before`, before.get(name) ?? []),
            after: tagged(`${name} after`, after.get(name) ?? []),
          },
        ]),
      ),
    };
  }
}

/** Compares by tags: a rule that somebody added, removed or moved shows in those of its chain. */
export function compareTable(
  wanted: TaggedTable,
  actual: IptablesContent,
  mode: ChainInsertMode,
): TableDifference {
  const chains: string[] = [];
  const missing: string[] = [];
  for (const [chain, { tags }] of wanted.chains) {
    const rules = actual.get(chain);
    if (!rules) missing.push(chain);
    if (!rules || !isSame(rules.map(tagOf), tags)) chains.push(chain);
  }
  const builtIn = [...wanted.builtIn].flatMap(([chain, rules]) =>
    changesOfBuiltIn(chain, rules, actual.get(chain) ?? [], mode),
  );
  return { chains, missing, builtIn, removal: removalOf(wanted, actual) };
}

/** Takes away all that is ours and not wanted. */
export function removalOf(
  { chains, builtIn }: TaggedTable,
  actual: IptablesContent,
): IptablesChange[] {
  const unwanted = [...actual].flatMap(([chain, rules]) =>
    !chains.has(chain) && isOwnChain(chain, rules) ? [chain] : [],
  );
  const rules = [...actual].flatMap(([chain, all]) =>
    builtIn.has(chain) || chain.startsWith(CHAIN_PREFIX) ? [] : removalFromBuiltIn(chain, all),
  );
  // Chains may lead to each other.
  const emptied = unwanted.map((chain): IptablesChange => ({ type: 'flush-chain', chain }));
  const deleted = unwanted.map((chain): IptablesChange => ({ type: 'delete-chain', chain }));
  return [...rules, ...emptied, ...deleted];
}

export function isOwnChain(chain: string, rules: readonly string[]): boolean {
  return chain.startsWith(CHAIN_PREFIX) && rules.some(isOwnRule);
}

/** Makes the chains that are missing. */
export function creationOf({ missing }: TableDifference): IptablesChange[] {
  return missing.map((chain) => ({ type: 'flush-chain', chain }));
}

/** Writes one chain anew. */
export function writingOf(chain: string, { chains }: TaggedTable): IptablesChange[] {
  const rules = chains.get(chain)?.rules ?? [];
  return [
    { type: 'flush-chain', chain },
    ...rules.map((rule): IptablesChange => ({ type: 'append-rule', chain, rule })),
  ];
}

/** Removes rules of ours from built-in chains. */
function removalFromBuiltIn(chain: string, rules: readonly string[]): IptablesChange[] {
  return rules
    .filter(isOwnRule)
    .map((rule): IptablesChange => ({ type: 'delete-rule', chain, rule }));
}

/** Where ours come first, others may still append behind what accepts: it has accepted before. */
function changesOfBuiltIn(
  chain: string,
  { before, after }: BuiltInRules,
  actual: readonly string[],
  mode: ChainInsertMode,
): IptablesChange[] {
  const isFirst = mode === 'Append' || actual.slice(0, before.tags.length).every(isOwnRule);
  const own = actual.filter(isOwnRule).map(tagOf);
  if (isFirst && isSame(own, [...before.tags, ...after.tags])) return [];
  const append = (rule: string): IptablesChange => ({ type: 'append-rule', chain, rule });
  const insert = (rule: string): IptablesChange => ({ type: 'insert-rule', chain, rule });
  return [
    ...removalFromBuiltIn(chain, actual),
    ...(mode === 'Append' ? before.rules.map(append) : before.rules.toReversed().map(insert)),
    ...after.rules.map(append),
  ];
}

function isOwnRule(rule: string): boolean {
  return tagOf(rule) !== undefined;
}

function isSame<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
