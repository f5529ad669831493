import {
  type IpSets,
  type Iptables,
  type IptablesContent,
  IptablesError,
  type IptablesTable,
  KernelError,
} from '@overland/linux';
import type { Family } from '@overland/net';
import { isOwnSet } from '../../calc/iptables/names.ts';
import { tagOf } from '../../calc/iptables/rule-tags.ts';
import { TABLES } from '../../calc/iptables/table-rules.ts';
import { removalOf } from './plan-table.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const NOTHING_WANTED = { chains: new Map(), builtIn: new Map() };

/** Whether there is anything of ours. A host without this iptables has nothing. */
export async function hasOwnRules(iptables: Iptables): Promise<boolean> {
  for (const family of FAMILIES) {
    for (const table of TABLES) {
      const content = await readIfThere(iptables, family, table);
      if (removalOf(NOTHING_WANTED, content).length > 0) return true;
    }
  }
  return false;
}

/** Whether somebody else has rules where packets are filtered or translated. */
export async function hasForeignRules(iptables: Iptables): Promise<boolean> {
  for (const family of FAMILIES) {
    for (const table of ['filter', 'nat'] as const) {
      const content = await readIfThere(iptables, family, table);
      if ([...content.values()].flat().some((rule) => tagOf(rule) === undefined)) return true;
    }
  }
  return false;
}

/** Takes all of our chains and rules out of it, and nothing else. */
export async function removeOwnRules(iptables: Iptables): Promise<void> {
  for (const family of FAMILIES) {
    for (const table of TABLES) {
      const content = await readIfThere(iptables, family, table);
      await iptables.transact(family, table, removalOf(NOTHING_WANTED, content));
    }
  }
}

/** Removes our sets, but those that rules still ask: the other iptables may be in use. */
export async function removeOwnSets(sets: IpSets): Promise<void> {
  for (const { name } of await sets.list()) {
    if (!isOwnSet(name)) continue;
    await sets.destroy(name).catch((error: unknown) => {
      if (!(error instanceof KernelError) || error.code !== 'EBUSY') throw error;
    });
  }
}

async function readIfThere(
  iptables: Iptables,
  family: Family,
  table: IptablesTable,
): Promise<IptablesContent> {
  try {
    return await iptables.read(family, table);
  } catch (error) {
    if (error instanceof IptablesError) return new Map();
    throw error;
  }
}
