import {
  type FoundIpSet,
  type IptablesChange,
  type IptablesContent,
  IptablesError,
  type IptablesTable,
  type IptablesVariant,
  KernelError,
} from '@overland/linux';
import type { Family } from '@overland/net';
import { isOwnSet } from '../calc/iptables/names.ts';
import { tagOf } from '../calc/iptables/rule-tags.ts';
import { TABLES } from '../calc/iptables/table-rules.ts';
import { isOwnChain } from './iptables/plan-table.ts';
import type { HostFilters } from './packet-filters.ts';

/** Something of Calico's in a packet filter of the host. Plain data. */
export type Leftover =
  | {
      readonly kind: 'iptables';
      readonly variant: IptablesVariant;
      readonly family: Family;
      readonly table: IptablesTable;
      readonly chains: number;
      /** In chains of others, which lead to them. */
      readonly rules: number;
    }
  | { readonly kind: 'nftables'; readonly table: string }
  | { readonly kind: 'ipset'; readonly name: string };

/** What was removed, and what is still in use. */
export interface Takeover {
  readonly leftovers: readonly Leftover[];
  /** Of sets that a rule still asks. Empty where nothing was to be removed. */
  readonly refusals: readonly { readonly what: string; readonly reason: string }[];
}

type Filters = Pick<HostFilters, 'nftables' | 'iptables' | 'sets'>;

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const VARIANTS = ['legacy', 'nft'] as const satisfies readonly IptablesVariant[];
/** Of Calico's nftables mode: one for each family. */
const CALICO_TABLES = ['ip calico', 'ip6 calico', 'arp calico'];
const CHAIN_PREFIX = 'cali-';
/** Sets, and those that Calico fills before it swaps them. calico.md section 6.4. */
const CALICO_SET = /^cali[46][0t]/;

/**
 * What Calico has left in the packet filters of this host. Chains that our own backend has written anew are ours, whatever
 * their names.
 *
 * @param remove Whether to remove it: rules and chains of a table at once, then sets.
 */
export async function takeOver(filters: Filters, remove: boolean): Promise<Takeover> {
  const { nftables, iptables, sets } = filters;
  const leftovers: Leftover[] = [];
  const refusals: { what: string; reason: string }[] = [];
  for (const variant of VARIANTS) {
    for (const family of FAMILIES) {
      for (const table of TABLES) {
        const changes = removalOf(await readIfThere(filters, variant, family, table));
        if (changes.length === 0) continue;
        const chains = changes.filter(({ type }) => type === 'delete-chain').length;
        const rules = changes.filter(({ type }) => type === 'delete-rule').length;
        leftovers.push({ kind: 'iptables', variant, family, table, chains, rules });
        if (remove) await iptables[variant].transact(family, table, changes);
      }
    }
  }
  for (const table of CALICO_TABLES) {
    if (!(await nftables.read(table))) continue;
    leftovers.push({ kind: 'nftables', table });
    if (remove) await nftables.transact([{ type: 'delete-table', table }]);
  }
  for (const { name } of (await sets.list()).filter(isCalicoSet)) {
    leftovers.push({ kind: 'ipset', name });
    if (!remove) continue;
    await sets.destroy(name).catch((error: unknown) => {
      if (!(error instanceof KernelError)) throw error;
      refusals.push({ what: `ipset ${name}`, reason: error.message });
    });
  }
  return { leftovers, refusals };
}

/** Rules of others that lead to chains of Calico's, then the chains: they may lead to each other. */
function removalOf(content: IptablesContent): IptablesChange[] {
  const chains = [...content]
    .filter(([chain, rules]) => chain.startsWith(CHAIN_PREFIX) && !isOwnChain(chain, rules))
    .map(([chain]) => chain);
  const rules = [...content].flatMap(([chain, all]) =>
    chain.startsWith(CHAIN_PREFIX)
      ? []
      : all
          .filter((rule) => tagOf(rule) === undefined && leadsToCalico(rule))
          .map((rule): IptablesChange => ({ type: 'delete-rule', chain, rule })),
  );
  return [
    ...rules,
    ...chains.map((chain): IptablesChange => ({ type: 'flush-chain', chain })),
    ...chains.map((chain): IptablesChange => ({ type: 'delete-chain', chain })),
  ];
}

/** Calico marks what it writes into chains of others: by where it leads, or by its comment. */
function leadsToCalico(rule: string): boolean {
  return /(^| )-[jg] cali-/.test(rule) || /--comment "?cali:/.test(rule);
}

function isCalicoSet({ name }: FoundIpSet): boolean {
  return CALICO_SET.test(name) && !isOwnSet(name);
}

/** A host without this iptables, or whose kernel has not the table, has nothing in it. */
async function readIfThere(
  { iptables }: Filters,
  variant: IptablesVariant,
  family: Family,
  table: IptablesTable,
): Promise<IptablesContent> {
  try {
    return await iptables[variant].read(family, table);
  } catch (error) {
    if (error instanceof IptablesError) return new Map();
    throw error;
  }
}
