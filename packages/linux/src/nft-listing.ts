import { fingerprintIn } from './nft-script.ts';
import type { NftContent, NftHook, NftSet } from './nftables.ts';

/** The parts of `nft -n -j list table` that are used here. */
export interface NftListing {
  readonly nftables: readonly {
    readonly table?: { readonly flags?: readonly string[] | string };
    readonly chain?: { readonly name: string } & Partial<Omit<NftHook, 'priority'>> & {
        readonly prio?: number;
      };
    readonly rule?: { readonly chain: string; readonly comment?: string };
    readonly set?: ListedSet;
    readonly map?: ListedSet;
  }[];
}

interface ListedSet {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly type: string | readonly string[];
  readonly map?: string;
  readonly flags?: readonly string[];
  readonly elem?: readonly unknown[];
}

export function contentOf({ nftables }: NftListing): NftContent {
  const rules = new Map<string, (string | undefined)[]>();
  const chains = new Map<string, { hook: NftHook | undefined; rules: (string | undefined)[] }>();
  for (const { chain, rule } of nftables) {
    if (chain) {
      const list: (string | undefined)[] = [];
      rules.set(chain.name, list);
      chains.set(chain.name, { hook: hookOf(chain), rules: list });
    } else if (rule) {
      rules.get(rule.chain)?.push(fingerprintIn(rule.comment));
    }
  }
  const sets = nftables.flatMap(({ set, map }) => set ?? map ?? []);
  return {
    dormant: nftables.some(({ table }) => [table?.flags ?? []].flat().includes('dormant')),
    chains,
    sets: new Map(sets.map((set) => [set.name, setOf(set)])),
  };
}

type ListedChain = NonNullable<NftListing['nftables'][number]['chain']>;

function hookOf({ type, hook, prio, policy }: ListedChain): NftHook | undefined {
  if (type === undefined || hook === undefined || prio === undefined) return undefined;
  return { type, hook, priority: prio, policy: policy ?? 'accept' };
}

function setOf({ type, map, flags = [], elem = [] }: ListedSet): NftSet {
  const verdicts = map !== undefined;
  return {
    key: [type].flat(),
    verdicts,
    interval: flags.includes('interval'),
    elements: new Map(
      elem.map((element) => {
        const [key, verdict] = verdicts ? (element as readonly unknown[]) : [element, undefined];
        return [keyText(key), verdict === undefined ? undefined : verdictOf(verdict)];
      }),
    ),
  };
}

function keyText(key: unknown): string {
  if (typeof key !== 'object' || key === null) return String(key);
  const { concat, prefix, range } = key as {
    readonly concat?: readonly unknown[];
    readonly prefix?: { readonly addr: string; readonly len: number };
    readonly range?: readonly unknown[];
  };
  if (concat) return concat.map(keyText).join(' . ');
  if (prefix) return `${prefix.addr}/${prefix.len}`;
  return range ? range.join('-') : JSON.stringify(key);
}

/** `{"return": null}` to `return`, `{"jump": {"target": "x"}}` to `jump x`. */
export function verdictOf(value: unknown): string {
  const [verdict = '', detail] = Object.entries(value as Record<string, unknown>)[0] ?? [];
  const target = (detail as { readonly target?: string } | null)?.target;
  return target === undefined ? verdict : `${verdict} ${target}`;
}
