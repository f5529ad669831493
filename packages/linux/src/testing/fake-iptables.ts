import type { Family } from '@overland/net';
import {
  type Iptables,
  type IptablesChange,
  IptablesError,
  type IptablesTable,
} from '../iptables.ts';

/** {@link Iptables} in memory. Rules are compared as they are written. */
export interface FakeIptables extends Iptables {
  /** Transactions so far. */
  readonly writes: number;
  /** Lines of all rules. */
  rules(): string[];
}

const BUILT_IN = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];
const TARGETS = new Set([
  'ACCEPT',
  'DROP',
  'RETURN',
  'MARK',
  'NFLOG',
  'REJECT',
  'CT',
  'DNAT',
  'SNAT',
  'MASQUERADE',
]);

/** @param refuses Whether the kernel has something against a rule. */
export function fakeIptables(refuses: (rule: string) => boolean = () => false): FakeIptables {
  const tables = new Map<string, Map<string, string[]>>();
  let writes = 0;
  const find = (family: Family, table: IptablesTable) =>
    tables.get(`${family} ${table}`) ??
    new Map(BUILT_IN.map((chain): [string, string[]] => [chain, []]));
  return {
    get writes() {
      return writes;
    },
    rules: () =>
      [...tables].flatMap(([table, chains]) =>
        [...chains].flatMap(([chain, rules]) => rules.map((rule) => `${table} ${chain} ${rule}`)),
      ),
    signature: () => `${writes}`,
    read: async (family, table) => structuredClone(find(family, table)),
    async transact(family, table, changes) {
      if (changes.length === 0) return;
      const next = structuredClone(find(family, table));
      for (const change of changes) apply(next, change);
      for (const rule of [...next.values()].flat()) {
        if (refuses(rule)) throw new IptablesError(`refused: ${rule}`);
        const to = targetOf(rule);
        if (to !== undefined && !next.has(to)) throw new IptablesError(`there is no chain ${to}`);
      }
      tables.set(`${family} ${table}`, next);
      writes += 1;
    },
  };
}

function apply(chains: Map<string, string[]>, change: IptablesChange): void {
  const { type, chain } = change;
  const rules = chains.get(chain) ?? [];
  if (!chains.has(chain) && type !== 'flush-chain') {
    throw new IptablesError(`there is no chain ${chain}`);
  }
  switch (type) {
    case 'flush-chain':
      chains.set(chain, []);
      break;
    case 'append-rule':
      rules.push(change.rule);
      break;
    case 'insert-rule':
      rules.unshift(change.rule);
      break;
    case 'delete-rule': {
      const at = rules.indexOf(change.rule);
      if (at < 0) throw new IptablesError(`there is no such rule in ${chain}`);
      rules.splice(at, 1);
      break;
    }
    case 'delete-chain': {
      const isAsked = [...chains.values()].flat().some((rule) => targetOf(rule) === chain);
      if (isAsked || rules.length > 0) throw new IptablesError(`chain ${chain} is in use`);
      chains.delete(chain);
    }
  }
}

/** The chain that a rule leads to. */
function targetOf(rule: string): string | undefined {
  const [, target] = / ?-[jg] (\S+)/.exec(rule) ?? [];
  return target === undefined || TARGETS.has(target) ? undefined : target;
}
